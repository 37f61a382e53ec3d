import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable} from '../check.js';
import {judgeWorkloads} from './workload.js';

/** The guide's last step: the control plane's pods are Running. */
export const istiodPodsCheck = apiServerCheck({
  id: 'MESH402',
  title: 'Every istiod pod is Running and ready',
  requires: ['controlPlanes'],
  // Without a running istiod nobody writes bundles, serves certificates or says what it was installed with.
  implies: [
    ...['MESH302', 'MESH303', 'MESH304', 'MESH306', 'MESH307', 'MESH308', 'MESH309', 'MESH310'],
    ...['MESH412', 'MESH404', 'MESH405', 'MESH406', 'MESH407'],
  ],
  expected: 'every istiod pod Running and ready, at least one for each revision',
  judge: ({controlPlanes}, subject) => {
    const {cluster, mesh} = subject;
    if (controlPlanes.length > 0) return judgeWorkloads(controlPlanes, subject);
    if (cluster.role === 'remote') return notApplicable("a remote cluster uses its primary's istiod");
    const fix = kubectlMesh('install apply', [cluster.name]);
    return {observed: `no istiod Deployment in ${mesh.istio.namespace}`, fix};
  },
  meaning:
    "Every Deployment of istiod in Istio's namespace has the pods it asks for, and all of them are Running and ready. Finished, evicted and terminating pods are left out.",
  breaks: 'No new proxy starts, no workload certificate is renewed, no configuration changes.',
  byHand: 'kubectl --context "$CTX" -n istio-system get pod -l app=istiod',
  howToFix: '`kubectl describe pod` says why it waits: no node, no image, a volume. An istiod that crash-loops says why in `kubectl logs --previous`. Where no pod is made at all, the events say what refuses it.',
  source: 'istio.io: the guide asks for every pod to be Running; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
});
