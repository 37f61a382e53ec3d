/** What the commands that write keys and certificates have in common: git is asked first, a cluster is a lane and a row. */
import {formatDay} from '../../domain/format.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import {type ClusterState, judgeCluster, type RootState} from '../../domain/ca/workdir-state.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {layout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import type {SignerSpecOf} from '../../domain/mesh/signer.js';
import {advice, type Hint, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, emptyPlan, type PhaseRun, type Plan, type Warning} from '../../engine/operation.js';
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

/** The roots that the mesh trusts: its own, or those on which these stores agree; undefined where there are none. */
export function knownTrust(
  root: RootState,
  stores: readonly ClusterTrustStore[],
): {readonly store: TrustStore | undefined} | {readonly error: ErrorReport} {
  if (root.kind === 'conflict') return {error: root.error};
  if (root.kind === 'present') return {store: root};
  const split = splitTrust(stores);
  return split ? {error: reportError(split)} : {store: stores[0]};
}

/** Clusters, their files judged against the root. */
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

/** What is lost, to which a person must agree; `before`: the present CA, where it can be read. */
export function replacing(name: string, before: Certificate | undefined, what = 'the key and certificate'): string {
  const until = before ? ` (valid until ${formatDay(before.notAfter)})` : '';
  return `replace ${what} of the cluster CA in ${name}/${until}`;
}

/** What such a command answers. */
export interface CaRunResult<Row extends ClusterResult = ClusterResult> extends CommonResult {
  readonly clusters: readonly Row[];
  /** What kept the whole run from being done. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** The answer after a phase, with a row for each cluster. */
export function caRunResult<Cluster extends {readonly name: string}, Row extends ClusterResult>(
  run: PhaseRun<unknown>,
  clusters: readonly Cluster[],
  row: (result: ClusterResult, cluster: Cluster) => Row,
): CaRunResult<Row> {
  const rows = clusters.flatMap((one) => clusterOutcomes([one.name], run).map((result) => row(result, one)));
  return {clusters: rows, ...generalPart(run)};
}

/** What is decided for a cluster; nothing where all is as intended. */
export interface Decision<Kind extends Action> {
  readonly action?: Kind & {readonly cluster: string};
  /** Why it cannot be done. */
  readonly error?: ErrorReport;
  readonly warning?: string;
}

/** The blockers and warnings of decisions for clusters. */
export function saidOf(
  decisions: readonly (Decision<Action> & {readonly name: string})[],
): Pick<Plan, 'blockers' | 'warnings'> {
  return {
    blockers: decisions.flatMap(({name, error}) => (error ? [{cluster: name, error}] : [])),
    warnings: decisions.flatMap(({name, warning}) => asWarnings(warning === undefined ? [] : [warning], name)),
  };
}

const csr: SignerSpecOf<'csr'> = {type: 'csr'};

/**
 * The signer to run with: `csr`, recorded in mesh.yaml where that is silent. Throws `CONTRADICTION` where the mesh has another
 * signer: declared, or a root key in the work directory; and `MESH_YAML_INVALID`.
 */
export async function csrSigner({workspace}: Pick<Deps, 'workspace'>, command: string): Promise<SignerSpecOf<'csr'>> {
  const text = await workspace.readText(layout.meshYaml);
  const declared = text === undefined ? undefined : parseMeshFile(text).trust?.signer;
  if (declared?.type === 'csr') return csr;
  const contradiction = (why: string, ...hints: readonly Hint[]): MeshError =>
    new MeshError('CONTRADICTION', `${command} is for a CA elsewhere, ${why}`, {hints});
  if (declared) {
    throw contradiction(
      `${layout.meshYaml} declares another signer (trust.signer is ${declared.type})`,
      declared.type === 'external'
        ? 'nothing is to be requested: workload certificates come from elsewhere'
        : advice`${kubectlMesh('certs generate')} lets it sign`,
      `or change trust.signer in ${layout.meshYaml} to {type: csr}`,
    );
  }
  if ((await workspace.stat(layout.rootKey)) === undefined) return csr;
  throw contradiction(
    `and this mesh has its own root key (${layout.rootKey})`,
    advice`${kubectlMesh('certs generate')} signs with it`,
    `a mesh that changes to a CA elsewhere declares it in ${layout.meshYaml}: trust: {signer: {type: csr}}`,
  );
}
