/** `certs generate`: the root CA once, a cluster CA for each cluster. */
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {KeyAlgorithm} from '../../domain/mesh/mesh.js';
import {meshNames} from '../../domain/mesh/mesh-names.js';
import {type CertificateSummary, summarizeCertificate} from '../../domain/pki/describe.js';
import {type ClusterState, judgeCluster, judgeRoot, type RootState} from '../../domain/pki/workdir-state.js';
import type {Action, FileContent} from '../../engine/action.js';
import type {Deps} from '../../engine/deps.js';
import type {Ignored} from '../../tools/git.js';
import type {RootFiles} from '../../domain/pki/workdir-state.js';
import type {Detail, Operation, Outcome, PhaseRun, Warning} from '../../engine/operation.js';
import {
  type ClusterResult,
  clusterOutcomes,
  concludeClusters,
  type CommonResult,
  generalErrors,
} from '../../engine/report.js';
import {asMeshError, type ErrorReport, reportError} from '../../domain/errors.js';
import {madeElsewhere} from '../../domain/mesh/signer.js';
import type {SignerSpec} from '../../domain/mesh/signer.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {declareGroups, type LoadedMesh, loadMesh} from '../shared/load-mesh.js';
import {createCaFileReader} from '../shared/read-ca-files.js';
import {findRoots, type KnownRoot, readGivenRoot} from '../shared/mesh-roots.js';
import {takeOver} from '../shared/take-over.js';
import {type ClusterFacts, type GenerateFacts, planGenerate, type SignerFacts} from './plan-generate.js';

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

/** A CA after the run: what was issued, or what was there. */
export type CaSummary = Pick<CertificateSummary, 'subject' | 'key' | 'fingerprint' | 'notAfter'>;

/** The root CA after the run. */
export interface RootResult {
  readonly outcome: 'done' | 'unchanged' | 'failed' | 'skipped' | 'cancelled';
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
  /** How root-key.pem is protected; `missing`: it is not here; `elsewhere`: it never is a file. */
  readonly protection?: 'encrypted' | 'clear' | 'missing' | 'elsewhere';
}

/** One cluster after the run. */
export interface GenerateClusterResult extends ClusterResult {
  /** What was, or in a dry run would be, done; absent when nothing is to be done. */
  readonly action?: string;
  readonly certificate?: CaSummary;
  /** What the signer made other than was asked for. */
  readonly changes?: readonly string[];
}

/** What `certs generate` answers. */
export interface GenerateResult extends CommonResult {
  readonly root: RootResult;
  readonly clusters: readonly GenerateClusterResult[];
  /** What kept the whole run from being done. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** Makes what is missing and leaves alone what is valid. */
export const generateCerts: Operation<GenerateRequest, GenerateResult> = {
  command: 'certs generate',
  changes: true,
  async execute(request, engine) {
    const run = await engine.run<GenerateFacts>({
      title: 'read the work directory',
      gather: (deps) => gather(request, deps),
      plan: planGenerate,
    });
    return report(run);
  },
  conclude: ({clusters, errors}) => [...concludeClusters(clusters), ...errors.map(({code}) => code)],
};

async function gather(request: GenerateRequest, deps: Deps): Promise<GenerateFacts> {
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
  const signs =
    request.renew || (madeElsewhere(spec) === undefined && clusters.some(({state}) => state.kind === 'absent'));
  return {
    mesh: loaded.mesh,
    rootFrom: files.certificate === undefined && root.kind === 'present' ? rootOrigin(local, given) : undefined,
    signer: local ?? (signs ? await survey(deps, spec) : {kind: 'idle'}),
    ...(given && {givenRoot: given}),
    renew: request.renew,
    clear: request.clear,
    passphraseAvailable: deps.passphrases.available,
    root,
    clusters,
    existingRoots: root.kind === 'absent' ? await findRoots(deps) : [],
    ...(await askGit(deps, loaded, keysToWrite(root, spec, clusters, request.renew, taken.files), root)),
    now,
    declare: declareGroups(loaded),
    taken,
    notes: loaded.notes,
  };
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
function rootOrigin(local: SignerFacts | undefined, given: KnownRoot | undefined): string {
  if (local?.kind === 'key-file' && local.certificate !== undefined) return 'the directory of the root key';
  return given ? '--root' : 'the certificate that trust.signer names';
}

/** The root's files with what a local signer knows of them. */
function rootFiles(
  {certificate, key}: Pick<RootFiles, 'certificate' | 'key'>,
  local: SignerFacts | undefined,
  given: KnownRoot | undefined,
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
  const issued = clusters.filter(({state}: {state: ClusterState}) => state.kind === 'absent' || renew);
  return [
    ...(root.kind === 'absent' && signer.type === 'local' && signer.directory === undefined ? [layout.rootKey] : []),
    ...issued.map(({cluster}) => clusterLayout(cluster.name).caKey),
    ...taken.flatMap(({path, content}) => (typeof content === 'string' ? [] : [path])),
  ];
}

/**
 * Keys that git would take: tracked already, or not ignored and not about to be by the .gitignore this run writes. And
 * why git would not say, where it would not.
 */
async function askGit(
  deps: Deps,
  loaded: LoadedMesh,
  keys: readonly string[],
  root: RootState,
): Promise<Pick<GenerateFacts, 'exposedKeys' | 'gitUnknown'>> {
  const {git, workspace} = deps;
  const outside = root.kind === 'absent' ? await rootKeyInGit(deps, loaded) : [];
  // A work directory that is still to be made (a dry run's) holds nothing that git could track, and gets a .gitignore.
  if ((await workspace.list('.')).length === 0 && (await workspace.stat('.')) === undefined) {
    return {exposedKeys: outside, gitUnknown: undefined};
  }
  const willIgnore = ignoresFromNowOn(loaded);
  const answers = await git.isIgnored(workspace.root, keys);
  const unknown = [...answers.values()].find((ignored) => ignored.answer === 'unknown');
  return {
    exposedKeys: [...outside, ...keys.filter((key) => isExposed(answers.get(key), willIgnore))],
    gitUnknown: unknown?.why,
  };
}

/** A root key that is to be made in another directory, where git would take it there. */
async function rootKeyInGit(deps: Deps, loaded: LoadedMesh): Promise<readonly string[]> {
  const {git, workspace} = deps;
  const {signer} = loaded.mesh.trust;
  const store = deps.rootStore(signer);
  if (signer.type !== 'local' || store === workspace || (await store.stat('.')) === undefined) return [];
  const answer = (await git.isIgnored(store.root, [layout.rootKey])).get(layout.rootKey);
  const inside = store.root.startsWith(`${workspace.root}/`);
  return isExposed(answer, inside && ignoresFromNowOn(loaded)) ? [`${store.root}/${layout.rootKey}`] : [];
}

/** Whether this run writes the .gitignore that keeps keys out. */
function ignoresFromNowOn({declare}: LoadedMesh): boolean {
  return declare.some(({path}) => path === layout.gitignore);
}

function isExposed(ignored: Ignored | undefined, willIgnore: boolean): boolean {
  return ignored?.answer === 'tracked' || (ignored?.answer === 'not-ignored' && !willIgnore);
}

function report(run: PhaseRun<GenerateFacts>): GenerateResult {
  const {facts} = run;
  const names = facts.clusters.map(({cluster}) => cluster.name);
  return {
    root: reportRoot(run),
    clusters: clusterOutcomes(names, run).map((result) => {
      const state = facts.clusters.find(({cluster}) => cluster.name === result.name)?.state;
      const certificate = issued(run.outcomes, `${result.name}/ca`) ?? found(state, facts);
      const action = plannedAction(run, (one) => one.cluster === result.name);
      const changes = changesOf(run.outcomes, `${result.name}/ca`);
      return {
        ...result,
        ...(action && {action: action.title}),
        ...(certificate && {certificate}),
        ...(changes.length > 0 && {changes}),
      };
    }),
    errors: generalErrors(run),
    warnings: run.plan.warnings,
  };
}

function plannedAction({plan}: PhaseRun<GenerateFacts>, matches: (action: Action) => boolean): Action | undefined {
  return plan.groups.flatMap(({lanes}) => lanes.flatMap(({actions}) => actions)).find(matches);
}

function reportRoot(run: PhaseRun<GenerateFacts>): RootResult {
  const {facts, outcomes} = run;
  const action = plannedAction(run, ({id}) => id === 'root-ca' || id === 'root-cert');
  const outcome = outcomes.find(({id}) => id === 'root-ca' || id === 'root-cert');
  const {root} = facts;
  const [first] = root.kind === 'present' ? root.certificates : [];
  const certificate =
    issued(outcomes, 'root-ca') ??
    (first && caSummary(summarizeCertificate(first, facts.mesh.trust.expiry, facts.now)));
  const taken = action?.kind === 'write-files' && facts.signer.kind === 'ready' ? 'elsewhere' : undefined;
  const made = action?.kind === 'create-root-ca' && outcome ? action.protection : taken;
  const found = facts.signer.kind === 'key-file' || facts.signer.kind === 'idle' ? 'missing' : 'elsewhere';
  const protection = root.kind !== 'present' ? made : root.key === 'missing' ? found : root.key;
  return {
    outcome: outcome?.status ?? (root.kind === 'present' ? 'unchanged' : 'skipped'),
    ...(action && {action: action.title}),
    ...(certificate && {certificate}),
    ...(protection && {protection}),
  };
}

function found(state: ClusterState | undefined, {mesh, now}: GenerateFacts): CaSummary | undefined {
  const certificate =
    state?.kind === 'valid' ? state.inspection.certificate : state?.kind === 'completable' ? state.ca : undefined;
  return certificate && caSummary(summarizeCertificate(certificate, mesh.trust.expiry, now));
}

/** What an effect said of the certificate it issued (`certificate-detail.ts`). */
function issued(outcomes: readonly Outcome[], id: string): CaSummary | undefined {
  const detail: Detail | undefined = outcomes.find((outcome) => outcome.id === id)?.detail;
  if (!detail) return undefined;
  const text = (field: keyof CaSummary): string => {
    const value = detail[field];
    return typeof value === 'string' ? value : '';
  };
  return {subject: text('subject'), key: text('key'), fingerprint: text('fingerprint'), notAfter: text('notAfter')};
}

function changesOf(outcomes: readonly Outcome[], id: string): readonly string[] {
  const changes = outcomes.find((outcome) => outcome.id === id)?.detail?.changes;
  return Array.isArray(changes) ? changes.map(String) : [];
}

function caSummary({subject, key, fingerprint, notAfter}: CertificateSummary): CaSummary {
  return {subject, key, fingerprint, notAfter};
}
