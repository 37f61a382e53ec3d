/** What `certs import` has to do, decided from what was handed in and what the work directory holds. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type MeshCluster, meshNames} from '../../domain/mesh/mesh.js';
import {validateSignedChain, type Refusal} from '../../domain/ca/signed-chain.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {chainPem} from '../../domain/x509/chain.js';
import {madeForOther} from '../../domain/ca/cluster-of-ca.js';
import {certificateInShort} from '../../domain/x509/describe.js';
import {formatFingerprint} from '../../domain/keys/keys.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {attributeOf} from '../../domain/x509/name.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ImportClusterCa, WriteFiles} from '../../engine/action.js';
import {asWarnings, blockedPlan, groupOf, type Plan} from '../../engine/operation.js';
import {guardedPlan, type GuardedMesh, knownTrust, replacing, type MeshRoots} from './ca-run.js';

/** A private key that may wait for a certificate. */
export interface CandidateKey {
  /** Where it lies. */
  readonly path: string;
  readonly pem: Sensitive<string>;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
}

/** What the plan is made from. */
export interface ImportFacts extends GuardedMesh, MeshRoots {
  readonly cluster: MeshCluster;
  /** The request's first. */
  readonly keys: readonly CandidateKey[];
  /** Why a key that lies there is none of {@link keys}. */
  readonly unusableKeys: readonly ErrorReport[];
  /** Every certificate of the files. */
  readonly certificates: readonly Certificate[];
  /** What else was in the files, and what could not be read in them. */
  readonly remarks: readonly string[];
  /** CAs of the chains that clusters have already. */
  readonly known: readonly Certificate[];
  readonly others: ReadonlyMap<string, string>;
  /** The cluster's files as they are. */
  readonly files: CaFiles;
  readonly requestThere: boolean;
  readonly now: Date;
}

/** The plan, with the verdict that it follows. */
export interface ImportPlan extends Plan {
  /** All reasons against the answer, which the blocker states, too. */
  readonly refusals: readonly Refusal[];
  /** What is taken: the cluster CA, then what stands above it; the root last. */
  readonly chain?: readonly Certificate[];
}

/** Judges what was handed in, and plans what is to be written; or says why nothing is taken. */
export function planImport(facts: ImportFacts): ImportPlan {
  const {cluster, keys, unusableKeys, certificates, known, others, now, loaded} = facts;
  const {name} = cluster;
  const {mesh} = loaded;
  const remarks = asWarnings(facts.remarks, name);
  const blocked = (error: ErrorReport, refusals: readonly Refusal[] = []): ImportPlan => {
    return {refusals, ...blockedPlan(error, [...asWarnings(loaded.notes), ...remarks], name)};
  };
  const given = facts.givenRoot && {...facts.givenRoot, cluster: '--root'};
  const trust = knownTrust(facts.root, [...facts.existingRoots, ...(given ? [given] : [])]);
  if ('error' in trust) return blocked(trust.error);
  if (keys.length === 0) return blocked(unusableKeys[0] ?? noKey(name));
  const answer = validateSignedChain({
    ...{cluster: name, certificates, known, others, now, ...meshNames(mesh)},
    keys: keys.map(({spki}) => spki),
    roots: trust.store?.roots ?? [],
  });
  if (answer.kind === 'refused') return blocked(refusalError(name, answer.refusals), answer.refusals);
  const {chain, newRoot} = answer;
  const [certificate] = chain;
  const top = chain.at(-1);
  const key = keys.find(({spki}) => spki === certificate?.spki);
  if (!certificate || !top || !key) throw new MeshError('INTERNAL', 'a chain without its ends was accepted');
  const rootCert = trust.store?.text ?? top.pem;
  const bundle = {caCert: certificate.pem, caKey: key.pem, rootCert, certChain: chainPem(chain)};
  const {findings} = inspectCaFiles(bundle, {now, ...meshNames(mesh), istioVersion: mesh.istio.version});
  const found = (wanted: 'error' | 'warning'): readonly string[] =>
    findings.flatMap(({severity, message}) => (severity === wanted ? [message] : []));
  const hint = 'docs/certificates.md has what istiod checks';
  const refusals = [
    ...locality(certificate, facts),
    ...found('error').map((message): Refusal => ({id: 'bundle', message, hint})),
  ];
  if (refusals.length > 0) return blocked(refusalError(name, refusals), refusals);
  const writesRoot = facts.root.kind === 'present' ? [] : [rootWrite(rootCert, top, newRoot, facts)];
  const imports = importAction(certificate, bundle, key, facts);
  const own = {
    groups: [...groupOf(writesRoot, 'always-stop', 'root CA'), ...groupOf(imports, 'always-stop')],
    warnings: [...remarks, ...asWarnings(found('warning'), name)],
  };
  const writesKey = imports.some(({files}) => files.length > 0);
  return {refusals, chain, ...guardedPlan(facts, own, writesKey)};
}

function refusalError(cluster: string, [first, ...others]: readonly Refusal[]): ErrorReport {
  const hints = [first?.hint ?? '', ...others.map(({message}) => `and: ${message}`)];
  return problem('CERTIFICATE_REFUSED', `not taken for ${cluster}: ${first?.message ?? ''}`, ...hints);
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

/** A subject that names another cluster is a conflict to every later command. */
function locality({subject}: Certificate, {cluster, loaded}: ImportFacts): readonly Refusal[] {
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
  {existingRoots, givenRoot}: ImportFacts,
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

/** None where all of it is in its place already, and no request is left. */
function importAction(
  certificate: Certificate,
  bundle: Readonly<Record<'caCert' | 'certChain' | 'rootCert', string>> & {readonly caKey: Sensitive<string>},
  key: CandidateKey,
  {cluster: {name}, files, requestThere, keys, now}: ImportFacts,
): readonly ImportClusterCa[] {
  const paths = clusterLayout(name);
  const spkiAt = (where: string): string | undefined => keys.find(({path}) => path === where)?.spki;
  const sameKey = spkiAt(paths.caKey) === key.spki;
  const same = sameKey && (['caCert', 'certChain', 'rootCert'] as const).every((part) => files[part] === bundle[part]);
  // The request is answered when its own key has its certificate; another request goes on waiting.
  const answered = requestThere && (spkiAt(paths.requestKey) ?? key.spki) === key.spki;
  if (same && !answered) return [];
  const parts = same ? [] : (['caKey', 'caCert', 'certChain', 'rootCert'] as const);
  const action: ImportClusterCa = defined({
    kind: 'import-cluster-ca',
    id: `${name}/ca`,
    cluster: name,
    title: same
      ? `remove the request that was answered (${paths.requestCsr})`
      : `take over the cluster CA "${certificate.subject.text}" (${certificate.key.name})`,
    files: parts.map((part) => ({path: paths[part], content: bundle[part]})),
    requestFiles: answered ? [paths.requestKey, paths.requestCsr] : [],
    certificate: certificateInShort(certificate),
    confirm: same ? undefined : replaced(name, files, sameKey, now),
  });
  return [action];
}

/** What a person must agree to: what is there goes away. */
function replaced(name: string, files: CaFiles, sameKey: boolean, now: Date): string | undefined {
  const {caCert, caKey} = files;
  if (caCert === undefined && caKey === undefined) return undefined;
  const before = inspectCaFiles({...files, caKey: undefined}, {now, keyMayBeMissing: true}).certificate;
  return replacing(name, before, sameKey ? 'the certificate' : 'the key and certificate');
}
