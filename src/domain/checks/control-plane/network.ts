import {defineCheck} from '../check.js';
import {judgeSetting} from './settings.js';

/** Proxies and gateways are told the declared network. */
export const networkCheck = defineCheck({
  id: 'MESH405',
  title: 'Proxies are told the declared network',
  severity: 'error',
  scope: 'cluster',
  vantage: 'API server',
  needs: ['controlPlanes', 'gateways'],
  waitable: true,
  implies: [],
  judge: ({controlPlanes, gateways}, subject) =>
    judgeSetting(
      {
        name: 'network',
        declared: subject.cluster.network,
        seen: [
          ...controlPlanes.map(({workload, network}) => ({where: workload.name, value: network})),
          // A gateway for several networks says none; one that says another network is wrong.
          ...gateways
            .filter(({network}) => network !== undefined && network !== '')
            .map(({workload, network}) => ({where: workload.name, value: network})),
        ],
      },
      subject,
    ),
  explanation: {
    meaning:
      "The installation's values.global.network, and ISTIO_META_NETWORK of the gateways, are the network that mesh.yaml declares for the cluster.",
    breaks: 'Endpoints are taken for local or remote wrongly: traffic between clusters times out or takes a detour.',
    byHand:
      'kubectl --context "$CTX" -n istio-system get configmap istio-sidecar-injector -o jsonpath="{.data.values}" | grep \'"network"\'',
    mend: 'Render install.yaml anew and apply it; restart workloads that were injected before.',
    source: 'istio/istio manifests/charts/istio-control/istio-discovery/templates/istiod-injector-configmap.yaml',
  },
});
