/** Reads the facts of pods. */
import {defined} from '../../defined.js';
import {plural} from '../../format.js';
import {istiodContainer} from '../../istio/image.js';
import {hasReadyCondition, type LabelSelector, type PodObject, selects} from '../../kube/objects.js';
import {printableLine} from '../../printable.js';
import type {PodAddress, PodFacts, WorkloadFacts} from '../facts.js';

/** The pods that a Deployment's selector selects. */
export function podsOfSelector(pods: readonly PodObject[], selector: LabelSelector): readonly PodFacts[] {
  return pods.filter(({metadata}) => selects(selector, metadata.labels ?? {})).map(readPod);
}

function readPod({metadata, status = {}}: PodObject): PodFacts {
  const phase = status.phase ?? 'Unknown';
  return defined({
    name: metadata.name,
    phase,
    ready: phase === 'Running' && hasReadyCondition({status}),
    gone: isGone({metadata, status}),
    reason: reasonOf(status),
    crashing: crashOf(status) !== undefined,
    startedAt: startOf(status),
  });
}

/**
 * Whether a Deployment no longer counts on a pod. Its containers restart in place: a Failed pod was evicted, preempted or lost
 * its node, and has been replaced (kubernetes.io: concepts/workloads/pods/pod-lifecycle).
 */
export function isGone({metadata, status = {}}: Pick<PodObject, 'metadata' | 'status'>): boolean {
  return metadata.deletionTimestamp !== undefined || status.phase === 'Succeeded' || status.phase === 'Failed';
}

/** The addresses of running pods. Those that ended have none any more; others use the network of their node. */
export function podAddresses(pods: readonly PodObject[]): readonly PodAddress[] {
  return pods.flatMap(({metadata, spec, status = {}}) => {
    const {podIP: address = '', phase} = status;
    const isOwn = phase === 'Running' && !isGone({metadata, status}) && spec?.hostNetwork !== true;
    return isOwn && address !== '' ? [{pod: metadata.name, address}] : [];
  });
}

/** The pods of a Deployment that can be queried: those that run. */
export function runningPods({pods}: Pick<WorkloadFacts, 'pods'>): readonly PodFacts[] {
  return pods.filter(({gone, phase}) => !gone && phase === 'Running');
}

/** Other containers, such as a proxy, run on when istiod's restarts. */
function startOf({containerStatuses = []}: NonNullable<PodObject['status']>): Date | undefined {
  const startedAt = istiodContainer(containerStatuses)?.state?.running?.startedAt;
  return startedAt === undefined ? undefined : new Date(startedAt);
}

/** The state of a crashing container: its back-off or, briefly, its next start. */
function crashOf(status: PodObject['status']): string | undefined {
  for (const {ready, restartCount = 0, state, lastState} of status?.containerStatuses ?? []) {
    if (ready === true) continue;
    if (state?.waiting?.reason === 'CrashLoopBackOff') return words('CrashLoopBackOff', state.waiting.message);
    const {terminated} = lastState ?? {};
    if (restartCount > 0 && terminated && !state?.waiting) {
      const code = terminated.exitCode === undefined ? '' : `, last with exit code ${String(terminated.exitCode)}`;
      return words(`exited ${plural(restartCount, 'time')}${code}`, terminated.message);
    }
  }
  return undefined;
}

/** The most specific reason: of a waiting container, then of the scheduler, then of the pod. */
function reasonOf(status: PodObject['status']): string {
  const crash = crashOf(status);
  if (crash !== undefined) return crash;
  const waiting = status?.containerStatuses?.find(({state}) => state?.waiting ?? state?.terminated);
  const state = waiting?.state?.waiting ?? waiting?.state?.terminated;
  if (state) return words(state.reason, state.message);
  const unscheduled = status?.conditions?.find(({type, status: value}) => type === 'PodScheduled' && value !== 'True');
  if (unscheduled) return words(unscheduled.reason, unscheduled.message);
  const unready = status?.conditions?.find(({type, status: value}) => type === 'Ready' && value !== 'True');
  return words(status?.reason ?? unready?.reason, status?.message ?? unready?.message);
}

function words(reason: string | undefined, message: string | undefined): string {
  return printableLine([reason, message].filter((word) => word !== undefined && word !== '').join(': '));
}
