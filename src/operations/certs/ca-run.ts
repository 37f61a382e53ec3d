/** Shared by the commands that write keys and certificates: git checks, and a lane and a result for each cluster. */
import {formatDay} from '../../domain/format.js';
import {type ErrorReport, MeshError, reportError} from '../../domain/errors.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import type {ClusterState, RootState} from '../../domain/ca/workdir-state.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {layout} from '../../domain/mesh/layout.js';
import {parseMeshFile} from '../../domain/mesh/parse.js';
import type {SignerSpecOf} from '../../domain/mesh/signer.js';
import {advice, type Hint, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {Action} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import {asWarnings, emptyPlan, type PhaseRun, type Plan, type Warning} from '../../engine/operation.js';
import {type ClusterResult, clusterOutcomes, type CommonResult, generalPart} from '../../engine/report.js';
import {checkGitExposure, gitBlockers, type GitExposure, gitWarnings} from '../shared/exposed-keys.js';
import {declareGroups, ignoreKeys, type LoadedMesh, writesGitignore} from '../shared/load-mesh.js';
import type {ClusterTrustStore} from '../../observe/root-files.js';
import {conflictingRootsError} from '../shared/mesh-roots.js';

/** The mesh of a run that may write private keys, and whether git would commit them. */
export interface GuardedMesh {
  readonly loaded: LoadedMesh;
  /** The paths of the keys. */
  readonly guarded: readonly string[];
  readonly git: GitExposure;
}

/** Checks whether git would commit these keys of the work directory. */
export async function guardKeys(deps: Deps, loaded: LoadedMesh, guarded: readonly string[]): Promise<GuardedMesh> {
  const willIgnore = writesGitignore(ignoreKeys(loaded, guarded));
  return {loaded, guarded, git: await checkGitExposure(deps, deps.workspace, guarded, willIgnore)};
}

/**
 * The plan of such a run: declares the mesh first, with a .gitignore if there is none, and is blocked if git
 * would commit the keys. `writes`: whether the plan writes any key.
 */
export function guardedPlan({loaded, guarded, git}: GuardedMesh, own: Partial<Plan>, writes = true): Plan {
  const {groups, blockers, warnings} = {...emptyPlan, ...own};
  return {
    groups: [...declareGroups(writes ? ignoreKeys(loaded, guarded) : loaded), ...groups],
    blockers: [...blockers, ...(writes ? gitBlockers(git) : [])],
    warnings: [...asWarnings(loaded.notes), ...warnings, ...(writes ? gitWarnings(git) : [])],
  };
}

/** What is known about the mesh's root. */
export interface MeshRoots {
  readonly root: RootState;
  /** root-cert.pem of all cluster directories, read if the mesh has none. */
  readonly existingRoots: readonly ClusterTrustStore[];
  /** `--root` */
  readonly givenRoot?: TrustStore | undefined;
}

/** The roots that the mesh trusts: those of root-cert.pem, or else the ones of all stores; undefined without any. */
export function meshTrustStore(
  root: RootState,
  stores: readonly ClusterTrustStore[],
): {readonly store: TrustStore | undefined} | {readonly error: ErrorReport} {
  if (root.kind === 'conflict') return {error: root.error};
  if (root.kind === 'present') return {store: root};
  const conflict = conflictingRootsError(stores);
  return conflict ? {error: reportError(conflict)} : {store: stores[0]};
}

/** The current CA of a cluster. */
export function caOf(state: ClusterState | undefined): Certificate | undefined {
  return state?.kind === 'valid' ? state.inspection.certificate : state?.kind === 'completable' ? state.ca : undefined;
}

/** The confirmation text. `before`: the current CA, if it can be read. */
export function replaceText(name: string, before: Certificate | undefined, what = 'the key and certificate'): string {
  const until = before ? ` (valid until ${formatDay(before.notAfter)})` : '';
  return `replace ${what} of the cluster CA in ${name}/${until}`;
}

/** The result of such a command. */
export interface CaRunResult<Row extends ClusterResult = ClusterResult> extends CommonResult {
  readonly clusters: readonly Row[];
  /** Errors that stopped the whole run. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** The result after a phase, with a row for each cluster. */
export function caRunResult<Cluster extends {readonly name: string}, Row extends ClusterResult>(
  run: PhaseRun<unknown>,
  clusters: readonly Cluster[],
  row: (result: ClusterResult, cluster: Cluster) => Row,
): CaRunResult<Row> {
  const rows = clusters.flatMap((one) => clusterOutcomes([one.name], run).map((result) => row(result, one)));
  return {clusters: rows, ...generalPart(run)};
}

/** The decision for a cluster; empty if nothing has to change. */
export interface Decision<Kind extends Action> {
  readonly action?: Kind & {readonly cluster: string};
  /** Why it cannot be done. */
  readonly error?: ErrorReport;
  readonly warning?: string;
}

/** The blockers and warnings of these decisions. */
export function noticesOf(
  decisions: readonly (Decision<Action> & {readonly name: string})[],
): Pick<Plan, 'blockers' | 'warnings'> {
  return {
    blockers: decisions.flatMap(({name, error}) => (error ? [{cluster: name, error}] : [])),
    warnings: decisions.flatMap(({name, warning}) => asWarnings(warning === undefined ? [] : [warning], name)),
  };
}

const csr: SignerSpecOf<'csr'> = {type: 'csr'};

/**
 * The signer `csr`, for a command that requires it; it is recorded in mesh.yaml if no signer is declared. Throws
 * `MESH_YAML_INVALID`, and `CONTRADICTION` where another signer is declared or the work directory has a root key.
 */
export async function csrSigner({workspace}: Pick<Deps, 'workspace'>, command: string): Promise<SignerSpecOf<'csr'>> {
  const text = await workspace.readText(layout.meshYaml);
  const declared = text === undefined ? undefined : parseMeshFile(text).trust?.signer;
  if (declared?.type === 'csr') return csr;
  const contradiction = (why: string, ...hints: readonly Hint[]): MeshError =>
    new MeshError('CONTRADICTION', `${command} requires trust.signer csr, ${why}`, {hints});
  if (declared) {
    throw contradiction(
      `but ${layout.meshYaml} declares ${declared.type}`,
      declared.type === 'external'
        ? 'no request is needed: an external issuer signs the workload certificates'
        : advice`to sign with it: ${kubectlMesh('certs generate')}`,
      `or change trust.signer in ${layout.meshYaml} to {type: csr}`,
    );
  }
  if ((await workspace.stat(layout.rootKey)) === undefined) return csr;
  throw contradiction(
    `but this mesh has a root key (${layout.rootKey})`,
    advice`to sign with that key: ${kubectlMesh('certs generate')}`,
    `to change to an external CA, declare it in ${layout.meshYaml}: trust: {signer: {type: csr}}`,
  );
}
