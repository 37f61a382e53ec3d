/** What the commands that write keys and certificates have in common: git is asked first, a cluster is a lane and a row. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, reportError} from '../../domain/errors.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import {type ClusterState, judgeCluster, type RootState} from '../../domain/ca/workdir-state.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {
  type Conclusion,
  emptyPlan,
  type Group,
  type PhaseRun,
  type Plan,
  type Warning,
} from '../../engine/operation.js';
import {
  type ClusterResult,
  clusterOutcomes,
  concludeClusters,
  type CommonResult,
  generalErrors,
} from '../../engine/report.js';
import type {CaFileReader} from '../../observe/ca-files.js';
import {askExposure, type GitExposure, keyInGit, unknownToGit} from '../shared/exposed-keys.js';
import {declareGroups, ignoreKeys, type LoadedMesh, writesGitignore} from '../shared/load-mesh.js';
import {type ClusterTrustStore, splitTrust} from '../shared/mesh-roots.js';

/** The mesh of a run that may write private keys, and whether git would take them. */
export interface GuardedMesh {
  readonly loaded: LoadedMesh;
  /** The keys. */
  readonly guarded: readonly string[];
  readonly git: GitExposure;
}

/** Guards keys of the work directory. */
export async function guardKeys(deps: Deps, loaded: LoadedMesh, guarded: readonly string[]): Promise<GuardedMesh> {
  const willIgnore = writesGitignore(ignoreKeys(loaded, guarded));
  return {loaded, guarded, git: await askExposure(deps, deps.workspace, guarded, willIgnore)};
}

/**
 * Its plan: the mesh is declared first, with a .gitignore where there is none, and nothing is done where git would take the
 * keys. `writes`: whether they are written at all.
 */
export function guardedPlan({loaded, guarded, git}: GuardedMesh, own: Partial<Plan>, writes = true): Plan {
  const {groups, blockers, warnings} = {...emptyPlan, ...own};
  return {
    groups: [...declareGroups(writes ? ignoreKeys(loaded, guarded) : loaded), ...groups],
    blockers: [...blockers, ...(writes ? exposedKeys(git) : [])],
    warnings: [...notesOf(loaded), ...warnings, ...(writes ? unknownToGit(git) : [])],
  };
}

/** Why nothing is done where git would take keys. */
export function exposedKeys({exposed}: GitExposure): Plan['blockers'] {
  return exposed.length === 0 ? [] : [{error: reportError(keyInGit(exposed))}];
}

/** What reading the mesh found worth saying. */
export function notesOf({notes}: Pick<LoadedMesh, 'notes'>): readonly Warning[] {
  return notes.map((message) => ({message}));
}

/** A plan that does nothing, and why. */
export function refused(error: ErrorReport, cluster?: string): Plan {
  return {...emptyPlan, blockers: [defined({cluster, error})]};
}

/** What is known of the mesh's root. */
export interface MeshRoots {
  readonly root: RootState;
  /** root-cert.pem of every cluster folder, where the mesh has none. */
  readonly existingRoots: readonly ClusterTrustStore[];
  /** `--root` */
  readonly givenRoot?: TrustStore | undefined;
}

/** The roots that the mesh trusts: its own, or those on which these stores agree; no store where there are none. */
export function knownTrust(
  root: RootState,
  stores: readonly ClusterTrustStore[],
): {readonly store: TrustStore | undefined} | {readonly error: ErrorReport} {
  if (root.kind === 'conflict') return {error: root.error};
  if (root.kind === 'present') return {store: root};
  const split = splitTrust(stores);
  return split ? {error: reportError(split)} : {store: stores[0]};
}

/** Clusters as their files are judged beside the root. */
export async function judgeClusters(
  {mesh, clusters}: LoadedMesh,
  reader: CaFileReader,
  root: RootState,
  now: Date,
): Promise<readonly {readonly name: string; readonly state: ClusterState}[]> {
  const context = {declared: mesh.clusters.map(({name}) => name), names: meshNames(mesh), now};
  return Promise.all(
    clusters.map(async ({name}) => ({name, state: judgeCluster(name, await reader.cluster(name), root, context)})),
  );
}

/** A group in which each action is a lane; none without actions. */
export function groupOf(
  title: string,
  actions: readonly Action[],
  onFailure: Group['onFailure'] = 'stop',
): readonly Group[] {
  if (actions.length === 0) return [];
  const lanes = actions.map((action) => {
    const {cluster} = action;
    const said = cluster === undefined ? action.title : `${cluster}: ${action.title}`;
    return defined<Group['lanes'][number]>({key: cluster ?? title, cluster, title: said, actions: [action]});
  });
  return [{title, lanes, onFailure}];
}

/** The CA that a cluster has. */
export function caOf(state: ClusterState | undefined): Certificate | undefined {
  return state?.kind === 'valid' ? state.inspection.certificate : state?.kind === 'completable' ? state.ca : undefined;
}

/** What such a command answers. */
export interface CaRunResult<Row extends ClusterResult = ClusterResult> extends CommonResult {
  readonly clusters: readonly Row[];
  /** What kept the whole run from being done. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** The answer after a phase, with a row for each cluster. */
export function caRunResult<Row extends ClusterResult>(
  run: PhaseRun<unknown>,
  names: readonly string[],
  row: (result: ClusterResult) => Row,
): CaRunResult<Row> {
  return {
    clusters: clusterOutcomes(names, run).map(row),
    errors: generalErrors(run),
    warnings: run.plan.warnings,
  };
}

/** What it means for the exit code. */
export function concludeCaRun({clusters, errors}: CaRunResult): readonly Conclusion[] {
  return [...concludeClusters(clusters), ...errors.map(({code}) => code)];
}
