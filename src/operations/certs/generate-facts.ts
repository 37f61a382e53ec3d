/** The facts of `certs generate`: the work directory, the state of the signer, and the keys that git would commit. */
import {defined} from '../../domain/defined.js';
import type {ErrorReport} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {externalCaReason, type SignerSpec} from '../../domain/mesh/signer.js';
import {type ClusterState, rootStateOf, type RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';
import type {SignerState} from '../../signers/signer-module.js';
import {checkGitExposure} from '../shared/exposed-keys.js';
import {ignoreKeys, type LoadedMesh, loadMesh, type MeshRequest, writesGitignore} from '../shared/load-mesh.js';
import {judgeClusters} from '../shared/judge-clusters.js';
import {readRootFile} from '../shared/mesh-roots.js';
import {attempt} from '../../observe/cluster-reader.js';
import {createCaFileReader} from '../../observe/ca-files.js';
import {findClusterRoots, rootFiles} from '../../observe/root-files.js';
import {type MakefileImport, importMakefileDirectory} from '../shared/import-makefile.js';
import {type GuardedMesh, guardKeys, type MeshRoots} from './ca-run.js';

/** The request of `certs generate`. */
export interface GenerateRequest extends MeshRequest {
  /** Replace existing cluster CAs, under the same root. */
  readonly renew: boolean;
  /** `--no-passphrase`: write a new root key unencrypted. */
  readonly unencrypted: boolean;
  /** `--root`: a file with the mesh's root, for a signer that does not return it. */
  readonly rootFile?: string | undefined;
}

/** The current state of one cluster. */
export interface GenerateClusterFacts {
  readonly name: string;
  readonly state: ClusterState;
}

/** The state of the signer; `idle`: not checked, since nothing has to be signed. */
export type SignerFacts =
  SignerState | {readonly kind: 'idle'} | {readonly kind: 'unavailable'; readonly error: ErrorReport};

/** The input of the plan. */
export interface GenerateFacts extends GuardedMesh, MeshRoots, Pick<GenerateRequest, 'renew' | 'unencrypted'> {
  /** Whether a passphrase is available: from a configured source, or a terminal. */
  readonly passphraseAvailable: boolean;
  /** Whether it is not available because its variable is empty. */
  readonly passphraseVariableEmpty?: boolean | undefined;
  /** The flag that specifies its source, if any. */
  readonly passphraseFlag?: string | undefined;
  /** Where the mesh's root was found if it is not in the work directory yet. */
  readonly rootSource: string | undefined;
  readonly signer: SignerFacts;
  /** The selected clusters. */
  readonly clusters: readonly GenerateClusterFacts[];
  readonly now: Date;
  /** What is imported from a directory that Istio's Makefile created. */
  readonly makefileImport: Pick<MakefileImport, 'files' | 'notes' | 'warnings'>;
}

/** Gathers the facts. A signer other than a key file is checked only if it has to sign. */
export async function gatherGenerate(deps: Deps, request: GenerateRequest): Promise<GenerateFacts> {
  const now = deps.now();
  const {rootFile, renew, unencrypted, ...mesh} = request;
  const loaded = await loadMesh(deps, mesh);
  // A context is recorded here, before any cluster is accessed.
  const missing = mesh.context === undefined ? undefined : await deps.clusters.missingContext(mesh.context);
  if (missing) throw missing;
  const {signer: spec} = loaded.mesh.trust;
  const makefileImport = await importMakefileDirectory(deps);
  const reader = createCaFileReader(deps.workspace, makefileImport.files);
  const found = await reader.root();
  // A key file is always checked, to report how it is protected; other signers only if they have to sign.
  const local = spec.type === 'local' ? await survey(deps, spec) : undefined;
  // `--root` must not contradict root-cert.pem; the key does not matter here.
  const declaredRoot = rootStateOf({certificate: found.certificate, key: undefined});
  const givenRoot = rootFile === undefined ? undefined : await readRootFile(deps, rootFile, declaredRoot);
  const {from: rootSource, ...files} = rootFiles(found, local?.kind === 'key-file' ? local : undefined, givenRoot);
  const root = rootStateOf(files);
  const clusters = await judgeClusters(loaded, reader, root, now);
  // With trust.signer external no key is written, so no .gitignore is needed.
  const issuesHere = externalCaReason(spec) === undefined;
  const issued = clusters.filter(({state}) => issuesHere && (renew || state.kind === 'absent'));
  return defined({
    ...(await guardGenerated(deps, loaded, root, [
      ...issued.map(({name}) => clusterLayout(name).caKey),
      ...makefileImport.files.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
    ])),
    rootSource,
    signer: local ?? (renew || issued.length > 0 ? await survey(deps, spec) : {kind: 'idle'}),
    givenRoot,
    renew,
    unencrypted,
    passphraseAvailable: deps.passphrases.available,
    passphraseVariableEmpty: deps.passphrases.emptyVariable,
    passphraseFlag: deps.passphrases.flag,
    root,
    clusters,
    existingRoots: root.kind === 'absent' ? await findClusterRoots(deps) : [],
    now,
    makefileImport,
  });
}

/** The state of the signer; an error while checking it is a fact as well. */
async function survey({signers, signal}: Deps, spec: SignerSpec): Promise<SignerFacts> {
  const state = await attempt(signal, () => signers.survey(spec));
  return 'value' in state ? state.value : {kind: 'unavailable', error: state.unknown};
}

/** Checks git exposure of these keys of the work directory, and of a new root key in its directory. */
async function guardGenerated(
  deps: Deps,
  loaded: LoadedMesh,
  root: RootState,
  keys: readonly string[],
): Promise<GuardedMesh> {
  const {workspace} = deps;
  const {signer} = loaded.mesh.trust;
  if (root.kind !== 'absent' || signer.type !== 'local') return guardKeys(deps, loaded, keys);
  const store = deps.rootStore(signer);
  const guarded = signer.directory === undefined ? [layout.rootKey, ...keys] : keys;
  const mesh = await guardKeys(deps, loaded, guarded);
  if (store === workspace) return mesh;
  const willIgnore = store.root.startsWith(`${workspace.root}/`) && writesGitignore(ignoreKeys(loaded, guarded));
  const rootGit = await checkGitExposure(deps, store, [layout.rootKey], willIgnore);
  const exposed = [...rootGit.exposed.map((key) => `${store.root}/${key}`), ...mesh.git.exposed];
  return {...mesh, git: {exposed, unknown: mesh.git.unknown ?? rootGit.unknown}};
}
