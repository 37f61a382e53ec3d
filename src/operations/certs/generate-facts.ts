/** What `certs generate` decides from: the work directory, what its signer amounts to, what git would take. */
import {defined} from '../../domain/defined.js';
import {asMeshError, type ErrorReport, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type Mesh, type MeshCluster, meshNames} from '../../domain/mesh/mesh.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {madeElsewhere, type SignerSpec} from '../../domain/mesh/signer.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {
  type ClusterState,
  judgeCluster,
  judgeRoot,
  type RootFiles,
  type RootState,
} from '../../domain/ca/workdir-state.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Deps} from '../../engine/deps.js';
import type {Group} from '../../engine/operation.js';
import type {SignerState} from '../../signers/signer-module.js';
import {askExposure, type GitExposure} from '../shared/exposed-keys.js';
import {declareGroups, ignoreKeys, type LoadedMesh, loadMesh, writesGitignore} from '../shared/load-mesh.js';
import {type ClusterTrustStore, findRoots, readGivenRoot} from '../shared/mesh-roots.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import {createCaFileReader} from '../../observe/ca-files.js';
import {type TakeOver, takeOver} from '../shared/take-over.js';

/** What `certs generate` is asked for. */
export interface GenerateRequest {
  readonly clusters: readonly string[];
  readonly keyAlgorithm?: KeyAlgorithm | undefined;
  /** Replace cluster CAs that are there, under the same root. */
  readonly renew: boolean;
  /** `--no-passphrase`: a new root key is written in the clear. */
  readonly clear: boolean;
  readonly signer?: DeclaredSigner | undefined;
  /** `--root-dir`: where root-key.pem is kept. */
  readonly rootDirectory?: string | undefined;
  /** `--root`: a file with the mesh's root, for a signer that does not send it. */
  readonly rootFile?: string | undefined;
}

/** One cluster as it was found. */
export interface ClusterFacts {
  readonly cluster: MeshCluster;
  readonly state: ClusterState;
}

/** What the signer amounts to; `idle`: nothing is to be signed, so it was not asked. */
export type SignerFacts =
  SignerState | {readonly kind: 'idle'} | {readonly kind: 'unavailable'; readonly error: ErrorReport};

/** What the plan is made from. */
export interface GenerateFacts {
  readonly mesh: Mesh;
  /** Replace the cluster CAs that are there. */
  readonly renew: boolean;
  /** `--no-passphrase`. */
  readonly clear: boolean;
  /** A passphrase can be had: a source was named, or there is a terminal. */
  readonly passphraseAvailable: boolean;
  readonly root: RootState;
  /** Where the mesh's root was found that is not in the work directory yet. */
  readonly rootFrom: string | undefined;
  readonly signer: SignerFacts;
  /** `--root` */
  readonly givenRoot?: TrustStore;
  /** The clusters this run is about. */
  readonly clusters: readonly ClusterFacts[];
  /** root-cert.pem of every cluster folder, asked about or not: what a missing root must not be replaced behind. */
  readonly existingRoots: readonly ClusterTrustStore[];
  /** Whether git would take the keys of this run. */
  readonly exposure: GitExposure;
  readonly now: Date;
  /** What records the mesh where mesh.yaml is silent; goes first. */
  readonly declare: readonly Group[];
  /** What is taken over from a directory that Istio's Makefile made. */
  readonly taken: Pick<TakeOver, 'files' | 'notes' | 'warnings'>;
  /** What reading the mesh found worth saying. */
  readonly notes: readonly string[];
}

/** What `certs generate` looks at. The signer is surveyed only where it shall sign. */
export async function gatherGenerate(deps: Deps, request: GenerateRequest): Promise<GenerateFacts> {
  const {workspace} = deps;
  const now = deps.now();
  const {clusters: names, keyAlgorithm, signer: said, rootDirectory} = request;
  const loaded = await loadMesh(deps, {clusters: names, keyAlgorithm, signer: said, rootDirectory});
  const {signer: spec} = loaded.mesh.trust;
  const taken = await takeOver(deps);
  const reader = createCaFileReader(workspace, taken.files);
  const files = await reader.root();
  // A key in a file is looked at in any case: its protection is worth a word. Others are asked only when they shall sign.
  const local = spec.type === 'local' ? await survey(deps, spec) : undefined;
  const given =
    request.rootFile === undefined ? undefined : await readGivenRoot(deps, request.rootFile, knownRoot(files));
  const root = judgeRoot(rootFiles(files, local, given));
  const declared = loaded.mesh.clusters.map(({name}) => name);
  const context = {declared, names: meshNames(loaded.mesh), now};
  const clusters = await Promise.all(
    loaded.clusters.map(async (cluster): Promise<ClusterFacts> => {
      const files = await reader.cluster(cluster.name);
      return {cluster, state: judgeCluster(cluster.name, files, root, context)};
    }),
  );
  const keys = keysToWrite(root, spec, clusters, request.renew, taken.files);
  const guarded = ignoreKeys(loaded, keys);
  const signs =
    request.renew || (madeElsewhere(spec) === undefined && clusters.some(({state}) => state.kind === 'absent'));
  return defined({
    mesh: loaded.mesh,
    rootFrom: files.certificate === undefined && root.kind === 'present' ? rootOrigin(local, given) : undefined,
    signer: local ?? (signs ? await survey(deps, spec) : {kind: 'idle'}),
    givenRoot: given,
    renew: request.renew,
    clear: request.clear,
    passphraseAvailable: deps.passphrases.available,
    root,
    clusters,
    existingRoots: root.kind === 'absent' ? await findRoots(deps) : [],
    exposure: await askGit(deps, guarded, keys, root),
    now,
    declare: declareGroups(guarded),
    taken,
    notes: loaded.notes,
  });
}

/** What the signer amounts to; what kept it from being asked is a fact, too. */
async function survey(deps: Deps, spec: SignerSpec): Promise<SignerFacts> {
  try {
    return await deps.signers.survey(spec);
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug' || deps.signal.aborted) throw thrown;
    return {kind: 'unavailable', error: reportError(error)};
  }
}

/** The mesh's root by root-cert.pem alone: what `--root` may not contradict. */
function knownRoot({certificate}: Pick<RootFiles, 'certificate'>): RootState {
  return judgeRoot({certificate, key: undefined});
}

/** Where root-cert.pem is taken from when the work directory has none yet, in the order of {@link rootFiles}. */
function rootOrigin(local: SignerFacts | undefined, given: TrustStore | undefined): string {
  if (local?.kind === 'key-file' && local.certificate !== undefined) return 'the directory of the root key';
  return given ? '--root' : 'the certificate that trust.signer names';
}

/** The root's files with what a local signer knows of them. */
function rootFiles(
  {certificate, key}: Pick<RootFiles, 'certificate' | 'key'>,
  local: SignerFacts | undefined,
  given: TrustStore | undefined,
): RootFiles {
  // Without a local signer a root-key.pem that lies here signs nothing.
  if (local?.kind !== 'key-file') return {certificate, key: undefined};
  const {keyPath, certificates} = local;
  // What a Makefile left under another name is copied by this run, and is the key from then on.
  return {
    certificate:
      certificate ?? local.certificate ?? given?.text ?? certificates.find(({selfSigned}) => selfSigned)?.pem,
    key: local.key ?? (keyPath === layout.rootKey ? key : undefined),
    keyPath,
    certificates,
  };
}

function keysToWrite(
  root: RootState,
  signer: SignerSpec,
  clusters: readonly ClusterFacts[],
  renew: boolean,
  taken: readonly FileContent[],
): readonly string[] {
  // Where keys are made elsewhere nothing is written here, and nothing needs a .gitignore.
  const issued = (madeElsewhere(signer) === undefined ? clusters : []).filter(
    ({state}: {state: ClusterState}) => state.kind === 'absent' || renew,
  );
  return [
    ...(root.kind === 'absent' && signer.type === 'local' && signer.directory === undefined ? [layout.rootKey] : []),
    ...issued.map(({cluster}) => clusterLayout(cluster.name).caKey),
    ...taken.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
  ];
}

/** Whether git would take the keys of this run, in the work directory and where a new root key is kept. */
async function askGit(deps: Deps, loaded: LoadedMesh, keys: readonly string[], root: RootState): Promise<GitExposure> {
  const {workspace} = deps;
  const {signer} = loaded.mesh.trust;
  const store = deps.rootStore(signer);
  const willIgnore = writesGitignore(loaded);
  const here = await askExposure(deps, workspace, keys, willIgnore);
  if (root.kind !== 'absent' || signer.type !== 'local' || store === workspace) return here;
  const inside = store.root.startsWith(`${workspace.root}/`);
  const there = await askExposure(deps, store, [layout.rootKey], inside && willIgnore);
  return {
    exposed: [...there.exposed.map((key) => `${store.root}/${key}`), ...here.exposed],
    unknown: here.unknown ?? there.unknown,
  };
}
