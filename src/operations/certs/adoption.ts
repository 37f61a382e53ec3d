/** What `certs adopt` takes from a running cluster: the CA's files, and what mesh.yaml will declare; with the words for both. Pure. */
import {type ErrorReport, problem} from '../../domain/errors.js';
import type {Declaration} from '../../domain/mesh/declare.js';
import type {MeshFile} from '../../domain/mesh/schema.js';
import type {Observed} from '../../domain/observed.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Warning} from '../../engine/operation.js';
import type {RunningCluster} from '../../observe/running-cluster.js';
import {defined} from '../../domain/defined.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {isDeepStrictEqual} from 'node:util';
import {formatMinor} from '../../domain/istio/version.js';
import {type KeyAlgorithm, keyAlgorithms} from '../../domain/keys/keys.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';

/** A context that was named, and what was seen of it. */
export interface InspectedCluster {
  readonly context: string;
  /** As said with NAME=CONTEXT. */
  readonly said?: string;
  readonly seen: Observed<RunningCluster>;
}

/** What the work directory has already. */
export interface ExistingWorkDir {
  readonly file: MeshFile | undefined;
  /** This person's contexts, by cluster. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly rootCert: string | undefined;
  readonly hasRootKey: boolean;
  /** CA files of clusters, by name. */
  readonly files: ReadonlyMap<string, CaFiles>;
}

/** Where a cluster's CA is kept. */
export type KeptIn = 'cacerts' | 'istio-ca-secret' | 'elsewhere';

/** A context that leads to a running cluster, under the name that it is adopted under. */
export interface Seen {
  readonly context: string;
  readonly name: string;
  readonly running: RunningCluster;
}

/** What is adopted from it. */
export interface Adoptable extends Seen {
  readonly keptIn: KeptIn;
  /** Who fills Secret cacerts, where that shows. */
  readonly keeper?: string;
  readonly files: readonly FileContent[];
  readonly copiesKey: boolean;
}

/** A context that cannot be adopted, and why. */
export interface Rejected {
  readonly context: string;
  readonly name: string;
  readonly error: ErrorReport;
}

/** The whole decision. */
export interface Adoption {
  /** In the order in which contexts were named. */
  readonly clusters: readonly (Adoptable | Rejected)[];
  readonly declaration: Declaration;
  /** root-cert.pem of the mesh, where it is to be written. */
  readonly rootCert: FileContent | undefined;
  readonly warnings: readonly Warning[];
}

/** Those that can be adopted, as far as they have been judged. */
export function adoptableOf<One extends Seen>(all: readonly (One | Rejected)[]): readonly One[] {
  return all.flatMap((one) => ('error' in one ? [] : [one]));
}

/** What is adopted from a cluster, or why its files cannot be taken. Existing files are never overwritten. */
export function takeFiles(one: Seen, {files: standing}: ExistingWorkDir, withKeys: boolean): Adoptable | Rejected {
  const {context, name, running} = one;
  const {cacerts, selfSigned} = running;
  const refuse = (...said: Parameters<typeof problem>): Rejected => ({context, name, error: problem(...said)});
  if (cacerts === 'absent') {
    const none = {...one, files: [], copiesKey: false};
    if (externalSigner(running) !== undefined) return {...none, keptIn: 'elsewhere'};
    if (selfSigned !== undefined) return {...none, keptIn: 'istio-ca-secret'};
    const what = `${name} has neither Secret cacerts nor istio-ca-secret: there is no CA to adopt`;
    return refuse('NOT_FOUND', what, advice`is istiod up? ${kubectlMesh('verify')} tells more`);
  }
  const paths = clusterLayout(name);
  const present = standing.get(name) ?? {};
  const found = publicFiles(cacerts);
  const wanted = (['caCert', 'rootCert', 'certChain'] as const).flatMap((part) => {
    const content = found[part];
    return content === undefined ? [] : [{path: paths[part], content, present: present[part]}];
  });
  const clash = wanted.find((file) => file.present !== undefined && !holdsSame(file.present, file.content));
  if (clash) {
    return refuse(
      'WORKDIR_CONFLICT',
      `${clash.path} is not what Secret cacerts of context "${context}" holds`,
      advice`see both: ${kubectlMesh('trust diff', [name])}`,
      'put the one aside that is not meant',
    );
  }
  // Certificates are written for everybody to read, and git takes them.
  const keyed = wanted.find(({content}) => content.includes('PRIVATE KEY'));
  if (keyed) {
    return refuse(
      'CA_FILES_INVALID',
      `Secret cacerts of context "${context}" holds a private key where ${keyed.path} would be copied from`,
      advice`put certificates alone there; whoever reads it has that key: ${kubectlMesh('access show', [name])}`,
    );
  }
  const {caKey} = cacerts.files;
  const copiesKey = withKeys && caKey !== undefined && present.caKey === undefined && isClusterKey(cacerts);
  const missing = wanted.flatMap(({path, content, present: there}) => (there === undefined ? [{path, content}] : []));
  return defined({
    ...one,
    keptIn: 'cacerts',
    keeper: cacerts.managedBy,
    files: [...missing, ...(copiesKey ? [{path: paths.caKey, content: caKey}] : [])],
    copiesKey,
  });
}

/** Byte for byte; of the kubernetes.io/tls layout, whose tls.crt may hold the chain, the CA alone. */
function publicFiles({files, inspection}: CacertsSecret): CaFiles {
  return files.layout === 'tls' ? {...files, caCert: inspection.certificate?.pem ?? files.caCert} : files;
}

/** A key that signs for a root, whatever certificate it has here: it is never copied. */
export function isRoot({inspection: {certificate, caCerts = [], chain = [], roots = [], key}}: CacertsSecret): boolean {
  const ofRoots = [...roots, ...[...caCerts, ...chain].filter(({selfSigned}) => selfSigned)].map(({spki}) => spki);
  return [certificate?.spki, key?.spki].some((spki) => spki !== undefined && ofRoots.includes(spki));
}

/** Known to be the key of the certificate beside it, and of no root: what cannot be told is not copied. */
function isClusterKey(cacerts: CacertsSecret): boolean {
  const {certificate, key} = cacerts.inspection;
  return certificate !== undefined && key?.spki === certificate.spki && !isRoot(cacerts);
}

function holdsSame(one: string, other: string): boolean {
  const [prints, others] = [one, other].map((text) => readableRoots(text).map(({fingerprint}) => fingerprint));
  return one === other || (prints?.length !== 0 && isDeepStrictEqual(prints, others));
}

export function declarationOf(good: readonly Adoptable[], {file, hasRootKey}: ExistingWorkDir): Declaration {
  const [first] = good;
  if (!first) return {};
  const [{meshID, trustDomain}] = first.running.controlPlanes;
  const minors = minorsOf(good);
  const revisions = [...new Set(good.flatMap(({running}) => running.controlPlanes.map(({revision}) => revision)))];
  const isDefault = revisions.length === 1 && revisions[0] === 'default';
  const signer = hasRootKey || file?.trust?.signer !== undefined ? undefined : signerOf(good);
  const networks = good.flatMap(({name, running}) => (running.network === undefined ? [] : [[name, running.network]]));
  return defined({
    clusters: good.map(({name}) => name),
    ownContexts: Object.fromEntries(good.map(({name, context}) => [name, context])),
    networks: Object.fromEntries(networks) as Record<string, string>,
    uids: Object.fromEntries(good.map(({name, running}) => [name, running.uid])),
    meshID,
    trustDomain: trustDomain === 'cluster.local' ? undefined : trustDomain,
    istioVersion: minors.length === 1 ? minors[0] : undefined,
    revisions: isDefault ? undefined : revisions.toSorted(defaultFirst),
    keyAlgorithm: keyAlgorithmOf(good, file),
    signer,
  });
}

/** That of all cluster CAs, so that a renewal does not change it; of clusters that are not looked at nothing is known. */
function keyAlgorithmOf(good: readonly Adoptable[], file: MeshFile | undefined): KeyAlgorithm | undefined {
  if (file?.clusters?.some((one) => good.every(({name}) => name !== one.name)) === true) return undefined;
  const [first, ...others] = good.flatMap(({running: {cacerts}}) =>
    cacerts === 'absent' ? [] : [cacerts.inspection.certificate?.key.name],
  );
  if (others.some((name) => name !== first)) return undefined;
  return keyAlgorithms.find((algorithm) => algorithm === first);
}

function defaultFirst(one: string, other: string): number {
  return Number(other === 'default') - Number(one === 'default') || one.localeCompare(other);
}

/** A tag that names no release says nothing of the version. */
export function minorsOf(good: readonly Adoptable[]): readonly string[] {
  const minors = good.flatMap(({running}) =>
    running.controlPlanes.flatMap(({tag, version}) => (/^\d+\.\d+/.test(tag) ? [formatMinor(version)] : [])),
  );
  return [...new Set(minors)];
}

/** Who signs, where that shows in what runs: the same everywhere, or nothing is declared. */
function signerOf(good: readonly Adoptable[]): DeclaredSigner | undefined {
  const [first, ...others] = good.map(({running, keptIn, keeper, context}): DeclaredSigner | undefined => {
    if (keptIn === 'istio-ca-secret') return {type: 'cluster', context};
    if (keptIn === 'elsewhere') return externalSigner(running);
    return keeper?.startsWith('cert-manager ') === true ? {type: 'external', issuer: 'cert-manager'} : undefined;
  });
  return others.every((signer) => isDeepStrictEqual(signer, first)) ? first : undefined;
}

/** istiod without a CA of its own, by its environment (istio/istio pilot/pkg/bootstrap/istio_ca.go, server.go). */
export function externalSigner({controlPlanes: [{workload}]}: RunningCluster): DeclaredSigner | undefined {
  const {EXTERNAL_CA: external, PILOT_CERT_PROVIDER: provider = '', ENABLE_CA_SERVER: enabled} = workload.env;
  const signerName = /^k8s\.io\/(.+)$/.exec(provider)?.[1];
  if (external === 'ISTIOD_RA_KUBERNETES_API' && signerName !== undefined) {
    return {type: 'external', issuer: 'kubernetes-csr', signerName};
  }
  return enabled === 'false' ? {type: 'external', issuer: 'istio-csr'} : undefined;
}
