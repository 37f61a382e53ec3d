import {hasReadyCondition, type EventObject, type PodObject} from '../kube/objects.js';
import {printableLine} from '../printable.js';

/** Kinds of objects that create pods: their warnings explain why a pod is missing (a quota, an admission webhook). */
const podOwners = new Set(['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job']);
/** The maximum number of these warnings to show. */
const maxOwnerEvents = 3;

/**
 * Returns one line for each pod that is not ready, with the reasons from its containers, conditions and warnings; then the
 * warnings of the objects that create pods. Finished and evicted pods are ignored.
 */
export function explainNotReady(pods: readonly PodObject[], events: readonly EventObject[]): readonly string[] {
  const waiting = pods.filter(
    (pod) => !hasReadyCondition(pod) && pod.status?.phase !== 'Succeeded' && pod.status?.reason !== 'Evicted',
  );
  const lines = waiting.map((pod) => {
    const reasons = [...containerReasons(pod), ...conditionReasons(pod), ...eventReasons(pod, events)];
    return `Pod ${pod.metadata.name}: ${reasons.length === 0 ? (pod.status?.phase ?? 'no status yet') : reasons.join('; ')}`;
  });
  const others = events
    .filter((event) => podOwners.has(event.involvedObject?.kind ?? '') && event.reason !== undefined)
    .slice(-maxOwnerEvents)
    .map((event) => `${event.involvedObject?.kind ?? '?'} ${event.involvedObject?.name ?? '?'}: ${describe(event)}`);
  return [...lines, ...others].map(printableLine);
}

function containerReasons({status}: PodObject): readonly string[] {
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return containers.flatMap(({name, ready, state, lastState, restartCount = 0}) => {
    if (state?.terminated?.exitCode === 0) return [];
    const why = state?.waiting ?? state?.terminated;
    if (!why) return ready === false ? [`container ${name} is running but not ready`] : [];
    const before = lastState?.terminated;
    const restarts = restartCount > 0 ? `, ${String(restartCount)} restarts` : '';
    const last = before ? `, last ${before.reason ?? 'terminated'} (exit code ${String(before.exitCode ?? '?')})` : '';
    return [`container ${name} ${why.reason ?? 'is waiting'}${detail(why.message)}${restarts}${last}`];
  });
}

function conditionReasons({status}: PodObject): readonly string[] {
  return (status?.conditions ?? []).flatMap(({type, status: value, reason, message}) =>
    type === 'PodScheduled' && value === 'False' ? [`not scheduled (${reason ?? 'no reason'})${detail(message)}`] : [],
  );
}

function eventReasons(pod: PodObject, events: readonly EventObject[]): readonly string[] {
  const latest = events
    .filter(({involvedObject}) => involvedObject?.kind === 'Pod' && involvedObject.name === pod.metadata.name)
    .at(-1);
  return latest ? [describe(latest)] : [];
}

function describe({reason, message, count}: EventObject): string {
  const times = count !== undefined && count > 1 ? ` (${String(count)} times)` : '';
  return `${reason ?? 'warning'}${detail(message)}${times}`;
}

function detail(message: string | undefined): string {
  return message === undefined || message === '' ? '' : `: ${message}`;
}
