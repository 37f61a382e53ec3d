import {networkLabel as label} from '../../istio/names.js';
import {fixWith, kubectlMesh, words} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable, ok} from '../check.js';

/** Istio's namespace is labeled with the cluster's network. */
export const namespaceCheck = apiServerCheck({
  id: 'MESH401',
  title: "Istio's namespace exists and has the declared network label",
  requires: ['namespaces'],
  implies: [
    'MESH116',
    'MESH301',
    'MESH402',
    'MESH403',
    'MESH404',
    'MESH405',
    'MESH406',
    'MESH407',
    'MESH411',
    'MESH418',
    'MESH5',
    'MESH6',
  ],
  judge: ({namespaces}, {cluster, mesh}) => {
    const {namespace} = mesh.istio;
    const found = namespaces.find(({name}) => name === namespace);
    const expected =
      cluster.network === undefined
        ? `namespace ${namespace}`
        : `namespace ${namespace} with ${label}=${cluster.network}`;
    if (!found) {
      // Its contents are gone as well: only all steps together restore the cluster.
      const fix = kubectlMesh('up', [cluster.name, '--yes']);
      return {observed: `no namespace ${namespace}`, expected, fix};
    }
    const actual = found.labels[label];
    if (cluster.network === undefined) {
      return actual === undefined
        ? ok('no network declared, and no label', expected)
        : notApplicable(`mesh.yaml declares no network; the label is ${actual}`);
    }
    if (actual === cluster.network) return ok(`${label}=${actual}`, expected);
    const fix = fixWith.kubectl(cluster, words`label namespace ${namespace} ${label}=${cluster.network} --overwrite`);
    const observed = actual === undefined ? `no label ${label}` : `${label}=${actual}`;
    // The other checks do not depend on the label.
    return {observed, expected, fix, implies: []};
  },
  meaning: `Istio's namespace exists, and its label ${label} is the network that mesh.yaml declares for the cluster.`,
  breaks:
    "Without the label, istiod does not assign the cluster's pods to a network, and proxies get wrong addresses for endpoints in other networks. istioctl sets the label only if it creates the namespace itself.",
  byHand: `kubectl --context "$CTX" get namespace istio-system --show-labels`,
  fix: 'Set the label; istiod applies it immediately. If the namespace does not exist, `kubectl mesh up CLUSTER` creates it and installs Istio.',
  source: 'istio/istio pilot/pkg/serviceregistry/kube/controller/network.go, operator/pkg/util/k8s.go',
});
