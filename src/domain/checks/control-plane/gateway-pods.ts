import {apiServerCheck, notApplicable} from '../check.js';
import {judgeWorkloads} from './workload.js';

/** Gateways in Istio's namespace are Running as well. */
export const gatewayPodsCheck = apiServerCheck({
  id: 'MESH403',
  title: 'Every gateway pod is Running and ready',
  requires: ['gateways'],
  expected: 'every gateway pod Running and ready',
  judge: ({gateways}, subject) =>
    gateways.length === 0
      ? notApplicable(`there is no gateway in ${subject.mesh.istio.namespace}`)
      : judgeWorkloads(gateways, subject),
  meaning:
    "Every gateway Deployment in Istio's namespace (ingress, egress, east-west) has the pods it asks for, all Running and ready.",
  breaks: 'Traffic that enters, leaves or crosses between networks through that gateway stops.',
  byHand: 'kubectl --context "$CTX" -n istio-system get deployment,pod',
  howToFix: '`kubectl describe pod` says why it waits; where no pod is made at all, the events say what refuses it. A gateway that waits for its certificate cannot reach istiod, or trusts another root.',
  source: 'istio/istio manifests/charts/gateways; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
});
