/** What `certs adopt` takes from a running cluster: the CA's files, and the values for mesh.yaml. Pure. */
import {type ErrorReport, problem} from '../../domain/errors.js';
import type {Declaration} from '../../domain/mesh/declare.js';
import type {MeshFile} from '../../domain/mesh/schema.js';
import type {Observed} from '../../domain/observed.js';
import type {CaFiles} from '../../domain/ca/ca-files.js';
import {canonicalFiles} from '../../domain/ca/canonical.js';
import {containsKey} from '../../domain/keys/embedded-keys.js';
import type {FileContent} from '../../workspace/workspace.js';
import type {Warning} from '../../engine/operation.js';
import type {RunningCluster} from '../../observe/running-cluster.js';
import {defined} from '../../domain/defined.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {isAmong, readableRoots, sameRoots} from '../../domain/ca/trust-store.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import {describeSource, otherSources} from '../../domain/istio/ca-source.js';
import {isDeepStrictEqual} from 'node:util';
import {formatMinor} from '../../domain/istio/version.js';
import {type KeyAlgorithm, keyAlgorithms} from '../../domain/keys/keys.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';

/** A context given as an argument, and the cluster read through it. */
export interface InspectedContext {
  readonly context: string;
  /** The name given with NAME=CONTEXT. */
  readonly givenName?: string;
  readonly observed: Observed<RunningCluster>;
}

/** The current contents of the work directory. */
export interface ExistingWorkDir {
  readonly file: MeshFile | undefined;
  /** This user's contexts, by cluster. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly rootCert: string | undefined;
  readonly hasRootKey: boolean;
  /** The CA files of clusters, by name. */
  readonly files: ReadonlyMap<string, CaFiles>;
}

/** Where a cluster's CA is stored. */
export type CaLocation = 'cacerts' | 'istio-ca-secret' | 'elsewhere';

/** A context of a running cluster, and the name that the cluster is adopted under. */
export interface AdoptionCandidate {
  readonly context: string;
  readonly name: string;
  readonly running: RunningCluster;
}

/** A context that can be adopted, and what is adopted from it. */
export interface Adoptable extends AdoptionCandidate {
  readonly keptIn: CaLocation;
  /** The tool that manages the Secret, if recognizable, or the volume from which istiod reads its CA. */
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

/** The decision for all contexts. */
export interface Adoption {
  /** In the order of the arguments. */
  readonly clusters: readonly (Adoptable | Rejected)[];
  readonly declaration: Declaration;
  /** The mesh's root-cert.pem, if it has to be written. */
  readonly rootCert: FileContent | undefined;
  readonly warnings: readonly Warning[];
}

/** The contexts that no rule rejected so far. */
export function adoptableOf<One extends AdoptionCandidate>(all: readonly (One | Rejected)[]): readonly One[] {
  return all.flatMap((one) => ('error' in one ? [] : [one]));
}

/** What is adopted from a cluster, or why its files cannot be copied. Existing files are never overwritten. */
export function adoptFiles(one: AdoptionCandidate, {files}: ExistingWorkDir, withKeys: boolean): Adoptable | Rejected {
  const {context, name, running} = one;
  const {cacerts} = running;
  const reject = (...error: Parameters<typeof problem>): Rejected => ({context, name, error: problem(...error)});
  const none = {...one, files: [], copiesKey: false};
  if (cacerts === 'absent') {
    if (externalSigner(running) !== undefined) return {...none, keptIn: 'elsewhere'};
    if (runsSelfSigned(running)) return {...none, keptIn: 'istio-ca-secret'};
    const [other] = otherSources(running.caSources);
    if (other && running.bundle !== undefined) {
      return {...none, keptIn: 'elsewhere', keeper: describeSource(other.source)};
    }
    if (other) {
      const source = describeSource(other.source);
      const unknown = `${name} reads its CA from ${source}, and publishes no trust bundle in its namespace: its root is unknown`;
      const declare = kubectlMesh('init', [`${name}=${context}`]);
      return reject(
        'NOT_FOUND',
        unknown,
        advice`copy the CA's root to root-cert.pem, then declare the cluster: ${declare}`,
      );
    }
    const what =
      running.selfSigned === undefined
        ? `${name} has neither Secret cacerts nor Secret istio-ca-secret: there is no CA to adopt`
        : `${name} has no Secret cacerts, and its workloads trust other roots than that of Secret istio-ca-secret: there is no CA to adopt`;
    return reject('NOT_FOUND', what, advice`check whether istiod is running: ${kubectlMesh('verify')}`);
  }
  // istiod has not loaded it: the files would contradict the mesh.
  if (isContradicted(cacerts.files.rootCert, running)) return {...none, keptIn: 'cacerts'};
  const paths = clusterLayout(name);
  const present = files.get(name) ?? {};
  const found = publicFiles(cacerts);
  const sources = (['caCert', 'rootCert', 'certChain'] as const).flatMap((part) => {
    const content = found[part];
    return content === undefined
      ? []
      : [{path: paths[part], content, present: present[part], source: sourceOf(cacerts, part)}];
  });
  const conflict = sources.find((file) => file.present !== undefined && !sameCertificates(file.present, file.content));
  if (conflict) {
    return reject(
      'WORKDIR_CONFLICT',
      `${conflict.path} differs from Secret ${cacerts.name} of context "${context}"`,
      advice`to compare both: ${kubectlMesh('trust diff', [name])}`,
      'move the wrong one away',
    );
  }
  // Certificate files are readable by everyone and are committed to git.
  const withKey = sources.find(({source}) => containsKey(source));
  if (withKey) {
    return reject(
      'CA_FILES_INVALID',
      `Secret ${cacerts.name} of context "${context}" contains a private key in the source of ${withKey.path}`,
      advice`remove the key from that entry; to list subjects that can read it: ${kubectlMesh('access show', [name])}`,
    );
  }
  const {caKey} = found;
  const copiesKey = withKeys && caKey !== undefined && present.caKey === undefined && isClusterKey(cacerts);
  const missing = sources.flatMap(({path, content, present: old}) => (old === undefined ? [{path, content}] : []));
  return defined({
    ...one,
    keptIn: 'cacerts',
    keeper: cacerts.managedBy,
    files: [...missing, ...(copiesKey ? [{path: paths.caKey, content: caKey}] : [])],
    copiesKey,
  });
}

/**
 * Whether the live bundle contradicts roots: it contains none of them, so istiod runs with another CA. If one of the two is
 * unreadable, there is no contradiction.
 */
export function isContradicted(roots: string | undefined, {bundle}: RunningCluster): boolean {
  const [live, wanted] = [readableRoots(bundle), readableRoots(roots)];
  return live.length > 0 && wanted.length > 0 && !wanted.some((root) => isAmong(root, live));
}

/**
 * Whether istiod runs with its self-signed CA. Secret istio-ca-secret remains after a migration to another CA, so where istiod
 * reads a volume whose content is unknown, only the live bundle proves it.
 */
function runsSelfSigned(running: RunningCluster): boolean {
  const {selfSigned, bundle, caSources} = running;
  if (selfSigned === undefined || isContradicted(selfSigned, running)) return false;
  const isUnreadable = caSources.some(({source}) => source.from === 'volume' || source.from === 'unknown directory');
  return !isUnreadable || readableRoots(bundle).length > 0;
}

/** The files without other text; for the kubernetes.io/tls layout, whose tls.crt may contain the chain, only the CA. */
function publicFiles({files, inspection}: CacertsSecret): CaFiles {
  const built = canonicalFiles(files);
  return files.layout === 'tls' ? {...built, caCert: inspection.certificate?.pem ?? built.caCert} : built;
}

/** The text that a file is built from. */
function sourceOf({files}: CacertsSecret, part: 'caCert' | 'rootCert' | 'certChain'): string {
  return files[part] ?? '';
}

/** Whether the Secret's key is a root's key, even if its certificate here is not a root: such a key is never copied. */
export function hasRoot({inspection}: CacertsSecret): boolean {
  const {certificate, caCerts = [], chain = [], roots = [], key} = inspection;
  const rootKeys = [...roots, ...[...caCerts, ...chain].filter(({selfSigned}) => selfSigned)].map(({spki}) => spki);
  return [certificate?.spki, key?.spki].some((spki) => spki !== undefined && rootKeys.includes(spki));
}

/** Whether the key is known to match the certificate and not to be a root's: an unknown key is not copied. */
function isClusterKey(cacerts: CacertsSecret): boolean {
  const {certificate, key} = cacerts.inspection;
  return certificate !== undefined && key?.spki === certificate.spki && !hasRoot(cacerts);
}

function sameCertificates(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) => readableRoots(text).map(({fingerprint}) => fingerprint));
  return one === other || (first?.length !== 0 && isDeepStrictEqual(first, second));
}

export function declarationOf(adopted: readonly Adoptable[], {file, hasRootKey}: ExistingWorkDir): Declaration {
  const [first] = adopted;
  if (!first) return {};
  const [{meshID, trustDomain}] = first.running.controlPlanes;
  const minors = minorsOf(adopted);
  const revisions = [...new Set(adopted.flatMap(({running}) => running.controlPlanes.map(({revision}) => revision)))];
  const isDefault = revisions.length === 1 && revisions[0] === 'default';
  const signer = hasRootKey || file?.trust?.signer !== undefined ? undefined : signerOf(adopted);
  const networks = adopted.flatMap(({name, running: {network}}) => (network === undefined ? [] : [[name, network]]));
  return defined({
    clusters: adopted.map(({name}) => name),
    ownContexts: Object.fromEntries(adopted.map(({name, context}) => [name, context])),
    networks: Object.fromEntries(networks) as Record<string, string>,
    uids: Object.fromEntries(adopted.map(({name, running}) => [name, running.uid])),
    meshID,
    trustDomain: trustDomain === 'cluster.local' ? undefined : trustDomain,
    istioVersion: minors.length === 1 ? minors[0] : undefined,
    revisions: isDefault ? undefined : revisions.toSorted(defaultFirst),
    keyAlgorithm: keyAlgorithmOf(adopted, file),
    signer,
  });
}

/** The key algorithm of all cluster CAs, so that renewal keeps it; undefined if mesh.yaml has unread clusters. */
function keyAlgorithmOf(adopted: readonly Adoptable[], file: MeshFile | undefined): KeyAlgorithm | undefined {
  if (file?.clusters?.some((one) => adopted.every(({name}) => name !== one.name)) === true) return undefined;
  const [first, ...others] = adopted.flatMap(({running: {cacerts}}) =>
    cacerts === 'absent' ? [] : [cacerts.inspection.certificate?.key.name],
  );
  if (others.some((name) => name !== first)) return undefined;
  return keyAlgorithms.find((algorithm) => algorithm === first);
}

function defaultFirst(one: string, other: string): number {
  return Number(other === 'default') - Number(one === 'default') || one.localeCompare(other);
}

/** The minor versions. An image tag that is not a release version is ignored. */
export function minorsOf(adopted: readonly Adoptable[]): readonly string[] {
  const minors = adopted.flatMap(({running}) =>
    running.controlPlanes.flatMap(({tag, version}) => (/^\d+\.\d+/.test(tag) ? [formatMinor(version)] : [])),
  );
  return [...new Set(minors)];
}

/** The signer, where the running clusters show it: the same in all, or none is declared. */
function signerOf([first, ...others]: readonly Adoptable[]): DeclaredSigner | undefined {
  const signer = first && signerIn(first);
  const isSame = (other: Adoptable): boolean =>
    isDeepStrictEqual(signerIn(other), signer) || (first !== undefined && haveSameRoot(first, other));
  return others.every(isSame) ? signer : undefined;
}

function signerIn({running, keptIn, keeper, context}: Adoptable): DeclaredSigner | undefined {
  if (keptIn === 'istio-ca-secret') return {type: 'cluster', context};
  if (keptIn === 'elsewhere') return externalSigner(running);
  return keeper?.startsWith('cert-manager ') === true ? {type: 'external', issuer: 'cert-manager'} : undefined;
}

/** Whether two clusters run with copies of one istio-ca-secret (istio/istio#30103): each of them can sign for both. */
function haveSameRoot(one: Adoptable, other: Adoptable): boolean {
  const [first = [], second = []] = [one, other].map(({running: {selfSigned = ''}, keptIn}) =>
    keptIn === 'istio-ca-secret' ? readableRoots(selfSigned) : [],
  );
  return sameRoots(first, second);
}

/** The external signer of an istiod without a CA, from its environment (istio/istio pilot/pkg/bootstrap/istio_ca.go, server.go). */
export function externalSigner({controlPlanes: [{workload}]}: RunningCluster): DeclaredSigner | undefined {
  const {EXTERNAL_CA: external, PILOT_CERT_PROVIDER: provider = '', ENABLE_CA_SERVER: enabled} = workload.env;
  const signerName = /^k8s\.io\/(.+)$/.exec(provider)?.[1];
  if (external === 'ISTIOD_RA_KUBERNETES_API' && signerName !== undefined) {
    return {type: 'external', issuer: 'kubernetes-csr', signerName};
  }
  return enabled === 'false' ? {type: 'external', issuer: 'istio-csr'} : undefined;
}
