/**
 * The journal in readable form: an intent and its outcome are one change. Entries come from other copies through git and
 * may have any content, so every entry is shown, even an invalid one.
 */
import {defined} from '../defined.js';
import {entryId, type JournalEntry, type JournalRecord} from './entry.js';

/** `open`: no outcome was recorded. `under-way`: none yet, because the run still holds the lock. */
export const changeStatuses = ['done', 'failed', 'cancelled', 'unknown', 'open', 'under-way'] as const;
export type ChangeStatus = (typeof changeStatuses)[number];

/** The fields of entries in a change: `time` from the intent, `error` and `detail` from the outcome. */
type EntryFields = Pick<
  JournalRecord,
  'time' | 'user' | 'host' | 'identity' | 'command' | 'action' | 'cluster' | 'reason' | 'error' | 'detail'
> &
  Partial<Pick<JournalRecord, 'pid'>>;

/** One change: an intent and its outcome. */
export interface Change extends EntryFields {
  /** The intent's id: `CHAIN/SEQ`. */
  readonly id: string;
  /** When the outcome was recorded. */
  readonly ended?: string;
  /** A description of the action; the action's id if the intent is missing. */
  readonly title: string;
  readonly status: ChangeStatus;
  /** There is only an outcome: the intent was removed, or is in a copy that was not merged. */
  readonly withoutIntent?: true;
}

/**
 * Joins intents and outcomes of all chains, the oldest first; changes with the same time keep the order of the file.
 * `underWay`: ids of intents whose runs may still be in progress.
 */
export function changesOf(
  entries: readonly JournalEntry[],
  underWay: ReadonlySet<string> = new Set(),
): readonly Change[] {
  const outcomes = new Map<unknown, JournalEntry>();
  const recoveries = new Map<unknown, JournalEntry>();
  const intents = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === 'intent') intents.add(entryId(entry));
    else if (entry.kind === 'recovery') recoveries.set(entry.intent, entry);
    // The first outcome of a change counts: no run writes a second one.
    else if (entry.kind === 'outcome' && !outcomes.has(entry.intent)) outcomes.set(entry.intent, entry);
  }
  const changes = entries.flatMap((entry): readonly Change[] => {
    const id = entryId(entry);
    if (entry.kind === 'intent') {
      const change = joinEntries(id, entry, outcomes.get(id), underWay.has(id));
      const recovered = recoveries.get(id)?.detail;
      return [isMap(recovered) ? {...change, detail: {...change.detail, recovered}} : change];
    }
    if (entry.kind !== 'outcome' || intents.has(entry.intent ?? '')) return [];
    return [{...joinEntries(entry.intent ?? id, entry, entry, false), withoutIntent: true}];
  });
  // A change without a valid time stays after the previous one.
  let at = 0;
  const placed = changes.map((change) => {
    const time = Date.parse(change.time);
    at = Number.isNaN(time) ? at : time;
    return {change, at};
  });
  return placed.sort((a, b) => a.at - b.at).map(({change}) => change);
}

function joinEntries(id: string, intent: JournalEntry, outcome: JournalEntry | undefined, isUnderWay: boolean): Change {
  const action = textOf(intent.action);
  const {pid, identity, cluster, title, reason} = intent;
  const {error, detail} = outcome ?? {};
  return defined({
    id,
    time: textOf(intent.time),
    ended: outcome && textOf(outcome.time),
    user: textOf(intent.user),
    host: textOf(intent.host),
    pid: typeof pid === 'number' ? pid : undefined,
    identity: isMap(identity)
      ? defined({username: textOf(identity.username), uid: optionalText(identity.uid)})
      : undefined,
    command: textOf(intent.command),
    action,
    cluster: optionalText(cluster),
    title: optionalText(title) ?? action,
    reason: optionalText(reason),
    status: outcome
      ? (changeStatuses.find((one) => one === outcome.status) ?? 'unknown')
      : isUnderWay
        ? 'under-way'
        : 'open',
    error: isMap(error) ? {code: textOf(error.code), message: textOf(error.message)} : undefined,
    detail: isMap(detail) ? detail : undefined,
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return optionalText(value) ?? '';
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' || value === undefined ? value : JSON.stringify(value);
}

/** Selects changes. An empty or absent criterion selects all. */
export interface ChangeFilter {
  readonly clusters: readonly string[];
  /** Milliseconds since 1970, inclusive. */
  readonly since?: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly until?: number | undefined;
  /** The first words of a command: `trust` matches every `trust …`. */
  readonly commands: readonly string[];
  readonly statuses: readonly ChangeStatus[];
}

/** Returns the changes that match a filter. A change without a valid time matches every period, so that it is never hidden. */
export function selectChanges(changes: readonly Change[], filter: ChangeFilter): readonly Change[] {
  const {clusters, since, until, commands, statuses} = filter;
  return changes.filter(({time, cluster, command, status}) => {
    const at = Date.parse(time);
    return (
      (clusters.length === 0 || (cluster !== undefined && clusters.includes(cluster))) &&
      !(since !== undefined && at < since) &&
      !(until !== undefined && at >= until) &&
      (commands.length === 0 || commands.some((one) => `${command} `.startsWith(`${one} `))) &&
      (statuses.length === 0 || statuses.includes(status))
    );
  });
}
