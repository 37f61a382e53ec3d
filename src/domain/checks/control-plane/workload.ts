/** One rule for "every pod is Running and ready", for istiod and gateways alike. */
import type {MeshCluster} from '../../mesh/mesh.js';
import {fixWith, lookWith, type Suggestion, words} from '../../suggest/suggestion.js';
import type {ClusterSubject, Severity} from '../check.js';
import type {PodFacts, WorkloadFacts} from '../../facts/facts.js';

/** Something that keeps a Deployment from being well. */
export interface WorkloadProblem {
  readonly severity: Severity;
  readonly observed: string;
  /** The pod that is not well; absent where pods are missing. */
  readonly pod?: PodFacts;
}

/** What is wrong with a Deployment's pods. Finished and evicted pods do not count; no pod at all does. */
export function workloadProblems({name, desired, pods}: WorkloadFacts): readonly WorkloadProblem[] {
  const present = pods.filter(({gone}) => !gone);
  const unready = present.filter(({ready}) => !ready);
  if (desired === 0 && present.length === 0) {
    return [{severity: 'error', observed: `${name} has no pod: it is scaled to 0`}];
  }
  const problems = unready.map((pod): WorkloadProblem => ({
    severity: 'error',
    observed: `${pod.name} is ${pod.phase}${pod.reason === '' ? '' : `: ${pod.reason}`}`,
    pod,
  }));
  const tooFew =
    present.length < desired ? `${name} has ${String(present.length)} of ${String(desired)} pods` : undefined;
  return tooFew === undefined ? problems : [{severity: 'error', observed: tooFew}, ...problems];
}

/** The command that mends a problem, or that says what a person has to: why pods are missing, waiting or ending. */
export function workloadFix(
  {pod}: WorkloadProblem,
  {name, desired}: WorkloadFacts,
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const {namespace} = mesh.istio;
  if (desired === 0) return fixWith.kubectl(cluster, words`-n ${namespace} scale deployment/${name} --replicas 1`);
  // Whoever could not make a pod says so in an event: a quota, a webhook, a service account that is missing.
  if (!pod) return lookWith.kubectl(cluster, words`-n ${namespace} get events --field-selector type=Warning`);
  return lookAtPod(pod, cluster, namespace);
}

/** Says why a pod is not ready: what it wrote before it ended, or what it waits for. */
export function lookAtPod({name, crashing}: PodFacts, cluster: MeshCluster, namespace: string): Suggestion {
  return crashing === true
    ? lookWith.kubectl(cluster, words`-n ${namespace} logs ${name} --previous --tail=20`)
    : lookWith.kubectl(cluster, words`-n ${namespace} describe pod ${name}`);
}

/** `istiod 2/2, istio-ingressgateway 1/1`. */
export function describeWorkloads(workloads: readonly WorkloadFacts[]): string {
  return workloads
    .map(
      ({name, desired, pods}) =>
        `${name} ${String(pods.filter(({gone, ready}) => ready && !gone).length)}/${String(desired)}`,
    )
    .join(', ');
}
