/** What `certs import` has to do, decided from what was handed in and what the work directory holds. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type MeshCluster, meshNames} from '../../domain/mesh/mesh.js';
import {type Answer, judgeAnswer, type Refusal} from '../../domain/ca/answer.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {chainPem} from '../../domain/x509/chain.js';
import {madeForOther} from '../../domain/ca/cluster-of-ca.js';
import {formatFingerprint} from '../../domain/keys/fingerprint.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {attributeOf} from '../../domain/x509/name.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ImportClusterCa, WriteFiles} from '../../engine/action.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Plan, Warning} from '../../engine/operation.js';
import {asWarnings, blockedPlan, groupOf} from '../../engine/plan.js';
import {type GitExposure, gitBlockers, unknownToGit} from '../shared/exposed-keys.js';
import {declareGroups, type LoadedMesh} from '../shared/load-mesh.js';
import {type ClusterTrustStore, splitTrust} from '../shared/mesh-roots.js';
import type {TrustStore} from '../../domain/ca/trust-store.js';

/** A private key that may wait for a certificate. */
export interface CandidateKey {
  /** Where it lies. */
  readonly path: string;
  readonly pem: Sensitive<string>;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
}

/** What decides whether an answer is taken. */
export interface ImportAsked {
  readonly loaded: LoadedMesh;
  readonly cluster: MeshCluster;
  /** The request's first. */
  readonly keys: readonly CandidateKey[];
  /** Why a key that lies there is none of {@link keys}. */
  readonly unusableKeys: readonly ErrorReport[];
  /** Every certificate of the files. */
  readonly certificates: readonly Certificate[];
  /** What else was in the files, and what could not be read in them. */
  readonly remarks: readonly string[];
  readonly root: RootState;
  /** Roots that clusters have, where there is no root-cert.pem. */
  readonly existingRoots: readonly ClusterTrustStore[];
  /** `--root` */
  readonly givenRoot: TrustStore | undefined;
  /** CAs of the chains that clusters have already. */
  readonly known: readonly Certificate[];
  readonly others: ReadonlyMap<string, string>;
  /** The cluster's files as they are. */
  readonly files: CaFiles;
  readonly requestThere: boolean;
  readonly now: Date;
}

/** The verdict with what would be written. */
export interface ImportVerdict {
  /** What keeps everything from being done, besides {@link refusals}. */
  readonly error?: ErrorReport;
  readonly refusals: readonly Refusal[];
  /** The cluster CA, then what stands above it; the root last. */
  readonly chain?: readonly Certificate[];
  readonly actions: readonly ImportClusterCa[];
  readonly root?: WriteFiles;
  readonly warnings: readonly Warning[];
}

/** The facts, and the verdict on them: what git is asked about depends on it, too. */
export interface ImportFacts extends ImportAsked {
  readonly verdict: ImportVerdict;
  readonly git: GitExposure;
}

/** Plans what was judged. */
export function planImport(facts: ImportFacts): Plan {
  const {loaded, cluster, git, verdict} = facts;
  const error = verdict.error ?? refusalError(cluster.name, verdict.refusals);
  const warnings = [...asWarnings(loaded.notes), ...asWarnings(facts.remarks, cluster.name), ...verdict.warnings];
  if (error) return blockedPlan(error, warnings, cluster.name);
  return {
    groups: [
      ...declareGroups(loaded),
      ...groupOf('root CA', verdict.root ? [verdict.root] : [], 'always-stop'),
      ...groupOf('cluster CA', verdict.actions, 'always-stop'),
    ],
    blockers: verdict.actions.length > 0 ? gitBlockers(git) : [],
    warnings: [...warnings, ...unknownToGit(git)],
  };
}

function refusalError(cluster: string, refusals: readonly Refusal[]): ErrorReport | undefined {
  const [first, ...others] = refusals;
  if (!first) return undefined;
  const hints = [first.hint, ...others.map(({message}) => `and: ${message}`)];
  return problem('CERTIFICATE_REFUSED', `not taken for ${cluster}: ${first.message}`, ...hints);
}

/** Judges what was handed in, and decides what would be written or why nothing is taken. */
export function judgeImport(facts: ImportAsked): ImportVerdict {
  const {cluster, keys, unusableKeys, root} = facts;
  const nothing: ImportVerdict = {refusals: [], actions: [], warnings: []};
  if (root.kind === 'conflict') return {...nothing, error: root.error};
  const meshRoot = rootOf(facts);
  if (meshRoot instanceof MeshError) return {...nothing, error: reportError(meshRoot)};
  if (keys.length === 0) return {...nothing, error: unusableKeys[0] ?? noKey(cluster.name)};
  const answer = judgeAnswer(answerFacts(facts, meshRoot));
  if (answer.kind === 'refused') return {...nothing, refusals: answer.refusals};
  return accepted(answer, facts, meshRoot);
}

function noKey(cluster: string): ErrorReport {
  const {requestKey, caKey} = clusterLayout(cluster);
  return problem(
    'FILE_MISSING',
    `neither ${requestKey} nor ${caKey} is here: there is no key to import a certificate for`,
    'Run this where the request was made',
    advice`or make a request with: ${kubectlMesh('certs request', [cluster])}`,
  );
}

/** The mesh's root, or undefined where it has none yet. */
function rootOf({root, existingRoots, givenRoot}: ImportAsked): TrustStore | MeshError | undefined {
  if (root.kind === 'present') return root;
  const [first] = existingRoots;
  if (!first) return givenRoot;
  return splitTrust([...existingRoots, ...(givenRoot ? [{...givenRoot, cluster: '--root'}] : [])]) ?? first;
}

function answerFacts(facts: ImportAsked, meshRoot: TrustStore | undefined): Parameters<typeof judgeAnswer>[0] {
  const {mesh} = facts.loaded;
  return {
    cluster: facts.cluster.name,
    keys: facts.keys.map(({spki}) => spki),
    certificates: facts.certificates,
    known: facts.known,
    roots: meshRoot?.roots ?? [],
    others: facts.others,
    now: facts.now,
    ...meshNames(mesh),
  };
}

function accepted(
  {chain, newRoot}: Extract<Answer, {kind: 'accepted'}>,
  facts: ImportAsked,
  meshRoot: TrustStore | undefined,
): ImportVerdict {
  const {cluster, keys, loaded, now, root} = facts;
  const [certificate] = chain;
  const top = chain.at(-1);
  const key = keys.find(({spki}) => spki === certificate?.spki);
  if (!certificate || !top || !key) throw new MeshError('INTERNAL', 'a chain without its ends was accepted');
  const rootText = meshRoot?.text ?? top.pem;
  const bundle = {caCert: certificate.pem, caKey: key.pem, rootCert: rootText, certChain: chainPem(chain)};
  const {mesh} = loaded;
  const inspection = inspectCaFiles(bundle, {now, ...meshNames(mesh), istioVersion: mesh.istio.version});
  const messages = (wanted: 'error' | 'warning'): readonly string[] =>
    inspection.findings.flatMap(({severity, message}) => (severity === wanted ? [message] : []));
  const refusals = [
    ...locality(certificate, facts),
    ...messages('error').map((message): Refusal => ({
      id: 'bundle',
      message,
      hint: 'docs/certificates.md has what istiod checks',
    })),
  ];
  if (refusals.length > 0) return {refusals, actions: [], warnings: []};
  const action = importAction(certificate, bundle, key, facts);
  const rootAction = root.kind === 'present' ? undefined : rootWrite(rootText, top, newRoot, facts);
  return defined({
    refusals,
    chain,
    actions: action ? [action] : [],
    root: rootAction,
    warnings: asWarnings(messages('warning'), cluster.name),
  });
}

/** A subject that names another cluster is a conflict to every later command. */
function locality({subject}: Certificate, {cluster, loaded}: ImportAsked): readonly Refusal[] {
  const declared = loaded.mesh.clusters.map(({name}) => name);
  const other = madeForOther(attributeOf(subject, 'L'), cluster.name, declared);
  if (other === undefined) return [];
  return [
    {
      id: 'other-cluster',
      message: `"${subject.text}" has the key of ${cluster.name} and the name of ${other}`,
      hint: `have the request of ${cluster.name} signed with a subject of its own`,
    },
  ];
}

function rootWrite(
  text: string,
  top: Certificate,
  newRoot: boolean,
  {existingRoots, givenRoot}: ImportAsked,
): WriteFiles {
  const from = newRoot ? 'the answer' : existingRoots.length > 0 || !givenRoot ? 'the clusters' : '--root';
  return {
    kind: 'write-files',
    id: 'root-cert',
    title: `take ${layout.rootCert} over from ${from}`,
    files: [{path: layout.rootCert, content: text}],
    // Whoever made the files could have put any root into them.
    ...(newRoot && {
      confirm: `trust "${top.subject.text}", which came with the answer, as the mesh's root (SHA-256 ${formatFingerprint(top.fingerprint)}; --root FILE names one that you know)`,
    }),
  };
}

function importAction(
  certificate: Certificate,
  bundle: Readonly<Record<'caCert' | 'certChain' | 'rootCert', string>> & {readonly caKey: Sensitive<string>},
  key: CandidateKey,
  {cluster, files, requestThere, keys, now}: ImportAsked,
): ImportClusterCa | undefined {
  const paths = clusterLayout(cluster.name);
  const present = keys.find(({path}) => path === paths.caKey)?.spki;
  const written = (['caKey', 'caCert', 'certChain', 'rootCert'] as const).map((part): FileContent => ({
    path: paths[part],
    content: bundle[part],
  }));
  const same =
    present === key.spki &&
    files.caCert === bundle.caCert &&
    files.certChain === bundle.certChain &&
    files.rootCert === bundle.rootCert;
  // The request is answered when its own key has its certificate; another request goes on waiting.
  const waiting = keys.find(({path}) => path === paths.requestKey)?.spki;
  const answered = requestThere && (waiting === undefined || waiting === key.spki);
  if (same && !answered) return undefined;
  const {subject, fingerprint, notAfter, key: kind} = certificate;
  const confirm = same ? undefined : replaced(cluster.name, files, key.spki === present, now);
  return defined({
    kind: 'import-cluster-ca',
    id: `${cluster.name}/ca`,
    cluster: cluster.name,
    title: same
      ? `remove the request that was answered (${paths.requestCsr})`
      : `take over the cluster CA "${subject.text}" (${kind.name})`,
    files: same ? [] : written,
    answered: answered ? [paths.requestKey, paths.requestCsr] : [],
    certificate: {subject: subject.text, fingerprint, notAfter: notAfter.toISOString(), key: kind.name},
    confirm,
  });
}

/** What a person must agree to: what is there goes away. */
function replaced(name: string, files: CaFiles, sameKey: boolean, now: Date): string | undefined {
  const {caCert, caKey} = files;
  if (caCert === undefined && caKey === undefined) return undefined;
  const before = inspectCaFiles({...files, caKey: undefined}, {now, keyMayBeMissing: true}).certificate;
  const until = before ? ` (valid until ${before.notAfter.toISOString().slice(0, 10)})` : '';
  const what = sameKey ? 'the certificate' : 'the key and certificate';
  return `replace ${what} of the cluster CA in ${name}/${until}`;
}
