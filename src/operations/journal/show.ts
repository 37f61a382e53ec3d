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

/** The result of `journal show`. */
export interface ShowResult {
  /** Oldest first. */
  readonly changes: readonly Change[];
  /** The number of changes in the journal, before filtering. */
  readonly total: number;
  /** Damage to the file; `journal verify` has the details. */
  readonly faults: readonly JournalFault[];
  readonly warnings: readonly Warning[];
}

/** `journal show`: who changed what, when. Takes no lock and reads no cluster. */
export const showJournal = onePhase<ShowRequest, ShowResult, JournalState>({
  command: 'journal show',
  changes: false,
  title: () => 'read the journal',
  async gather(deps, request) {
    const journal = await deps.workspace.journal.read();
    await checkClusterNames(deps, request, journal);
    return journal;
  },
  plan: (journal) => ({...emptyPlan, warnings: journalWarnings(journal)}),
  report({facts: {entries, faults, inProgress}, plan: {warnings}}, request) {
    const changes = changesOf(entries, new Set(inProgress.map(entryId)));
    return {changes: selectChanges(changes, request), total: changes.length, faults, warnings};
  },
  conclude: () => [],
});

/** The most faults that are listed one by one. */
const maxFaults = 10;

/** Warnings about the state of the file, one line each. */
export function journalWarnings({faults, entries}: Pick<JournalState, 'faults' | 'entries'>): readonly Warning[] {
  const repairs = entries.filter(({kind}) => kind === 'repair').length;
  const lines = plural(repairs, 'line');
  const more = faults.length - maxFaults;
  return asWarnings([
    ...faults
      .slice(0, maxFaults)
      .map(({line, message}) => `${layout.journal}${line === 0 ? '' : `:${String(line)}`}: ${message}`),
    ...(more > 0 ? [`${layout.journal}: ${String(more)} more lines are damaged`] : []),
    ...(repairs > 0 ? [`${layout.journal}: ${lines} truncated by a crash cannot be shown: the content is lost`] : []),
  ]);
}

/** Rejects misspelled names; clusters that were removed from mesh.yaml are still known from the journal. */
async function checkClusterNames({workspace}: Deps, {clusters}: ShowRequest, {entries}: JournalState): Promise<void> {
  if (clusters.length === 0) return;
  const text = await workspace.readText(layout.meshYaml);
  const reading = text === undefined ? undefined : checkMeshFile(text);
  const declared = reading && 'value' in reading ? (reading.value.clusters ?? []).map(({name}) => name) : [];
  // Entries of other copies of the work directory are not validated.
  const journaled = entries.map(({cluster}): unknown => cluster).filter((name) => typeof name === 'string');
  const known = [...declared, ...journaled];
  const unknown = clusters.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  const hint = near === undefined ? advice`list all changes: ${kubectlMesh('journal show')}` : `did you mean ${near}?`;
  const message = `cluster "${unknown}" is neither in ${layout.meshYaml} nor in ${layout.journal}`;
  throw new MeshError('UNKNOWN_CLUSTER', message, {hints: [hint]});
}
