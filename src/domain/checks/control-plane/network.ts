import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies and gateways are told the declared network. */
export const networkCheck = apiServerCheck({
  id: 'MESH405',
  title: 'Proxies are told the declared network',
  requires: ['controlPlanes', 'gateways'],
  judge: ({controlPlanes, gateways}, subject) => {
    // A gateway for several networks says none; one that says another network is wrong.
    const telling = gateways.filter(({network}) => network !== undefined && network !== '');
    const setting = {name: 'network', declared: subject.cluster.network, key: 'network'} as const;
    return judgeSetting(setting, [...controlPlanes, ...telling], subject);
  },
  meaning:
    "The installation's values.global.network, and ISTIO_META_NETWORK of the gateways, are the network that mesh.yaml declares for the cluster.",
  breaks: 'Endpoints are taken for local or remote wrongly: traffic between clusters times out or takes a detour.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep \'"network"\'',
  howToFix: 'Render install.yaml anew and apply it; restart workloads that were injected before.',
  source: 'istio/istio manifests/charts/istio-control/istio-discovery/templates/istiod-injector-configmap.yaml',
});
