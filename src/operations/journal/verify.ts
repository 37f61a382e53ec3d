import {codeOfFailedRead} from '../../domain/errors.js';
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
import {readJournalEvidence} from '../../engine/journal-warning.js';
import {outcomeOfFailedRead, type ClusterResult, type CommonResult} from '../../engine/report.js';
import type {JournalState} from '../../workspace/workspace.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';
import {inspectWithoutKey, readCaSecret} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readClusterUid} from '../../observe/identity.js';
import {objectsWithHeads} from '../../observe/facts/journal-heads.js';
import {limitOn, type Limits} from '../../domain/facts/limits.js';

/** `journal verify CLUSTER...` */
export interface VerifyJournalRequest extends MeshRequest {
  /** `--offline`: read the files only; `--no-secrets`: compare only heads recorded in ConfigMaps. */
  readonly limits: Limits;
}

/** One hash chain of the journal: one for each copy of the work directory that wrote to it. */
export interface ChainSummary {
  readonly chain: string;
  /** Whether this copy of the work directory writes it. */
  readonly own: boolean;
  readonly entries: number;
  readonly newest: {readonly seq: number; readonly time: string; readonly user: string; readonly host: string};
}

/** One cluster: `done` means that it was read. */
export interface VerifiedCluster extends ClusterResult {
  readonly context?: string;
  /** The journal heads recorded in the cluster, compared with the journal; empty if none is recorded. */
  readonly heads: readonly RecordedHead[];
}

/** The result of `journal verify`. */
export interface VerifyJournalResult extends CommonResult {
  /**
   * The worst result; `unknown` if a cluster could not be read, or recorded an entry that is not in this copy, and if the
   * journal was deleted.
   */
  readonly verdict: 'ok' | 'warning' | 'error' | 'unknown';
  readonly journal: {
    readonly present: boolean;
    /** Without a file: the evidence that there was one. */
    readonly evidence?: string;
    readonly entries: number;
    readonly chains: readonly ChainSummary[];
    readonly faults: readonly JournalFault[];
    /** Changes without a recorded outcome whose runs are over. */
    readonly open: number;
    /** Journals that were set aside and are still in the work directory. */
    readonly aside: readonly {
      readonly file: string;
      readonly entries: number;
      readonly faults: readonly JournalFault[];
    }[];
  };
  /** Whether Secrets were compared; false with `--offline` and with `--no-secrets`. */
  readonly secrets: boolean;
  /** Empty with `--offline`. */
  readonly clusters: readonly VerifiedCluster[];
  readonly warnings: readonly Warning[];
}

/** `journal verify`: checks that the journal is intact and matches the heads recorded in the clusters. */
export const verifyJournal = onePhase<VerifyJournalRequest, VerifyJournalResult, VerifyJournalFacts>({
  command: 'journal verify',
  changes: false,
  title: ({limits}) => (limits.offline === true ? 'read the journal' : 'read the journal and the clusters'),
  gather,
  plan: ({notes}) => ({...emptyPlan, warnings: asWarnings(notes)}),
  report({facts: {state, evidence, clusters}, plan: {warnings}}, {limits}) {
    const inProgress = new Set(state.inProgress);
    const journal = defined<VerifyJournalResult['journal']>({
      present: state.present,
      evidence,
      entries: state.entries.length,
      chains: chainsOf(state),
      faults: state.faults,
      open: state.open.filter((entry) => !inProgress.has(entry)).length,
      aside: state.archived.map(({file, entries, faults}) => ({file, entries: entries.length, faults})),
    });
    const secrets = limitOn('cacerts', limits) === undefined;
    return {verdict: verdictOf(journal, clusters), journal, secrets, clusters, warnings};
  },
  conclude: ({journal, clusters}) => [
    ...(hasFindings(journal) ? (['findings'] as const) : []),
    ...(journal.evidence === undefined ? [] : (['NOT_FOUND'] as const)),
    ...clusters.flatMap(({error, heads}): readonly Conclusion[] => [
      ...(error ? [codeOfFailedRead(error.code)] : []),
      ...heads.map(({result}) => conclusionOf[result]),
    ]),
  ],
});

interface VerifyJournalFacts {
  readonly state: JournalState;
  readonly evidence?: string | undefined;
  readonly notes: readonly string[];
  readonly clusters: readonly VerifiedCluster[];
}

async function gather(
  deps: Deps,
  request: VerifyJournalRequest,
  {concurrency}: RunSettings,
): Promise<VerifyJournalFacts> {
  const {limits} = request;
  if (limits.offline === true) return {...(await readJournalState(deps)), notes: [], clusters: []};
  const loaded = await loadMesh(deps, request);
  const heads = await eachCluster(loaded.clusters, concurrency, (cluster) => readHeads(deps, loaded, cluster, limits));
  // Read last: the journal then contains the entry of any push that was running meanwhile.
  const {state, evidence} = await readJournalState(deps);
  const omitsSecrets = limitOn('cacerts', limits) !== undefined;
  const notes = [...loaded.notes, ...(omitsSecrets ? [secretsNotCompared] : [])];
  return {state, evidence, notes, clusters: compare(loaded, heads, state)};
}

async function readJournalState(deps: Deps): Promise<Pick<VerifyJournalFacts, 'state' | 'evidence'>> {
  const state = await deps.workspace.journal.read();
  // A journal that was set aside is reported itself.
  const isExplained = state.present || state.faults.length > 0 || state.archived.length > 0;
  return {state, evidence: isExplained ? undefined : await readJournalEvidence(deps.workspace)};
}

const secretsNotCompared = `--no-secrets: the head recorded in Secret ${cacertsName} (the last trust push) was not compared`;

interface ObservedHeads {
  readonly cluster: MeshCluster;
  readonly observed: Observed<{readonly uid: string; readonly objects: readonly AnnotatedObject[]}>;
}

async function readHeads(deps: Deps, {mesh}: LoadedMesh, cluster: MeshCluster, limits: Limits): Promise<ObservedHeads> {
  const observed = await observe(async () => {
    const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace, limits});
    await reader.open();
    const [uid, cacerts, configMaps] = await Promise.all([
      readClusterUid(reader),
      reader.allows('cacerts')
        ? readCaSecret(reader, 'cacerts', inspectWithoutKey(mesh, deps.now()))
        : ('absent' as const),
      reader.read('configMapMetadata'),
    ]);
    return {uid, objects: objectsWithHeads(mesh.istio.namespace, cacerts, configMaps)};
  });
  return {cluster, observed};
}

function compare({mesh}: LoadedMesh, all: readonly ObservedHeads[], state: JournalState): readonly VerifiedCluster[] {
  const comparer = headComparer(state);
  const uids = all.map(({cluster: {name}, observed}) => ({name, uid: valueOr(observed, undefined)?.uid}));
  const mismatches = uidMismatches(mesh, uids);
  return all.map(({cluster: {name, context}, observed}): VerifiedCluster => {
    const mismatch = mismatches.get(name);
    const objects: ObservedHeads['observed'] = mismatch ? {unknown: mismatch} : observed;
    if (isKnown(objects)) {
      return defined({name, context, outcome: 'done', heads: compareHeads(objects.value.objects, comparer)});
    }
    return defined({name, context, outcome: outcomeOfFailedRead(objects.unknown), error: objects.unknown, heads: []});
  });
}

function chainsOf({entries, heads, own}: JournalState): readonly ChainSummary[] {
  return [...heads.values()].map(({chain}): ChainSummary => {
    const chained = entries.filter((entry) => entry.chain === chain);
    const {seq = 0, time = '', user = '', host = ''} = chained.at(-1) ?? {};
    return {chain, own: chain === own, entries: chained.length, newest: {seq, time, user, host}};
  });
}

/** A truncated line in a journal that was set aside is never completed: there, every fault is a finding. */
function hasFindings({faults, aside}: VerifyJournalResult['journal']): boolean {
  // The next change closes a truncated last line; any other fault means that the file was edited.
  return faults.some(({kind}) => kind !== 'torn') || aside.some((one) => one.faults.length > 0);
}

/** The conclusion for each recorded head. An unknown entry is not ok: it may be in a copy that is not at hand. */
const conclusionOf: Readonly<Record<RecordedHead['result'], 'done' | 'NOT_FOUND' | 'findings'>> = {
  agrees: 'done',
  'not-known-here': 'NOT_FOUND',
  rewritten: 'findings',
  cut: 'findings',
  'put-aside': 'findings',
  unreadable: 'findings',
};

function verdictOf(
  journal: VerifyJournalResult['journal'],
  clusters: readonly VerifiedCluster[],
): VerifyJournalResult['verdict'] {
  const results = new Set(clusters.flatMap(({heads}) => heads.map(({result}) => conclusionOf[result])));
  if (hasFindings(journal) || results.has('findings')) return 'error';
  if (clusters.some(({error}) => error) || results.has('NOT_FOUND') || journal.evidence !== undefined) return 'unknown';
  return journal.faults.length > 0 || journal.open > 0 ? 'warning' : 'ok';
}
