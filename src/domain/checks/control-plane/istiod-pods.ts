import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable} from '../check.js';
import {judgeWorkloads} from './workload.js';

/** The control plane's pods are Running and ready, the last step of Istio's guide. */
export const istiodPodsCheck = apiServerCheck({
  id: 'MESH402',
  title: 'Every istiod pod is Running and ready',
  requires: ['controlPlanes'],
  // Only a running istiod writes bundles, presents certificates and reports its settings.
  implies: [
    ...['MESH302', 'MESH303', 'MESH304', 'MESH306', 'MESH307', 'MESH308', 'MESH309', 'MESH310'],
    ...['MESH412', 'MESH404', 'MESH405', 'MESH406', 'MESH407', 'MESH418'],
    ...['MESH423', 'MESH502', 'MESH506', 'MESH507', 'MESH6'],
  ],
  expected: 'every istiod pod Running and ready, at least one per revision',
  judge: ({controlPlanes}, subject) => {
    const {cluster, mesh} = subject;
    if (controlPlanes.length > 0) return judgeWorkloads(controlPlanes, subject);
    if (cluster.role === 'remote') return notApplicable("a remote cluster uses its primary's istiod");
    const fix = kubectlMesh('install apply', [cluster.name]);
    return {observed: `no istiod Deployment in ${mesh.istio.namespace}`, fix};
  },
  meaning:
    "Every istiod Deployment in Istio's namespace has the desired number of pods, all Running and ready. Completed, evicted and terminating pods are ignored.",
  breaks: 'New proxies do not start, workload certificates are not renewed, and configuration changes have no effect.',
  byHand: 'kubectl --context "$CTX" -n istio-system get pod -l app=istiod',
  fix: '`kubectl describe pod` shows what a pod is waiting for: a node, an image or a volume. If istiod crash-loops, `kubectl logs --previous` shows the cause. If no pod is created, the events of the ReplicaSet show what rejects it.',
  source: 'istio.io: the guide requires every pod to be Running; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
});
