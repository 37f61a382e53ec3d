/** The rule "every pod is Running and ready", for istiod and gateways. */
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
 * The problems of a Deployment's pods, each with the unready pod; without a pod where pods are missing. Completed and evicted
 * pods are ignored; having no pod at all is a problem.
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

/** A command that fixes the problem or shows its cause: why pods are missing, waiting or crashing. */
function workloadFix(
  pod: PodFacts | undefined,
  {name, desired}: WorkloadFacts,
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const {namespace} = mesh.istio;
  if (desired === 0) return fixWith.kubectl(cluster, words`-n ${namespace} scale deployment/${name} --replicas 1`);
  // Events show why a pod could not be created: a quota, a webhook, a missing service account.
  if (!pod) return inspectWith.kubectl(cluster, words`-n ${namespace} get events --field-selector type=Warning`);
  return inspectPod(pod, cluster, namespace);
}

/** Shows why a pod is not ready: its log before the crash, or what it waits for. */
export function inspectPod({name, crashing}: PodFacts, cluster: MeshCluster, namespace: string): Suggestion {
  return crashing === true
    ? inspectWith.kubectl(cluster, words`-n ${namespace} logs ${name} --previous --tail=20`)
    : inspectWith.kubectl(cluster, words`-n ${namespace} describe pod ${name}`);
}
