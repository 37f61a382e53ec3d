import {networkLabel as label} from '../../istio/names.js';
import {fixWith, kubectlMesh, words} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable, ok} from '../check.js';

/** Istio's namespace says which network the cluster is on. */
export const namespaceCheck = apiServerCheck({
  id: 'MESH401',
  title: "Istio's namespace is there and says the declared network",
  requires: ['namespaces'],
  implies: ['MESH116', 'MESH301', 'MESH402', 'MESH403', 'MESH404', 'MESH405', 'MESH406', 'MESH407', 'MESH411'],
  judge: ({namespaces}, {cluster, mesh}) => {
    const {namespace} = mesh.istio;
    const found = namespaces.find(({name}) => name === namespace);
    const expected =
      cluster.network === undefined
        ? `namespace ${namespace}`
        : `namespace ${namespace} with ${label}=${cluster.network}`;
    if (!found) {
      // What was in it is gone, too: nothing less than all steps brings the cluster back.
      const fix = kubectlMesh('up', [cluster.name, '--yes']);
      return {observed: `no namespace ${namespace}`, expected, fix};
    }
    const actual = found.labels[label];
    if (cluster.network === undefined) {
      return actual === undefined
        ? ok('no network declared, no label', expected)
        : notApplicable(`mesh.yaml declares no network; the label says ${actual}`);
    }
    if (actual === cluster.network) return ok(`${label}=${actual}`, expected);
    const fix = fixWith.kubectl(cluster, words`label namespace ${namespace} ${label}=${cluster.network} --overwrite`);
    const observed = actual === undefined ? `no label ${label}` : `${label}=${actual}`;
    // Everything else can be well without the label, and what is not has another cause.
    return {observed, expected, fix, implies: []};
  },
  meaning: `The namespace exists and its label ${label} names the network that mesh.yaml declares for the cluster.`,
  breaks:
    "Without the label istiod takes the cluster's pods for being on no network: endpoints of other networks get the wrong addresses. istioctl sets it only where it creates the namespace itself.",
  byHand: `kubectl --context "$CTX" get namespace istio-system --show-labels`,
  howToFix: 'Set the label; istiod sees it at once. Where the namespace is not there, `kubectl mesh up CLUSTER` makes it and all that belongs in it.',
  source: 'istio/istio pilot/pkg/serviceregistry/kube/controller/network.go, operator/pkg/util/k8s.go',
});
