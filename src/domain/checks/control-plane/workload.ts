/** One rule for "every pod is Running and ready", for istiod and gateways alike. */
import type {MeshCluster} from '../../mesh/mesh.js';
import {fixWith, inspectWith, type Suggestion, words} from '../../suggest/suggestion.js';
import {type ClusterSubject, findingsOr, type Judgement, ok} from '../check.js';
import type {PodFacts, WorkloadFacts} from '../../facts/facts.js';

/** Judges the pods of Deployments. */
export function judgeWorkloads(all: readonly {readonly workload: WorkloadFacts}[], subject: ClusterSubject): Judgement {
  const findings = all.flatMap(({workload}) =>
    workloadProblems(workload).map(({observed, pod}) => ({observed, fix: workloadFix(pod, workload, subject)})),
  );
  const described = all.map(({workload: {name, desired, pods}}) => {
    const ready = pods.filter((pod) => pod.ready && !pod.gone);
    return `${name} ${String(ready.length)}/${String(desired)}`;
  });
  return findingsOr(findings, ok(described.join(', ')));
}

/**
 * What is wrong with a Deployment's pods, and which pod is not well; absent where pods are missing. Finished and evicted pods
 * do not count; no pod at all does.
 */
export function workloadProblems({
  name,
  desired,
  pods,
}: WorkloadFacts): readonly {readonly observed: string; readonly pod?: PodFacts}[] {
  const present = pods.filter(({gone}) => !gone);
  if (desired === 0 && present.length === 0) return [{observed: `${name} has no pod: it is scaled to 0`}];
  const problems = present
    .filter(({ready}) => !ready)
    .map((pod) => ({observed: `${pod.name} is ${pod.phase}${pod.reason === '' ? '' : `: ${pod.reason}`}`, pod}));
  if (present.length >= desired) return problems;
  return [{observed: `${name} has ${String(present.length)} of ${String(desired)} pods`}, ...problems];
}

/** The command that mends a problem, or that says what a person has to: why pods are missing, waiting or ending. */
function workloadFix(
  pod: PodFacts | undefined,
  {name, desired}: WorkloadFacts,
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const {namespace} = mesh.istio;
  if (desired === 0) return fixWith.kubectl(cluster, words`-n ${namespace} scale deployment/${name} --replicas 1`);
  // Whoever could not make a pod says so in an event: a quota, a webhook, a service account that is missing.
  if (!pod) return inspectWith.kubectl(cluster, words`-n ${namespace} get events --field-selector type=Warning`);
  return inspectPod(pod, cluster, namespace);
}

/** Says why a pod is not ready: what it wrote before it ended, or what it waits for. */
export function inspectPod({name, crashing}: PodFacts, cluster: MeshCluster, namespace: string): Suggestion {
  return crashing === true
    ? inspectWith.kubectl(cluster, words`-n ${namespace} logs ${name} --previous --tail=20`)
    : inspectWith.kubectl(cluster, words`-n ${namespace} describe pod ${name}`);
}
