/** What the commands that write keys and certificates have in common: git is asked first, a cluster is a lane and a row. */
import {type ErrorReport, reportError} from '../../domain/errors.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import {type ClusterState, judgeCluster, type RootState} from '../../domain/ca/workdir-state.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import type {Deps} from '../../engine/deps.js';
import {emptyPlan, type PhaseRun, type Plan, type Warning} from '../../engine/operation.js';
import {asWarnings} from '../../engine/plan.js';
import {type ClusterResult, clusterOutcomes, type CommonResult, generalPart} from '../../engine/report.js';
import type {CaFileReader} from '../../observe/ca-files.js';
import {askExposure, gitBlockers, type GitExposure, unknownToGit} from '../shared/exposed-keys.js';
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
    blockers: [...blockers, ...(writes ? gitBlockers(git) : [])],
    warnings: [...asWarnings(loaded.notes), ...warnings, ...(writes ? unknownToGit(git) : [])],
  };
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
  return {clusters: clusterOutcomes(names, run).map(row), ...generalPart(run)};
}
