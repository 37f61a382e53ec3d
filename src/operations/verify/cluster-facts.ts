/** Facts of one cluster, from its API server and its running istiods. */
import type {
  ClusterFactValues,
  ClusterCaFacts,
  CacertsFacts,
  CertificateFacts,
  ControlPlaneFacts,
  PushedTrust,
  WrittenBundle,
} from '../../domain/checks/facts.js';
import {certificateFacts, clusterCaFacts} from '../../domain/checks/read/cluster-ca.js';
import type {ConfigMapObject, ControlPlaneObjects} from '../../domain/checks/read/control-plane.js';
import {readControlPlanes, readGateways} from '../../domain/checks/read/control-plane.js';
import {podsOfSelector} from '../../domain/checks/read/pods.js';
import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {caFilesOfSecret} from '../../domain/pki/ca-files.js';
import type {CaFiles} from '../../domain/pki/ca-files.js';
import {parseCertificates} from '../../domain/pki/certificate.js';
import {Sensitive} from '../../domain/sensitive.js';
import type {Deps} from '../../engine/deps.js';
import type {ClusterReads} from './cluster-reads.js';
import {probeIstiods} from './live-facts.js';
import type {Questions} from './workdir-facts.js';

/** What shapes the questions besides the cluster. */
export interface ClusterQuestionOptions {
  readonly deps: Deps;
  readonly mesh: Mesh;
  readonly cluster: MeshCluster;
  readonly reads: ClusterReads;
  /** `--no-secrets`: what istiod should have loaded is then taken from the work directory. */
  readonly noSecrets: boolean;
  readonly caFiles: () => Promise<ClusterCaFacts>;
}

type ApiFacts = Omit<ClusterFactValues, 'caFiles' | 'installFile'>;

const bundleKey = 'root-cert.pem';
const defaultBundleName = 'istio-ca-root-cert';

/** The questions about one cluster. */
export function clusterQuestions(options: ClusterQuestionOptions): Questions<ApiFacts> {
  const {deps, mesh, reads} = options;
  const controlPlanes = async (): Promise<readonly ControlPlaneFacts[]> =>
    readControlPlanes({...(await objects(reads)), configMaps: await reads.configMaps()});
  return {
    apiVersion: reads.version,
    access: reads.access,
    clusterUid: async () => {
      const {metadata} = await reads.kubeSystem();
      if (metadata.uid === undefined) throw new MeshError('API_ERROR', 'the namespace kube-system has no UID');
      return metadata.uid;
    },
    cacerts: async () => {
      const secret = await reads.secret('cacerts');
      return secret === undefined ? 'absent' : cacertsFacts(secret, deps.now(), mesh);
    },
    selfSignedRoot: async () => selfSignedRoot(await reads.secret('istio-ca-secret')),
    pushedTrust: () => (options.noSecrets ? trustOfFiles(options) : trustOfSecret(options)),
    bundles: async () => {
      const [first] = await controlPlanes();
      return (await reads.bundles(first?.bundleName ?? defaultBundleName)).map(writtenBundle);
    },
    namespaces: async () =>
      (await reads.namespaces()).map(({metadata}) => ({
        name: metadata.name,
        labels: metadata.labels ?? {},
        terminating: metadata.deletionTimestamp !== undefined,
      })),
    controlPlanes,
    gateways: async () => readGateways(await objects(reads)),
    servedChains: async () => probeIstiods(deps, reads, mesh.istio.namespace, await controlPlanes()),
  };
}

async function objects(reads: ClusterReads): Promise<Omit<ControlPlaneObjects, 'configMaps'>> {
  const [deployments, pods] = await Promise.all([reads.deployments(), reads.pods()]);
  return {deployments, podsOf: ({spec}) => podsOfSelector(pods, spec.selector)};
}

function cacertsFacts(secret: KubeObject, now: Date, mesh: Mesh): CacertsFacts {
  const files = filesOfSecret(secret);
  const facts = clusterCaFacts(files, {now, trustDomain: mesh.trustDomain, istioVersion: mesh.istio.version});
  const data = dataOf(secret);
  return {
    ...facts,
    type: typeof secret.type === 'string' ? secret.type : 'Opaque',
    foreignKeys: files.layout === 'tls' && data['ca-cert.pem'] !== undefined ? ['tls.crt'] : [],
  };
}

function filesOfSecret(secret: KubeObject): CaFiles {
  const data = dataOf(secret);
  const bytes = (key: string): Buffer | undefined => {
    const value = data[key];
    return value === undefined ? undefined : Buffer.from(value, 'base64');
  };
  return caFilesOfSecret(
    (key) => bytes(key)?.toString('utf8'),
    (key) => {
      const value = bytes(key);
      return value && new Sensitive(value.toString('utf8'));
    },
  );
}

function dataOf(secret: KubeObject): Readonly<Record<string, string | undefined>> {
  return (secret.data ?? {}) as Readonly<Record<string, string | undefined>>;
}

/** Only the certificate is looked at: the key beside it is none of our business. */
function selfSignedRoot(secret: KubeObject | undefined): CertificateFacts | 'absent' {
  const encoded = secret && dataOf(secret)['ca-cert.pem'];
  if (encoded === undefined || encoded === '') return 'absent';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const [certificate] = parseCertificates(text, 'ca-cert.pem of Secret istio-ca-secret').certificates;
  return certificate ? certificateFacts(certificate) : 'absent';
}

async function trustOfSecret({reads, deps, mesh}: ClusterQuestionOptions): Promise<PushedTrust | 'absent'> {
  const secret = await reads.secret('cacerts');
  if (!secret) return 'absent';
  return pushedTrust('Secret cacerts', filesOfSecret(secret).rootCert, cacertsFacts(secret, deps.now(), mesh));
}

async function trustOfFiles({deps, cluster, caFiles}: ClusterQuestionOptions): Promise<PushedTrust | 'absent'> {
  const bundle = await deps.workspace.readText(clusterLayout(cluster.name).rootCert);
  return pushedTrust('the work directory', bundle, await caFiles());
}

function pushedTrust(from: string, bundle: string | undefined, ca: ClusterCaFacts): PushedTrust | 'absent' {
  // What cannot be read is a finding of the checks on files and Secret.
  if (bundle === undefined || !ca.certificate) return 'absent';
  return {from, bundle, roots: ca.roots.map(({fingerprint}) => fingerprint), certificate: ca.certificate};
}

function writtenBundle({metadata, data}: ConfigMapObject): WrittenBundle {
  const text = data?.[bundleKey];
  const namespace = metadata.namespace ?? '';
  return text === undefined ? {namespace, roots: []} : {namespace, text, roots: fingerprintsOf(text)};
}

/** A bundle that is no list of certificates has no roots; that it differs from the pushed one shows anyway. */
function fingerprintsOf(text: string): readonly string[] {
  try {
    return parseCertificates(text, bundleKey).certificates.map(({fingerprint}) => fingerprint);
  } catch {
    return [];
  }
}
