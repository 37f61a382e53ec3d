import {apiServerCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies and gateways are configured with the declared network. */
export const networkCheck = apiServerCheck({
  id: 'MESH405',
  title: 'Proxies are configured with the declared network',
  requires: ['controlPlanes', 'gateways'],
  implies: ['MESH601'],
  judge: ({controlPlanes, gateways}, subject) => {
    // A gateway for several networks has no network set; one with a different network is wrong.
    const withNetwork = gateways.filter(({network}) => network !== undefined && network !== '');
    const setting = {name: 'network', declared: subject.cluster.network, key: 'network'} as const;
    return judgeSetting(setting, [...controlPlanes, ...withNetwork], subject);
  },
  meaning:
    "The installation's values.global.network and the gateways' ISTIO_META_NETWORK match the network that mesh.yaml declares for the cluster.",
  breaks: 'Endpoints are treated as local or remote incorrectly: traffic between clusters times out or takes a detour.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep \'"network"\'',
  fix: 'Render install.yaml again and apply it. Then restart the workloads that were injected earlier.',
  source: 'istio/istio manifests/charts/istio-control/istio-discovery/templates/istiod-injector-configmap.yaml',
});
