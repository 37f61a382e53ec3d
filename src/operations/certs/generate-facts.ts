/** What `certs generate` decides from: the work directory, what its signer amounts to, what git would take. */
import {defined} from '../../domain/defined.js';
import type {ErrorReport} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {KeyAlgorithm} from '../../domain/keys/keys.js';
import {externalCaReason, type SignerSpec} from '../../domain/mesh/signer.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {type ClusterState, rootStateOf, type RootFiles, type RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';
import type {SignerState} from '../../signers/signer-module.js';
import {askExposure} from '../shared/exposed-keys.js';
import {ignoreKeys, type LoadedMesh, loadMesh, writesGitignore} from '../shared/load-mesh.js';
import {findRoots, readGivenRoot} from '../shared/mesh-roots.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';
import {attempt} from '../../observe/cluster-reader.js';
import {createCaFileReader} from '../../observe/ca-files.js';
import {type MakefileImport, importMakefileDirectory} from '../shared/import-makefile.js';
import {type GuardedMesh, guardKeys, judgeClusters, type MeshRoots} from './ca-run.js';

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
  readonly name: string;
  readonly state: ClusterState;
}

/** What the signer amounts to; `idle`: nothing is to be signed, so it was not asked. */
export type SignerFacts =
  SignerState | {readonly kind: 'idle'} | {readonly kind: 'unavailable'; readonly error: ErrorReport};

/** What the plan is made from. */
export interface GenerateFacts extends GuardedMesh, MeshRoots, Pick<GenerateRequest, 'renew' | 'clear'> {
  /** A passphrase can be had: a source was named, or there is a terminal. */
  readonly passphraseAvailable: boolean;
  /** Where the mesh's root was found that is not in the work directory yet. */
  readonly rootFrom: string | undefined;
  readonly signer: SignerFacts;
  /** The clusters this run is about. */
  readonly clusters: readonly ClusterFacts[];
  readonly now: Date;
  /** What is taken over from a directory that Istio's Makefile made. */
  readonly taken: Pick<MakefileImport, 'files' | 'notes' | 'warnings'>;
}

/** What `certs generate` looks at. The signer is surveyed only where it shall sign. */
export async function gatherGenerate(deps: Deps, request: GenerateRequest): Promise<GenerateFacts> {
  const now = deps.now();
  const {clusters: names, keyAlgorithm, signer: said, rootDirectory, rootFile, renew, clear} = request;
  const loaded = await loadMesh(deps, {clusters: names, keyAlgorithm, signer: said, rootDirectory});
  const {signer: spec} = loaded.mesh.trust;
  const taken = await importMakefileDirectory(deps);
  const reader = createCaFileReader(deps.workspace, taken.files);
  const found = await reader.root();
  // A key in a file is looked at in any case: its protection is worth a word. Others are asked only when they shall sign.
  const local = spec.type === 'local' ? await survey(deps, spec) : undefined;
  // What `--root` may not contradict is the mesh's root by root-cert.pem alone.
  const before = rootStateOf({certificate: found.certificate, key: undefined});
  const givenRoot = rootFile === undefined ? undefined : await readGivenRoot(deps, rootFile, before);
  const {from: rootFrom, ...files} = rootFiles(found, local, givenRoot);
  const root = rootStateOf(files);
  const clusters = await judgeClusters(loaded, reader, root, now);
  // Where keys are made elsewhere nothing is written here, and nothing needs a .gitignore.
  const madeHere = externalCaReason(spec) === undefined;
  const issued = clusters.filter(({state}) => madeHere && (renew || state.kind === 'absent'));
  return defined({
    ...(await guardGenerated(deps, loaded, root, [
      ...issued.map(({name}) => clusterLayout(name).caKey),
      ...taken.files.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
    ])),
    rootFrom,
    signer: local ?? (renew || issued.length > 0 ? await survey(deps, spec) : {kind: 'idle'}),
    givenRoot,
    renew,
    clear,
    passphraseAvailable: deps.passphrases.available,
    root,
    clusters,
    existingRoots: root.kind === 'absent' ? await findRoots(deps) : [],
    now,
    taken,
  });
}

/** What the signer amounts to; what kept it from being asked is a fact, too. */
async function survey({signers, signal}: Deps, spec: SignerSpec): Promise<SignerFacts> {
  const seen = await attempt(signal, () => signers.survey(spec));
  return 'value' in seen ? seen.value : {kind: 'unavailable', error: seen.unknown};
}

/** The root's files with what a local signer and `--root` know of them; `from`: the source of a root-cert.pem that is not here. */
function rootFiles(
  {certificate, key}: Pick<RootFiles, 'certificate' | 'key'>,
  local: SignerFacts | undefined,
  given: TrustStore | undefined,
): RootFiles & {readonly from?: string} {
  // Without a local signer a root-key.pem that lies here signs nothing.
  if (local?.kind !== 'key-file') return {certificate, key: undefined};
  const {keyPath, certificates} = local;
  const sources: readonly {readonly text: string | undefined; readonly from?: string}[] = [
    {text: certificate},
    {text: local.certificate, from: 'the directory of the root key'},
    {text: given?.text, from: '--root'},
    {text: certificates.find(({selfSigned}) => selfSigned)?.pem, from: 'the certificate that trust.signer names'},
  ];
  const source = sources.find(({text}) => text !== undefined);
  return defined({
    certificate: source?.text,
    from: source?.from,
    // What a Makefile left under another name is copied by this run, and is the key from then on.
    key: local.key ?? (keyPath === layout.rootKey ? key : undefined),
    keyPath,
    certificates,
  });
}

/** Guards these keys of the work directory, and a new root key where that is kept. */
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
  const here = await guardKeys(deps, loaded, guarded);
  if (store === workspace) return here;
  const willIgnore = store.root.startsWith(`${workspace.root}/`) && writesGitignore(ignoreKeys(loaded, guarded));
  const there = await askExposure(deps, store, [layout.rootKey], willIgnore);
  const exposed = [...there.exposed.map((key) => `${store.root}/${key}`), ...here.git.exposed];
  return {...here, git: {exposed, unknown: here.git.unknown ?? there.unknown}};
}
