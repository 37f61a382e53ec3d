/**
 * The journal for people: one change where there is an intent and an outcome. What is in the file is shown whatever it
 * is: entries come from other copies, through git, and may be of any form.
 */
import {defined} from '../defined.js';
import {entryId, type JournalEntry, type JournalRecord} from './entry.js';

/** `open`: no outcome was recorded. `under-way`: not yet, since its run holds the lock. */
export const changeStatuses = ['done', 'failed', 'cancelled', 'unknown', 'open', 'under-way'] as const;
export type ChangeStatus = (typeof changeStatuses)[number];

/** What a change takes from its entries: `time` from the intent, `error` and `detail` from the outcome. */
type EntryFields = Pick<
  JournalRecord,
  'time' | 'user' | 'host' | 'identity' | 'command' | 'action' | 'cluster' | 'reason' | 'error' | 'detail'
> &
  Partial<Pick<JournalRecord, 'pid'>>;

/** One change: what was about to be done, and what became of it. */
export interface Change extends EntryFields {
  /** Of the intent: `CHAIN/SEQ`. */
  readonly id: string;
  /** When its outcome was recorded. */
  readonly ended?: string;
  /** The action in words; the action itself where the intent is gone. */
  readonly title: string;
  readonly status: ChangeStatus;
  /** Only an outcome is there: its intent was cut, or has not come here. */
  readonly withoutIntent?: true;
}

/**
 * Joins intents and outcomes, oldest first, whatever chain they are of; those of one moment stay in the order of the file.
 * `underWay`: ids of intents whose runs may still go on.
 */
export function changesOf(
  entries: readonly JournalEntry[],
  underWay: ReadonlySet<string> = new Set(),
): readonly Change[] {
  const outcomes = new Map<unknown, JournalEntry>();
  const intents = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === 'intent') intents.add(entryId(entry));
    // The first word on a change counts: a later one that contradicts it was not written by a run.
    else if (entry.kind === 'outcome' && !outcomes.has(entry.intent)) outcomes.set(entry.intent, entry);
  }
  const changes = entries.flatMap((entry): readonly Change[] => {
    const id = entryId(entry);
    if (entry.kind === 'intent') return [joinEntries(id, entry, outcomes.get(id), underWay.has(id))];
    if (entry.kind !== 'outcome' || intents.has(entry.intent ?? '')) return [];
    return [{...joinEntries(entry.intent ?? id, entry, entry, false), withoutIntent: true}];
  });
  // What has no time that can be read stays behind what stands before it.
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

/** Which changes are wanted; what is not said selects nothing out. */
export interface ChangeFilter {
  readonly clusters: readonly string[];
  /** Milliseconds since 1970; the first moment that counts, and the first that does not. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Whole words of a command from its start: `trust` is every `trust …`. */
  readonly commands: readonly string[];
  readonly statuses: readonly ChangeStatus[];
}

/** The changes that were asked for. One whose time cannot be read is in every span: it must not hide. */
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
