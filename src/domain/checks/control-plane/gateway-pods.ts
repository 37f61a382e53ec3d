import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import {describeWorkloads, workloadFix, workloadProblems} from './workload.js';

const expected = 'every gateway pod Running and ready';

/** Gateways in Istio's namespace are Running as well. */
export const gatewayPodsCheck = defineCheck({
  id: 'MESH403',
  title: 'Every gateway pod is Running and ready',
  severity: 'error',
  scope: 'cluster',
  vantage: 'API server',
  needs: ['gateways'],
  waitable: true,
  implies: [],
  judge: ({gateways}, subject) => {
    const {namespace} = subject.mesh.istio;
    if (gateways.length === 0) return notApplicable(`there is no gateway in ${namespace}`);
    const findings = gateways.flatMap(({workload}) =>
      workloadProblems(workload).map((problem) => ({
        ...problem,
        expected,
        fix: workloadFix(problem, workload, subject),
      })),
    );
    return findingsOr(findings, () => ok(describeWorkloads(gateways.map(({workload}) => workload)), expected));
  },
  explanation: {
    meaning:
      "Every gateway Deployment in Istio's namespace (ingress, egress, east-west) has the pods it asks for, all Running and ready.",
    breaks: 'Traffic that enters, leaves or crosses between networks through that gateway stops.',
    byHand: 'kubectl --context "$CTX" -n istio-system get deployment,pod',
    mend: '`kubectl describe pod` says why it waits; where no pod is made at all, the events say what refuses it. A gateway that waits for its certificate cannot reach istiod, or trusts another root.',
    source: 'istio/istio manifests/charts/gateways; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
  },
});
