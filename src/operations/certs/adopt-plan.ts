/** What `certs adopt` makes of what runs: names, declarations, files; or why not, for each cluster. Pure. */
import {MeshError, reportError} from '../../domain/errors.js';
import type {ErrorReport} from '../../domain/errors.js';
import {formatMinor} from '../../domain/istio/version.js';
import type {Declaration} from '../../domain/mesh/declare.js';
import {identityProblems} from '../../domain/mesh/identity.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type KeyAlgorithm, keyAlgorithms} from '../../domain/mesh/mesh.js';
import {isClusterName} from '../../domain/mesh/names.js';
import type {MeshFile} from '../../domain/mesh/schema.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import {isKnown} from '../../domain/observed.js';
import type {Observed} from '../../domain/observed.js';
import type {CaFiles} from '../../domain/pki/ca-files.js';
import {shortFingerprint} from '../../domain/pki/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import {readableRoots} from '../../domain/trust/bundle.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import type {FileContent} from '../../engine/action.js';
import type {Warning} from '../../engine/operation.js';
import type {RunningCluster} from './adopt-look.js';

/** A context that was named, and what was seen of it. */
export interface Looked {
  readonly context: string;
  /** As said with NAME=CONTEXT. */
  readonly said?: string;
  readonly seen: Observed<RunningCluster>;
}

/** What the work directory has already. */
export interface Standing {
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

/** One context after the decision. */
export interface Adopted {
  readonly context: string;
  readonly name: string;
  readonly error?: ErrorReport;
  readonly running?: RunningCluster;
  readonly keptIn?: KeptIn;
  /** Who fills Secret cacerts, where that shows. */
  readonly keeper?: string;
  readonly files: readonly FileContent[];
  readonly copiesKey: boolean;
}

/** The whole decision. */
export interface Adoption {
  readonly clusters: readonly Adopted[];
  readonly declaration: Declaration;
  /** root-cert.pem of the mesh, where it is to be written. */
  readonly rootCert: FileContent | undefined;
  readonly warnings: readonly Warning[];
}

/** The name a context is adopted under. Throws `USAGE` where nothing gives one, `CONTRADICTION` where two differ. */
export function nameOf({context, said, seen}: Looked, {file, contexts}: Pick<Standing, 'file' | 'contexts'>): string {
  const declared = file?.clusters?.find((one) => (contexts[one.name] ?? one.context) === context)?.name;
  const id = isKnown(seen) ? seen.value.controlPlanes[0].clusterID : undefined;
  const own = id !== undefined && isClusterName(id) ? id : undefined;
  const wanted = said ?? declared;
  if (wanted !== undefined && own !== undefined && wanted !== own) {
    throw new MeshError('CONTRADICTION', `istiod of context "${context}" calls its cluster ${own}, not ${wanted}`, {
      hints: [`a cluster's name is Istio's clusterName: kubectl mesh certs adopt ${own}=${context}`],
    });
  }
  const name = wanted ?? own ?? (isClusterName(context) ? context : undefined);
  if (name !== undefined) return name;
  throw new MeshError('USAGE', `nothing gives the cluster of context "${context}" a name`, {
    hints: [`say one: kubectl mesh certs adopt NAME=${context}`],
  });
}

/** Decides for all contexts. What is there already is never overwritten. */
export function adopt(looked: readonly Looked[], standing: Standing, withKeys: boolean): Adoption {
  const named = looked.map((one) => nameIt(one, standing));
  const identified = refuseStrangers(named, standing);
  const agreed = agreeWithAll(identified, standing);
  const clusters = agreed.map((one) => takeFiles(one, standing, withKeys));
  const good = clusters.filter((one): one is Good => one.error === undefined && one.running !== undefined);
  const {rootCert, warnings} = decideRoot(good, standing);
  return {
    clusters,
    declaration: declarationOf(good, standing),
    rootCert,
    warnings: [...warnings, ...good.flatMap((one) => warningsOf(one, standing)), ...mixedVersions(good)],
  };
}

type Good = Adopted & {readonly running: RunningCluster};

const none = {files: [], copiesKey: false} as const;

function failed(one: Pick<Adopted, 'context' | 'name'>, error: MeshError | ErrorReport): Adopted {
  const {context, name} = one;
  return {...none, context, name, error: error instanceof MeshError ? reportError(error) : error};
}

function nameIt(looked: Looked, standing: Standing): Adopted {
  const {context, said, seen} = looked;
  if (!isKnown(seen)) return failed({context, name: said ?? context}, seen.unknown);
  try {
    return {...none, context, name: nameOf(looked, standing), running: seen.value};
  } catch (thrown) {
    if (thrown instanceof MeshError) return failed({context, name: said ?? context}, thrown);
    throw thrown;
  }
}

/** Two contexts of one cluster, two clusters of one name, a cluster that mesh.yaml knows as another. */
function refuseStrangers(all: readonly Adopted[], {file, contexts}: Standing): readonly Adopted[] {
  const clusters = (file?.clusters ?? []).map((one) => ({...one, context: contexts[one.name] ?? one.context}));
  const seen = all.flatMap(({name, running}) => (running ? [{name, uid: running.uid}] : []));
  const mesh = {
    clusters: clusters.map(({name, context, uid}) => ({
      name,
      role: 'primary' as const,
      ...(context !== undefined && {context}),
      ...(uid !== undefined && {uid}),
    })),
  };
  const problems = identityProblems(mesh, seen, false);
  return all.map((one, index) => {
    if (one.error) return one;
    const twin = all.find((other, at) => at < index && !other.error && other.name === one.name);
    if (twin) {
      const what = `contexts "${twin.context}" and "${one.context}" both give a cluster named ${one.name}`;
      return failed(
        one,
        new MeshError('CONTRADICTION', what, {hints: ['name each: NAME=CONTEXT; in one mesh, clusterName is unique']}),
      );
    }
    const problem = problems.find(({cluster}) => cluster === one.name);
    return problem ? failed(one, problem.error) : one;
  });
}

/** mesh ID, trust domain and network are those of mesh.yaml, or else of the first context. */
function agreeWithAll(all: readonly Adopted[], {file}: Standing): readonly Adopted[] {
  const first = all.find(({error}) => !error)?.running?.controlPlanes[0];
  const meshID = file?.meshID ?? first?.meshID;
  const trustDomain = file?.trustDomain ?? (file ? 'cluster.local' : first?.trustDomain);
  return all.map((one) => {
    if (one.error || !one.running) return one;
    const [{meshID: ownID, trustDomain: ownDomain}] = one.running.controlPlanes;
    const network = file?.clusters?.find(({name}) => name === one.name)?.network;
    const clash =
      differs('mesh ID', ownID, meshID) ??
      differs('trust domain', ownDomain, trustDomain) ??
      differs('network', one.running.network, network);
    if (clash === undefined) return one;
    const message = `${one.name} runs with ${clash}`;
    return failed(
      one,
      new MeshError('CONTRADICTION', message, {hints: ['adopt another mesh in a directory of its own']}),
    );
  });
}

function differs(what: string, own: string | undefined, wanted: string | undefined): string | undefined {
  if (own === undefined || wanted === undefined || own === wanted) return undefined;
  return `${what} ${printableLine(own)}, the mesh here has ${wanted}`;
}

function takeFiles(one: Adopted, {files: standing}: Standing, withKeys: boolean): Adopted {
  if (one.error || !one.running) return one;
  const {cacerts, selfSigned} = one.running;
  if (cacerts === 'absent') {
    if (externalSigner(one.running) !== undefined) return {...one, keptIn: 'elsewhere'};
    if (selfSigned !== undefined) return {...one, keptIn: 'istio-ca-secret'};
    const what = `${one.name} has neither Secret cacerts nor istio-ca-secret: there is no CA to adopt`;
    return failed(one, new MeshError('NOT_FOUND', what, {hints: ['is istiod up? kubectl mesh verify tells more']}));
  }
  const paths = clusterLayout(one.name);
  const present = standing.get(one.name) ?? {};
  const found = publicFiles(cacerts);
  const wanted = (['caCert', 'rootCert', 'certChain'] as const).flatMap((part) => {
    const text = found[part];
    return text === undefined ? [] : [{path: paths[part], text, present: present[part]}];
  });
  const clash = wanted.find((file) => file.present !== undefined && !holdsSame(file.present, file.text));
  if (clash) {
    const what = `${clash.path} is not what Secret cacerts of context "${one.context}" holds`;
    const hints = [`see both: kubectl mesh trust diff ${one.name}`, 'put the one aside that is not meant'];
    return failed(one, new MeshError('WORKDIR_CONFLICT', what, {hints}));
  }
  const keyed = wanted.find(({text}) => holdsKey(text));
  if (keyed) return failed(one, keyAmongCertificates(keyed.path, one));
  const {caKey} = cacerts.files;
  const copiesKey = withKeys && caKey !== undefined && present.caKey === undefined && isClusterKey(cacerts);
  return {
    ...one,
    keptIn: 'cacerts',
    ...(cacerts.keeper !== undefined && {keeper: cacerts.keeper}),
    files: [
      ...wanted.flatMap(({path, text, present: there}) => (there === undefined ? [{path, content: text}] : [])),
      ...(copiesKey ? [{path: paths.caKey, content: caKey}] : []),
    ],
    copiesKey,
  };
}

/** Byte for byte; of the kubernetes.io/tls layout, whose tls.crt may hold the chain, the CA alone. */
function publicFiles({files, inspection}: CacertsSecret): CaFiles {
  return files.layout === 'tls' ? {...files, caCert: inspection.certificate?.pem ?? files.caCert} : files;
}

/** A key that signs for a root, whatever certificate it has here: it is never copied. */
function isRoot({inspection: {certificate, caCerts = [], chain = [], roots = [], key}}: CacertsSecret): boolean {
  const ofRoots = [...roots, ...[...caCerts, ...chain].filter(({selfSigned}) => selfSigned)].map(({spki}) => spki);
  return [certificate?.spki, key?.spki].some((spki) => spki !== undefined && ofRoots.includes(spki));
}

/** Known to be the key of the certificate beside it, and of no root: what cannot be told is not copied. */
function isClusterKey(cacerts: CacertsSecret): boolean {
  const {certificate, key} = cacerts.inspection;
  return certificate !== undefined && key?.spki === certificate.spki && !isRoot(cacerts);
}

function holdsKey(text: string): boolean {
  return text.includes('PRIVATE KEY');
}

/** Certificates are written for everybody to read, and git takes them. */
function keyAmongCertificates(path: string, {name, context}: Pick<Adopted, 'name' | 'context'>): MeshError {
  const what = `Secret cacerts of context "${context}" holds a private key where ${path} would be copied from`;
  return new MeshError('BUNDLE_INVALID', what, {
    hints: [`put certificates alone there; whoever reads it has that key: kubectl mesh access show ${name}`],
  });
}

function holdsSame(one: string, other: string): boolean {
  const prints = (text: string): string =>
    readableRoots(text)
      .map(({fingerprint}) => fingerprint)
      .join(' ');
  return one === other || (prints(one) !== '' && prints(one) === prints(other));
}

/** The roots of a cluster as a text. */
function rootsText({running, keptIn}: Good): string | undefined {
  if (keptIn === 'cacerts') return running.cacerts === 'absent' ? undefined : running.cacerts.files.rootCert;
  return keptIn === 'istio-ca-secret' ? running.selfSigned : running.bundle;
}

function rootSet(text: string | undefined): string {
  return [...new Set(readableRoots(text).map(({fingerprint}) => fingerprint))].sort().join(' ');
}

function decideRoot(good: readonly Good[], standing: Standing): Pick<Adoption, 'rootCert' | 'warnings'> {
  const own = good.map((one) => ({name: one.name, text: rootsText(one)}));
  const others = [...standing.files]
    .filter(([name]) => !good.some((one) => one.name === name))
    .map(([name, files]) => ({name, text: files.rootCert}));
  const all = [...others, ...own].filter(({text}) => rootSet(text) !== '');
  const [first] = all;
  const wanted = standing.rootCert === undefined ? rootSet(first?.text) : rootSet(standing.rootCert);
  const different = all.filter(({text}) => rootSet(text) !== wanted);
  const whose = standing.rootCert === undefined ? (first?.name ?? '') : layout.rootCert;
  const warnings = different.map(({name, text}) => {
    const show = (set: string): string => set.split(' ').map(shortFingerprint).join(', ');
    const why = `its roots are ${show(rootSet(text))}, those of ${whose} are ${show(wanted)}`;
    return {cluster: name, message: `${why}: workloads of clusters with different roots refuse each other`};
  });
  const text = first?.text;
  const isAgreed = standing.rootCert === undefined && text !== undefined && different.length === 0;
  return {
    rootCert: isAgreed ? {path: layout.rootCert, content: text} : undefined,
    warnings: [
      ...warnings,
      ...(different.length > 0 && standing.rootCert === undefined
        ? [{message: `${layout.rootCert} is not written: the clusters have no one root`}]
        : []),
    ],
  };
}

function declarationOf(good: readonly Good[], {file, hasRootKey}: Standing): Declaration {
  const [first] = good;
  if (!first) return {};
  const [{meshID, trustDomain}] = first.running.controlPlanes;
  const minors = minorsOf(good);
  const [minor] = minors;
  const revisions = [...new Set(good.flatMap(({running}) => running.controlPlanes.map(({revision}) => revision)))];
  const isDefault = revisions.length === 1 && revisions[0] === 'default';
  const signer = hasRootKey || file?.trust?.signer !== undefined ? undefined : signerOf(good);
  const keyAlgorithm = keyAlgorithmOf(good, file);
  const networks = good.flatMap(({name, running}) => (running.network === undefined ? [] : [[name, running.network]]));
  return {
    clusters: good.map(({name}) => name),
    ownContexts: Object.fromEntries(good.map(({name, context}) => [name, context])),
    networks: Object.fromEntries(networks) as Record<string, string>,
    uids: Object.fromEntries(good.map(({name, running}) => [name, running.uid])),
    ...(meshID !== undefined && {meshID}),
    ...(trustDomain !== undefined && trustDomain !== 'cluster.local' && {trustDomain}),
    ...(minors.length === 1 && minor !== undefined && {istioVersion: minor}),
    ...(!isDefault && {revisions: revisions.toSorted(defaultFirst)}),
    ...(keyAlgorithm !== undefined && {keyAlgorithm}),
    ...(signer && {signer}),
  };
}

/** That of all cluster CAs, so that a renewal does not change it; of clusters that are not looked at nothing is known. */
function keyAlgorithmOf(good: readonly Good[], file: MeshFile | undefined): KeyAlgorithm | undefined {
  if (file?.clusters?.some((one) => good.every(({name}) => name !== one.name)) === true) return undefined;
  const names = good.flatMap(({running: {cacerts}, keptIn}) =>
    keptIn === 'cacerts' && cacerts !== 'absent' ? [cacerts.inspection.certificate?.key.name] : [],
  );
  const [first] = names;
  if (names.some((name) => name !== first)) return undefined;
  return keyAlgorithms.find((algorithm) => algorithm === first);
}

function defaultFirst(one: string, other: string): number {
  return Number(other === 'default') - Number(one === 'default') || one.localeCompare(other);
}

/** A tag that names no release says nothing of the version. */
function minorsOf(good: readonly Good[]): readonly string[] {
  const minors = good.flatMap(({running}) =>
    running.controlPlanes.flatMap(({tag, version}) => (/^\d+\.\d+/.test(tag) ? [formatMinor(version)] : [])),
  );
  return [...new Set(minors)];
}

/** Who signs, where that shows in what runs: the same everywhere, or nothing is declared. */
function signerOf(good: readonly Good[]): DeclaredSigner | undefined {
  const signers = good.map(signerOfOne);
  const [first] = signers;
  const isOne = signers.every((signer) => JSON.stringify(signer) === JSON.stringify(first));
  return isOne ? first : undefined;
}

function signerOfOne({running, keptIn, keeper, context}: Good): DeclaredSigner | undefined {
  switch (keptIn) {
    case 'istio-ca-secret':
      return {type: 'cluster', context};
    case 'elsewhere':
      return externalSigner(running);
    default:
      return keeper?.startsWith('cert-manager ') === true ? {type: 'external', issuer: 'cert-manager'} : undefined;
  }
}

/** istiod without a CA of its own, by its environment (istio/istio pilot/pkg/bootstrap/istio_ca.go, server.go). */
function externalSigner({controlPlanes: [{workload}]}: RunningCluster): DeclaredSigner | undefined {
  const {EXTERNAL_CA: external, PILOT_CERT_PROVIDER: provider = '', ENABLE_CA_SERVER: enabled} = workload.env;
  const signerName = /^k8s\.io\/(.+)$/.exec(provider)?.[1];
  if (external === 'ISTIOD_RA_KUBERNETES_API' && signerName !== undefined) {
    return {type: 'external', issuer: 'kubernetes-csr', signerName};
  }
  return enabled === 'false' ? {type: 'external', issuer: 'istio-csr'} : undefined;
}

function warningsOf(one: Good, {hasRootKey, file}: Standing): readonly Warning[] {
  const {name, running, keptIn, keeper} = one;
  const [{clusterID}] = running.controlPlanes;
  const say = (message: string): Warning => ({cluster: name, message});
  const isUnknown = keptIn === 'cacerts' && keeper === undefined && !hasRootKey && file?.trust?.signer === undefined;
  const broken =
    running.cacerts === 'absent'
      ? []
      : running.cacerts.inspection.findings.filter(({severity}) => severity === 'error');
  return [
    ...(clusterID === name
      ? []
      : [say(`istiod calls its cluster ${printableLine(clusterID ?? 'nothing')}, not ${name}`)]),
    ...(keptIn === 'istio-ca-secret'
      ? [
          say(
            'istiod signs with a root of its own (Secret istio-ca-secret): that key stays where it is. certs generate and trust push give the cluster a CA under that root',
          ),
        ]
      : []),
    ...(running.cacerts !== 'absent' && isRoot(running.cacerts)
      ? [say('Secret cacerts holds the root itself: its key is not copied, with --with-keys neither')]
      : []),
    ...(isUnknown
      ? [say('who signed this CA does not show: for its renewal declare trust.signer, or bring root-key.pem')]
      : []),
    ...broken.map(({message}) => say(`Secret cacerts: ${printableLine(message)}`)),
  ];
}

function mixedVersions(good: readonly Good[]): readonly Warning[] {
  const minors = minorsOf(good);
  if (minors.length < 2) return [];
  return [{message: `Istio ${minors.join(' and ')} run here: istio.version is left to you to declare`}];
}
