import {plural} from '../../domain/format.js';
import type {JournalFault} from '../../domain/journal/chain.js';
import {changesOf, selectChanges, type Change, type ChangeFilter} from '../../domain/journal/changes.js';
import {entryId} from '../../domain/journal/entry.js';
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {checkMeshFile} from '../../domain/mesh/parse.js';
import {nearest} from '../../domain/nearest.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import type {JournalState} from '../../workspace/workspace.js';

/** `journal show CLUSTER...` */
export type ShowRequest = ChangeFilter;

/** What `journal show` answers. */
export interface ShowResult {
  /** Oldest first. */
  readonly changes: readonly Change[];
  /** How many changes the journal has, wanted or not. */
  readonly total: number;
  /** What is wrong with the file: `journal verify` says more. */
  readonly faults: readonly JournalFault[];
  readonly warnings: readonly Warning[];
}

/** `journal show`: who did what, when. Takes no lock, asks no cluster. */
export const showJournal = onePhase<ShowRequest, ShowResult, JournalState>({
  command: 'journal show',
  changes: false,
  title: () => 'read the journal',
  async gather(deps, request) {
    const journal = await deps.workspace.journal.read();
    await refuseUnknown(deps, request, journal);
    return journal;
  },
  plan: (journal) => ({...emptyPlan, warnings: journalWarnings(journal)}),
  report({facts: {entries, faults, underWay}, plan: {warnings}}, request) {
    const changes = changesOf(entries, new Set(underWay.map(entryId)));
    return {changes: selectChanges(changes, request), total: changes.length, faults, warnings};
  },
  conclude: () => [],
});

/** More warnings say no more. */
const mostFaults = 10;

/** What a reader must know of the file, a line each. */
export function journalWarnings({faults, entries}: Pick<JournalState, 'faults' | 'entries'>): readonly Warning[] {
  const repairs = entries.filter(({kind}) => kind === 'repair').length;
  const lines = plural(repairs, 'line');
  const more = faults.length - mostFaults;
  return asWarnings([
    ...faults
      .slice(0, mostFaults)
      .map(({line, message}) => `${layout.journal}${line === 0 ? '' : `:${String(line)}`}: ${message}`),
    ...(more > 0 ? [`${layout.journal}: ${String(more)} more lines are not as they were written`] : []),
    ...(repairs > 0
      ? [`${layout.journal}: ${lines} that a crash had cut off cannot be shown: what they began to say is lost`]
      : []),
  ]);
}

/**
 * A typo must not look like a cluster that nobody changed. A cluster that mesh.yaml has no more may stand in the journal.
 */
async function refuseUnknown({workspace}: Deps, {clusters}: ShowRequest, {entries}: JournalState): Promise<void> {
  if (clusters.length === 0) return;
  const text = await workspace.readText(layout.meshYaml);
  const reading = text === undefined ? undefined : checkMeshFile(text);
  const declared = reading && 'value' in reading ? (reading.value.clusters ?? []).map(({name}) => name) : [];
  // Entries of other copies may be of any form.
  const changed = entries.map(({cluster}): unknown => cluster).filter((name) => typeof name === 'string');
  const known = [...declared, ...changed];
  const stranger = clusters.find((name) => !known.includes(name));
  if (stranger === undefined) return;
  const near = nearest(stranger, known);
  const hint = near === undefined ? advice`see all changes: ${kubectlMesh('journal show')}` : `did you mean ${near}?`;
  const message = `neither ${layout.meshYaml} nor ${layout.journal} names a cluster "${stranger}"`;
  throw new MeshError('UNKNOWN_CLUSTER', message, {hints: [hint]});
}
