import {apiServerCheck, notApplicable} from '../check.js';
import {judgeWorkloads} from './workload.js';

/** The pods of gateways in Istio's namespace are Running and ready. */
export const gatewayPodsCheck = apiServerCheck({
  id: 'MESH403',
  title: 'Every gateway pod is Running and ready',
  requires: ['gateways'],
  expected: 'every gateway pod Running and ready',
  judge: ({gateways}, subject) =>
    gateways.length === 0
      ? notApplicable(`no gateway in ${subject.mesh.istio.namespace}`)
      : judgeWorkloads(gateways, subject),
  meaning:
    "Every gateway Deployment in Istio's namespace (ingress, egress, east-west) has the desired number of pods, all Running and ready.",
  breaks: 'Traffic through that gateway stops: into the mesh, out of it, or between networks.',
  byHand: 'kubectl --context "$CTX" -n istio-system get deployment,pod',
  fix: '`kubectl describe pod` shows what a pod is waiting for. If no pod is created, the events of the ReplicaSet show what rejects it. A gateway that is waiting for its certificate either cannot reach istiod or trusts a different root.',
  source: 'istio/istio manifests/charts/gateways; kubernetes.io: concepts/workloads/pods/pod-lifecycle',
});
