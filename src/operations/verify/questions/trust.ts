/** Facts of what a cluster trusts and signs with: Secrets and the bundles that istiod publishes. */
import {bundleKey, defaultBundleName} from '../../../domain/istio/names.js';
import type {
  CacertsFacts,
  CertificateFacts,
  ClusterFactValues,
  PushedTrust,
  WrittenBundle,
} from '../../../domain/checks/facts.js';
import {cacertsContents} from '../../../domain/checks/read/cacerts-contents.js';
import {certificateFacts, clusterCaFacts} from '../../../domain/checks/read/cluster-ca.js';
import type {ConfigMapObject} from '../../../domain/kube/objects.js';
import {isIstiod} from '../../../domain/checks/read/control-plane.js';
import {MeshError} from '../../../domain/errors.js';
import type {ErrorCode} from '../../../domain/errors.js';
import type {KubeObject} from '../../../domain/kube/object.js';
import {meshNames} from '../../../domain/mesh/mesh-names.js';
import {isKnown} from '../../../domain/observed.js';
import {parseCertificates} from '../../../domain/pki/certificate.js';
import {cacertsName, readCacerts} from '../../../domain/trust/cacerts.js';
import type {CacertsSecret} from '../../../domain/trust/cacerts.js';
import {compareCa} from '../../../domain/trust/diff.js';
import type {OwnCa} from '../../../domain/trust/diff.js';
import {readIstiod, stuckIstiods} from '../../../domain/trust/istiod.js';
import {attempt} from '../attempt.js';
import {once} from '../../../domain/once.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';

type TrustFacts = Pick<
  ClusterFactValues,
  'cacerts' | 'cacertsContents' | 'restartOnPush' | 'selfSignedRoot' | 'pushedTrust' | 'bundles'
>;

/** The questions about a cluster's trust. */
export function trustQuestions(options: ClusterQuestionOptions): Questions<TrustFacts> {
  const {deps, reads, controlPlanes} = options;
  const secret = once(() => readSecret(options));
  return {
    cacerts: async () => {
      const found = await secret();
      return found === 'absent' ? found : cacertsFacts(found, await options.ownCa());
    },
    cacertsContents: async () => {
      const [raw, found, own] = await Promise.all([reads.secret(cacertsName), secret(), options.ownCa()]);
      return raw === undefined || found === 'absent' ? 'absent' : cacertsContents(raw, found, own.files);
    },
    restartOnPush: async () => {
      // What cannot be read is a finding of its own; the push that is named says so again.
      const stuck = await attempt(deps.signal, () => readStuckIstiods(options, secret));
      return !isKnown(stuck) || stuck.value.length > 0;
    },
    selfSignedRoot: async () => selfSignedRoot(await reads.secret('istio-ca-secret')),
    pushedTrust: () => (options.noSecrets ? trustOfFiles(options) : trustOfSecret(secret)),
    bundles: async () => {
      // Asked for before the control plane has said the name: it nearly always is this one, and asking takes a round trip.
      reads.bundlesAhead(defaultBundleName);
      const [first] = await controlPlanes();
      return (await reads.bundles(first?.bundleName ?? defaultBundleName)).map(writtenBundles());
    },
  };
}

async function readSecret({reads, deps, mesh}: ClusterQuestionOptions): Promise<CacertsSecret | 'absent'> {
  const secret = await reads.secret(cacertsName);
  if (!secret) return 'absent';
  return readCacerts(secret, {now: deps.now(), ...meshNames(mesh), istioVersion: mesh.istio.version});
}

function cacertsFacts(secret: CacertsSecret, own: OwnCa): CacertsFacts {
  // Files that are missing are a finding of their own; there is nothing to compare with then.
  const differences = own.inspection.certificate === undefined ? [] : compareCa(own, secret);
  const {caCerts, chain, roots, verified} = secret.inspection;
  return {
    ...clusterCaFacts(secret.files, secret.inspection),
    differences,
    inspection: {
      ...(caCerts && {caCerts}),
      ...(chain && {chain}),
      ...(roots && {roots}),
      ...(verified && {verified}),
    },
  };
}

/** The istiods that would not load the work directory's bundle without a restart. */
async function readStuckIstiods(
  {reads, mesh, ownCa}: ClusterQuestionOptions,
  secret: () => Promise<CacertsSecret | 'absent'>,
): Promise<ReturnType<typeof stuckIstiods>> {
  const [deployments, configMaps, own, cacerts, selfSigned] = await Promise.all([
    reads.deployments(),
    reads.configMaps(),
    ownCa(),
    secret(),
    reads.secret('istio-ca-secret'),
  ]);
  const live = configMaps.find(
    ({metadata}) => metadata.name === defaultBundleName && metadata.namespace === mesh.istio.namespace,
  );
  return stuckIstiods({
    istiods: deployments.filter(isIstiod).map(readIstiod),
    cacerts,
    liveBundle: live?.data?.[bundleKey],
    selfSigned: selfSignedText(selfSigned),
    newBundle: own.files.rootCert ?? '',
  });
}

/** Only the certificate is looked at: the key beside it is none of our business. */
function selfSignedText(secret: KubeObject | undefined): string | undefined {
  const encoded = (secret?.data as Readonly<Record<string, string>> | undefined)?.['ca-cert.pem'];
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

function selfSignedRoot(secret: KubeObject | undefined): CertificateFacts | 'absent' {
  const text = selfSignedText(secret);
  if (text === undefined) return 'absent';
  const [certificate] = parseCertificates(text, 'ca-cert.pem of Secret istio-ca-secret').certificates;
  return certificate ? certificateFacts(certificate) : 'absent';
}

async function trustOfSecret(secret: () => Promise<CacertsSecret | 'absent'>): Promise<PushedTrust | 'absent'> {
  const found = await secret();
  return found === 'absent' ? found : pushedTrust('Secret cacerts', found);
}

async function trustOfFiles({ownCa}: ClusterQuestionOptions): Promise<PushedTrust | 'absent'> {
  return pushedTrust('the work directory', await ownCa());
}

function pushedTrust(from: string, {files, inspection}: OwnCa): PushedTrust | 'absent' {
  const {certificate, roots = []} = inspection;
  // What cannot be read is a finding of the checks on files and Secret.
  if (files.rootCert === undefined || !certificate) return 'absent';
  return {
    from,
    bundle: files.rootCert,
    roots: roots.map(({fingerprint}) => fingerprint),
    certificate: certificateFacts(certificate),
    ...(roots[0] && {firstRoot: certificateFacts(roots[0])}),
  };
}

/** Reads bundles. The same text stands in every namespace, of which there can be thousands: it is kept and parsed once. */
function writtenBundles(): (object: ConfigMapObject) => WrittenBundle {
  const read = new Map<string, Pick<WrittenBundle, 'text' | 'roots'>>();
  return ({metadata, data}) => {
    const text = data?.[bundleKey];
    const namespace = metadata.namespace ?? '';
    if (text === undefined) return {namespace, roots: []};
    const before = read.get(text);
    const bundle = before ?? {text, roots: fingerprintsOf(text)};
    if (!before) read.set(text, bundle);
    return {namespace, ...bundle};
  };
}

const unreadable: readonly ErrorCode[] = ['NOT_PEM', 'NOT_A_CERTIFICATE'];

/** A bundle that is no list of certificates has no roots; that it differs from the pushed one shows anyway. */
function fingerprintsOf(text: string): readonly string[] {
  try {
    return parseCertificates(text, bundleKey).certificates.map(({fingerprint}) => fingerprint);
  } catch (thrown) {
    if (thrown instanceof MeshError && unreadable.includes(thrown.code)) return [];
    throw thrown;
  }
}
