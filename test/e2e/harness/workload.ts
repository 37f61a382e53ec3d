/**
 * A real workload identity: Istio's agent, without Envoy, gets a certificate from a cluster's istiod with a service account
 * token and keeps it renewed, as the agent in a sidecar does. It writes cert-chain.pem, key.pem and root-cert.pem.
 */
import {X509Certificate, createPrivateKey} from 'node:crypto';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {DataResource} from './api.js';
import type {Cluster} from './cluster.js';
import {eventually, freePorts, type Daemon} from './processes.js';

/** A certificate chain with its key and the roots its owner trusts: what a sidecar holds. */
export interface Identity {
  readonly name: string;
  /** PEM: the leaf first. */
  readonly certificates: string;
  /** PEM. */
  readonly key: string;
  /** PEM: one root or several. */
  readonly roots: string;
  /** The URI in the leaf. */
  readonly spiffeId: string;
}

/** Who the workload is. */
export interface WorkloadOptions {
  /** Default `default`. */
  readonly namespace?: string;
  /** Default `default`. */
  readonly serviceAccount?: string;
  readonly trustDomain?: string;
  /** Life of a certificate, in seconds; it is renewed at half of it. Default 3600. */
  readonly ttlSeconds?: number;
  /** What the mesh's proxyMetadata gives every sidecar as environment. */
  readonly proxyMetadata?: Readonly<Record<string, string>>;
}

/** A running agent. */
export interface Workload {
  readonly daemon: Daemon;
  /** The certificate, key and roots as they are on disk now. */
  identity(): Promise<Identity>;
  stop(): Promise<void>;
}

/** Starts an agent against the cluster's ready istiod and waits for its first certificate. */
export async function startWorkload(cluster: Cluster, options: WorkloadOptions = {}): Promise<Workload> {
  const {
    namespace = 'default',
    serviceAccount = 'default',
    trustDomain = 'cluster.local',
    ttlSeconds = 3600,
    proxyMetadata = {},
  } = options;
  const {api, sandbox, planes, name} = cluster;
  const istiod = await cluster.kubelet?.readyIstiod();
  const roots = await eventually(`ConfigMap istio-ca-root-cert in ${namespace} of ${name}`, async () => {
    const map = await api.find<DataResource>(`/api/v1/namespaces/${namespace}/configmaps/istio-ca-root-cert`);
    return map?.data?.['root-cert.pem'];
  });
  const [statusPort = 0] = await freePorts(1);
  const id = `agent-${name}-${String(statusPort)}`;
  const directory = join(sandbox.dir, id);
  const certs = join(directory, 'certs');
  const rootFile = join(directory, 'root-cert.pem');
  const tokens = join(directory, 'var/run/secrets/tokens');
  for (const folder of [certs, tokens]) mkdirSync(folder, {recursive: true});
  writeFileSync(rootFile, roots);
  writeFileSync(join(tokens, 'istio-token'), await api.token(namespace, serviceAccount, ['istio-ca']));
  // `localhost`, since only for it the agent expects istiod's own name in the certificate (pilot/cmd/pilot-agent/options).
  const discoveryAddress = `localhost:${String(istiod?.ports[15012] ?? 0)}`;
  const daemon = sandbox.start({
    name: id,
    command: planes.path('pilot-agent'),
    args: ['proxy', 'sidecar', '--domain', `${namespace}.svc.cluster.local`],
    cwd: directory,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      DISABLE_ENVOY: 'true',
      OUTPUT_CERTS: certs,
      POD_NAME: id,
      POD_NAMESPACE: namespace,
      INSTANCE_IP: '127.0.0.1',
      SERVICE_ACCOUNT: serviceAccount,
      ISTIO_META_CLUSTER_ID: await clusterId(cluster),
      TRUST_DOMAIN: trustDomain,
      CA_ADDR: discoveryAddress,
      XDS_ROOT_CA: rootFile,
      CA_ROOT_CA: rootFile,
      SECRET_TTL: `${String(ttlSeconds)}s`,
      PROXY_CONFIG_XDS_AGENT: 'true',
      ...proxyMetadata,
      PROXY_CONFIG: JSON.stringify({discoveryAddress, statusPort, proxyMetadata: {PROXY_CONFIG_XDS_AGENT: 'true'}}),
    },
  });
  const workload = {
    daemon,
    identity: () => readIdentity(certs, `${name}/${namespace}/${serviceAccount}`),
    stop: () => daemon.stop(),
  };
  await workload.identity();
  return workload;
}

/** The name istiod knows the cluster by: it refuses clients that claim another. */
async function clusterId({api}: Cluster): Promise<string> {
  const deployment = await api.get<IstiodDeployment>('/apis/apps/v1/namespaces/istio-system/deployments/istiod');
  const environment = deployment.spec.template.spec.containers[0]?.env ?? [];
  return environment.find((variable) => variable.name === 'CLUSTER_ID')?.value ?? 'Kubernetes';
}

interface IstiodDeployment {
  readonly metadata: {readonly name: string};
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {readonly env?: readonly {readonly name: string; readonly value?: string}[]}[];
      };
    };
  };
}

/** Reads the agent's three files; they are not written together, so they are read again until they match. */
function readIdentity(directory: string, name: string): Promise<Identity> {
  return eventually(`a certificate of ${name}`, () => {
    const [certificates, key, roots] = ['cert-chain.pem', 'key.pem', 'root-cert.pem'].map((file) =>
      readFileSync(join(directory, file), 'utf8'),
    );
    if (!certificates || !key || !roots) return undefined;
    const leaf = new X509Certificate(certificates);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) return undefined;
    return {name, certificates, key, roots, spiffeId: spiffeId(leaf.subjectAltName) ?? ''};
  });
}

/** The SPIFFE ID among a certificate's names, as node:crypto and node:tls print them. */
export function spiffeId(subjectAltName: string | undefined): string | undefined {
  return /URI:(spiffe:\/\/[^\s,"]+)/.exec(subjectAltName ?? '')?.[1];
}
