import {kubectlMesh} from '../../suggest/suggestion.js';
import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import {describeWorkloads, workloadFix, workloadProblems} from './workload.js';

const expected = 'every istiod pod Running and ready, at least one for each revision';

/** The guide's last step: the control plane's pods are Running. */
export const istiodPodsCheck = defineCheck({
  id: 'MESH402',
  title: 'Every istiod pod is Running and ready',
  severity: 'error',
  scope: 'cluster',
  vantage: 'API server',
  needs: ['controlPlanes'],
  waitable: true,
  // Without a running istiod nobody writes bundles, serves certificates or says what it was installed with.
  implies: [
    'MESH302',
    'MESH303',
    'MESH304',
    'MESH306',
    'MESH307',
    'MESH308',
    'MESH309',
    'MESH310',
    'MESH412',
    'MESH404',
    'MESH405',
    'MESH406',
    'MESH407',
  ],
  judge: ({controlPlanes}, subject) => {
    const {cluster, mesh} = subject;
    const {namespace} = mesh.istio;
    if (controlPlanes.length === 0) {
      if (cluster.role === 'remote') return notApplicable("a remote cluster uses its primary's istiod");
      const fix = kubectlMesh('install apply', [cluster.name]);
      return {findings: [{observed: `no istiod Deployment in ${namespace}`, expected, fix}]};
    }
    const findings = controlPlanes.flatMap(({workload}) =>
      workloadProblems(workload).map((problem) => ({
        ...problem,
        expected,
        fix: workloadFix(problem, workload, subject),
      })),
    );
    return findingsOr(findings, () => ok(describeWorkloads(controlPlanes.map(({workload}) => workload)), expected));
  },
  explanation: {
    meaning:
      "Every Deployment of istiod in Istio's namespace has the pods it asks for, and all of them are Running and ready. Finished, evicted and terminating pods are left out.",
    breaks: 'No new proxy starts, no workload certificate is renewed, no configuration changes.',
    byHand: 'kubectl --context "$CTX" -n istio-system get pod -l app=istiod',
    mend: '`kubectl describe pod` says why it waits: no node, no image, a volume. An istiod that crash-loops says why in `kubectl logs --previous`. Where no pod is made at all, the events say what refuses it.',
    source:
      'istio.io: the guide asks for every pod to be Running; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
  },
});
