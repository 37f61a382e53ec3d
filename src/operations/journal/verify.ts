import {defined} from '../../domain/defined.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {JournalFault} from '../../domain/journal/chain.js';
import {headComparer, type RecordedHead, compareHeads, type AnnotatedObject} from '../../domain/journal/head.js';
import {isKnown, observe, type Observed, valueOr} from '../../domain/observed.js';
import {cacertsName} from '../../domain/istio/names.js';
import type {Deps} from '../../engine/deps.js';
import {
  asWarnings,
  type Conclusion,
  emptyPlan,
  onePhase,
  type RunSettings,
  type Warning,
} from '../../engine/operation.js';
import {outcomeOfError, type ClusterResult, type CommonResult} from '../../engine/report.js';
import type {JournalState} from '../../workspace/workspace.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey, readCaSecret} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {rememberingObjects} from '../../observe/facts/journal-heads.js';
import {limitOn, type Limits} from '../../domain/facts/limits.js';

/** `journal verify CLUSTER...` */
export interface VerifyJournalRequest extends MeshRequest {
  /** `--offline`: look at the files only; `--no-secrets`: compare only what ConfigMaps remember. */
  readonly limits: Limits;
}

/** One chain of the journal: one for each copy of the work directory that has written. */
export interface ChainSummary {
  readonly chain: string;
  /** Whether this copy writes it. */
  readonly own: boolean;
  readonly entries: number;
  readonly newest: {readonly seq: number; readonly time: string; readonly user: string; readonly host: string};
}

/** One cluster: `done` means that it was asked. */
export interface RememberingCluster extends ClusterResult {
  readonly context?: string;
  /** What it remembers, compared with the journal; empty where it remembers nothing. */
  readonly heads: readonly RecordedHead[];
}

/** What `journal verify` answers. */
export interface VerifyJournalResult extends CommonResult {
  /** The worst of all; `unknown` where a cluster could not be asked or remembers what has not come here. */
  readonly verdict: 'ok' | 'warning' | 'error' | 'unknown';
  readonly journal: {
    readonly present: boolean;
    readonly entries: number;
    readonly chains: readonly ChainSummary[];
    readonly faults: readonly JournalFault[];
    /** Changes without an outcome whose runs have ended. */
    readonly open: number;
    /** Journals that were put aside and lie in the work directory still. */
    readonly aside: readonly {
      readonly file: string;
      readonly entries: number;
      readonly faults: readonly JournalFault[];
    }[];
  };
  /** Whether Secrets were compared: neither with `--offline` nor with `--no-secrets`. */
  readonly secrets: boolean;
  /** Empty with `--offline`. */
  readonly clusters: readonly RememberingCluster[];
  readonly warnings: readonly Warning[];
}

/** `journal verify`: whether the record of changes is whole, and what the clusters remember. */
export const verifyJournal = onePhase<VerifyJournalRequest, VerifyJournalResult, VerifyFacts>({
  command: 'journal verify',
  changes: false,
  title: ({limits}) => (limits.offline === true ? 'read the journal' : 'read the journal and look at the clusters'),
  gather,
  plan: ({notes}) => ({...emptyPlan, warnings: asWarnings(notes)}),
  report({facts: {state, clusters}, plan: {warnings}}, {limits}) {
    const underWay = new Set(state.underWay);
    const journal = {
      present: state.present,
      entries: state.entries.length,
      chains: chainsOf(state),
      faults: state.faults,
      open: state.open.filter((entry) => !underWay.has(entry)).length,
      aside: state.archived.map(({file, entries, faults}) => ({file, entries: entries.length, faults})),
    };
    const secrets = limitOn('cacerts', limits) === undefined;
    return {verdict: verdictOf(journal, clusters), journal, secrets, clusters, warnings};
  },
  conclude: ({journal, clusters}) => [
    ...(hasFindings(journal) ? (['findings'] as const) : []),
    ...clusters.flatMap(({error, heads}): readonly Conclusion[] => [
      ...(error ? [error.code] : []),
      ...heads.map(({result}) => meaning[result]),
    ]),
  ],
});

interface VerifyFacts {
  readonly state: JournalState;
  readonly notes: readonly string[];
  readonly clusters: readonly RememberingCluster[];
}

async function gather(deps: Deps, request: VerifyJournalRequest, {concurrency}: RunSettings): Promise<VerifyFacts> {
  const {limits} = request;
  if (limits.offline === true) return {state: await deps.workspace.journal.read(), notes: [], clusters: []};
  const loaded = await loadMesh(deps, request);
  const asked = await eachCluster(loaded.clusters, concurrency, (cluster) => ask(deps, loaded, cluster, limits));
  // Read last: what a push of this moment leaves in a cluster is in the journal by then.
  const state = await deps.workspace.journal.read();
  const isLeftOut = limitOn('cacerts', limits) !== undefined;
  const notes = [...loaded.notes, ...(isLeftOut ? [secretsLeftOut] : [])];
  return {state, notes, clusters: compare(loaded, asked, state)};
}

const secretsLeftOut = `--no-secrets: what Secret ${cacertsName} remembers, the last trust push, was not compared`;

interface Looked {
  readonly cluster: MeshCluster;
  readonly seen: Observed<{readonly uid: string; readonly objects: readonly AnnotatedObject[]}>;
}

async function ask(deps: Deps, {mesh}: LoadedMesh, cluster: MeshCluster, limits: Limits): Promise<Looked> {
  const seen = await observe(async () => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace, limits});
    await reader.open();
    const [uid, cacerts, configMaps] = await Promise.all([
      readClusterUid(reader),
      reader.allows('cacerts')
        ? readCaSecret(reader, 'cacerts', inspectWithoutKey(mesh, deps.now()))
        : ('absent' as const),
      reader.read('configMapNotes'),
    ]);
    return {uid, objects: rememberingObjects(mesh.istio.namespace, cacerts, configMaps)};
  });
  return {cluster, seen};
}

function compare({mesh}: LoadedMesh, asked: readonly Looked[], state: JournalState): readonly RememberingCluster[] {
  const comparer = headComparer(state);
  const uids = asked.map(({cluster: {name}, seen}) => ({name, uid: valueOr(seen, undefined)?.uid}));
  const strangers = uidMismatches(mesh, uids);
  return asked.map(({cluster: {name, context}, seen}): RememberingCluster => {
    const stranger = strangers.get(name);
    const objects: Looked['seen'] = stranger ? {unknown: stranger} : seen;
    if (isKnown(objects)) {
      return defined({name, context, outcome: 'done', heads: compareHeads(objects.value.objects, comparer)});
    }
    return defined({name, context, outcome: outcomeOfError(objects.unknown), error: objects.unknown, heads: []});
  });
}

function chainsOf({entries, heads, own}: JournalState): readonly ChainSummary[] {
  return [...heads.values()].map(({chain}): ChainSummary => {
    const ours = entries.filter((entry) => entry.chain === chain);
    const {seq = 0, time = '', user = '', host = ''} = ours.at(-1) ?? {};
    return {chain, own: chain === own, entries: ours.length, newest: {seq, time, user, host}};
  });
}

/** Nobody completes a truncated line of a file that was put aside: each of its faults is a finding. */
function hasFindings({faults, aside}: VerifyJournalResult['journal']): boolean {
  // A line that was cut off is closed by the next change; everything else was done by somebody.
  return faults.some(({kind}) => kind !== 'torn') || aside.some((one) => one.faults.length > 0);
}

/** What a head that a cluster remembers means: unknown is never healthy, as the entry may be in a copy that is not here. */
const meaning: Readonly<Record<RecordedHead['result'], 'done' | 'NOT_FOUND' | 'findings'>> = {
  agrees: 'done',
  'not-known-here': 'NOT_FOUND',
  rewritten: 'findings',
  cut: 'findings',
  'put-aside': 'findings',
  unreadable: 'findings',
};

function verdictOf(
  journal: VerifyJournalResult['journal'],
  clusters: readonly RememberingCluster[],
): VerifyJournalResult['verdict'] {
  const results = new Set(clusters.flatMap(({heads}) => heads.map(({result}) => meaning[result])));
  if (hasFindings(journal) || results.has('findings')) return 'error';
  if (clusters.some(({error}) => error) || results.has('NOT_FOUND')) return 'unknown';
  return journal.faults.length > 0 || journal.open > 0 ? 'warning' : 'ok';
}
