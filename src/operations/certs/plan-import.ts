/** Plans `certs import` from the returned files and the work directory. Pure. */
import {isBlocking} from '../../domain/ca/istiod-rules.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError, problem} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type MeshCluster, meshNames} from '../../domain/mesh/mesh.js';
import {validateSignedChain, type Refusal} from '../../domain/ca/signed-chain.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {canonicalFiles} from '../../domain/ca/canonical.js';
import {canonicalKey} from '../../domain/keys/private-key.js';
import type {Certificate} from '../../domain/x509/certificate.js';
import {chainPem} from '../../domain/x509/chain.js';
import {otherOwner} from '../../domain/ca/cluster-of-ca.js';
import {certificateRef} from '../../domain/x509/describe.js';
import {formatFingerprint} from '../../domain/keys/keys.js';
import {inspectCaFiles} from '../../domain/ca/inspect-ca.js';
import {attributeOf} from '../../domain/x509/name.js';
import type {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ImportClusterCa, WriteFiles} from '../../engine/action.js';
import {asWarnings, blockedPlan, groupOf, type Plan} from '../../engine/operation.js';
import {guardedPlan, type GuardedMesh, meshTrustStore, replaceText, type MeshRoots} from './ca-run.js';

/** A private key that the certificate may belong to. */
export interface CandidateKey {
  /** Its file. */
  readonly path: string;
  readonly pem: Sensitive<string>;
  /** SHA-256 of the SubjectPublicKeyInfo. */
  readonly spki: string;
}

/** The input of the plan. */
export interface ImportFacts extends GuardedMesh, MeshRoots {
  readonly cluster: MeshCluster;
  /** The key of the request first. */
  readonly keys: readonly CandidateKey[];
  /** Why other existing keys are not among {@link keys}. */
  readonly unusableKeys: readonly ErrorReport[];
  /** All certificates in the files. */
  readonly certificates: readonly Certificate[];
  /** Notes on other and on unreadable contents of the files. */
  readonly remarks: readonly string[];
  /** The CAs in the existing chains of clusters. */
  readonly known: readonly Certificate[];
  /** The cluster that a public key belongs to, for other clusters. */
  readonly others: ReadonlyMap<string, string>;
  /** The cluster's current files. */
  readonly files: CaFiles;
  readonly hasRequest: boolean;
  readonly now: Date;
}

/** The plan, with the result of the validation. */
export interface ImportPlan extends Plan {
  /** All reasons for refusing the certificates; also in the blocker. */
  readonly refusals: readonly Refusal[];
  /** The imported chain: the cluster CA, its issuers, the root last. */
  readonly chain?: readonly Certificate[];
}

/** Validates the returned certificates, and plans the files to write, or returns why nothing is imported. */
export function planImport(facts: ImportFacts): ImportPlan {
  const {cluster, keys, unusableKeys, certificates, known, others, now, loaded} = facts;
  const {name} = cluster;
  const {mesh} = loaded;
  const remarks = asWarnings(facts.remarks, name);
  const blocked = (error: ErrorReport, refusals: readonly Refusal[] = []): ImportPlan => {
    return {refusals, ...blockedPlan(error, [...asWarnings(loaded.notes), ...remarks], name)};
  };
  const given = facts.givenRoot && {...facts.givenRoot, cluster: '--root'};
  const trust = meshTrustStore(facts.root, [...facts.existingRoots, ...(given ? [given] : [])]);
  if ('error' in trust) return blocked(trust.error);
  if (keys.length === 0) return blocked(unusableKeys[0] ?? noKeyError(name));
  const signed = validateSignedChain({
    ...{cluster: name, certificates, known, keyOwners: others, now, ...meshNames(mesh)},
    keys: keys.map(({spki}) => spki),
    roots: trust.store?.roots ?? [],
  });
  if (signed.kind === 'refused') return blocked(refusalError(name, signed.refusals), signed.refusals);
  const {chain, newRoot} = signed;
  const [certificate] = chain;
  const top = chain.at(-1);
  const key = keys.find(({spki}) => spki === certificate?.spki);
  if (!certificate || !top || !key) throw new MeshError('INTERNAL', 'an incomplete chain was accepted');
  const rootCert = trust.store?.text ?? top.pem;
  // The key's file can contain other blocks.
  const caKey = canonicalKey(key.pem) ?? key.pem;
  const bundle = {caCert: certificate.pem, caKey, rootCert, certChain: chainPem(chain)};
  const {findings} = inspectCaFiles(bundle, {now, ...meshNames(mesh), istioVersion: mesh.istio.version});
  const hint = "for istiod's checks, see docs/certificates.md";
  const refusals = [
    ...wrongClusterName(certificate, facts),
    ...findings.filter(isBlocking).map(({message}): Refusal => ({id: 'bundle', message, hint})),
  ];
  if (refusals.length > 0) return blocked(refusalError(name, refusals), refusals);
  const writesRoot = facts.root.kind === 'present' ? [] : [rootWrite(rootCert, top, newRoot, facts)];
  const imports = importAction(certificate, bundle, key, facts);
  const own = {
    groups: [...groupOf(writesRoot, 'always-stop', 'root CA'), ...groupOf(imports, 'always-stop')],
    warnings: [
      ...remarks,
      ...asWarnings(
        findings.filter((finding) => !isBlocking(finding)).map(({message}) => message),
        name,
      ),
    ],
  };
  const writesKey = imports.some(({files}) => files.length > 0);
  return {refusals, chain, ...guardedPlan(facts, own, writesKey)};
}

function refusalError(cluster: string, [first, ...others]: readonly Refusal[]): ErrorReport {
  const hints = [first?.hint ?? '', ...others.map(({message}) => `also: ${message}`)];
  return problem('CERTIFICATE_REFUSED', `not imported for ${cluster}: ${first?.message ?? ''}`, ...hints);
}

function noKeyError(cluster: string): ErrorReport {
  const {requestKey, caKey} = clusterLayout(cluster);
  return problem(
    'FILE_MISSING',
    `neither ${requestKey} nor ${caKey} found: there is no key to import a certificate for`,
    'run this in the work directory that created the request',
    advice`or create a request with: ${kubectlMesh('certs request', [cluster])}`,
  );
}

/** Refuses a subject that names another cluster: every later command would report it as a conflict. */
function wrongClusterName({subject}: Certificate, {cluster, loaded}: ImportFacts): readonly Refusal[] {
  const other = otherOwner(attributeOf(subject, 'L'), cluster.name, loaded.mesh.clusters);
  if (other === undefined) return [];
  return [
    {
      id: 'other-cluster',
      message: `"${subject.text}" has the key of ${cluster.name}, but names cluster ${other}`,
      hint: `have the request of ${cluster.name} signed with a subject that names ${cluster.name}`,
    },
  ];
}

function rootWrite(
  text: string,
  top: Certificate,
  newRoot: boolean,
  {existingRoots, givenRoot}: ImportFacts,
): WriteFiles {
  const from = newRoot ? "the CA's response" : existingRoots.length > 0 || !givenRoot ? 'the clusters' : '--root';
  return {
    kind: 'write-files',
    id: 'root-cert',
    title: `import ${layout.rootCert} from ${from}`,
    files: [{path: layout.rootCert, content: text}],
    // Anyone who could change the files could have added any root.
    ...(newRoot && {
      confirm: `trust "${top.subject.text}" from the CA's response as the mesh's root (SHA-256 ${formatFingerprint(top.fingerprint)})`,
      confirmHints: [
        'to require the root that its owner published, use --root FILE',
        'compare the fingerprint with the one that its owner published; if it differs, do not import the certificates',
      ],
    }),
  };
}

/** The action that writes the files; none if all files are in place and no request is left. */
function importAction(
  certificate: Certificate,
  bundle: Readonly<Record<'caCert' | 'certChain' | 'rootCert', string>> & {readonly caKey: Sensitive<string>},
  key: CandidateKey,
  {cluster: {name}, files, hasRequest, keys, now}: ImportFacts,
): readonly ImportClusterCa[] {
  const paths = clusterLayout(name);
  const spkiAt = (where: string): string | undefined => keys.find(({path}) => path === where)?.spki;
  const sameKey = spkiAt(paths.caKey) === key.spki;
  const present = canonicalFiles(files);
  const same =
    sameKey && (['caCert', 'certChain', 'rootCert'] as const).every((part) => present[part] === bundle[part]);
  // The request is fulfilled once its own key has its certificate; any other request stays pending.
  const fulfilled = hasRequest && (spkiAt(paths.requestKey) ?? key.spki) === key.spki;
  if (same && !fulfilled) return [];
  const parts = same ? [] : (['caKey', 'caCert', 'certChain', 'rootCert'] as const);
  const action: ImportClusterCa = defined({
    kind: 'import-cluster-ca',
    id: `${name}/ca`,
    cluster: name,
    title: same
      ? `remove the fulfilled request (${paths.requestCsr})`
      : `import the cluster CA "${certificate.subject.text}" (${certificate.key.name})`,
    files: parts.map((part) => ({path: paths[part], content: bundle[part]})),
    requestFiles: fulfilled ? [paths.requestKey, paths.requestCsr] : [],
    certificate: certificateRef(certificate),
    confirm: same ? undefined : confirmationOf(name, files, sameKey, now),
  });
  return [action];
}

/** The confirmation text; undefined if nothing is replaced. */
function confirmationOf(name: string, files: CaFiles, sameKey: boolean, now: Date): string | undefined {
  const {caCert, caKey} = files;
  if (caCert === undefined && caKey === undefined) return undefined;
  const before = inspectCaFiles({...files, caKey: undefined}, {now, keyMayBeMissing: true}).certificate;
  return replaceText(name, before, sameKey ? 'the certificate' : 'the key and certificate');
}
