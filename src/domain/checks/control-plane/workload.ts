/** One rule for "every pod is Running and ready", for istiod and gateways alike. */
import type {ClusterSubject, Severity} from '../check.js';
import {shellWord} from '../commands.js';
import type {PodFacts, WorkloadFacts} from '../facts.js';

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
  {cluster, commands, mesh}: ClusterSubject,
): string {
  const inNamespace = (words: string): string => commands.kubectl(cluster, `-n ${mesh.istio.namespace} ${words}`);
  if (desired === 0) return inNamespace(`scale ${shellWord(`deployment/${name}`)} --replicas 1`);
  // Whoever could not make a pod says so in an event: a quota, a webhook, a service account that is missing.
  if (!pod) return inNamespace('get events --field-selector type=Warning');
  return pod.crashing === true
    ? inNamespace(`logs ${shellWord(pod.name)} --previous --tail=20`)
    : inNamespace(`describe pod ${shellWord(pod.name)}`);
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
