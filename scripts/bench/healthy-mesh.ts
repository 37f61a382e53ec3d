/**
 * A mesh that verify finds healthy, without any cluster: a work directory made by the program itself, fake API servers
 * behind a fake kubectl, and for each istiod pod a TLS server that presents what an istiod with these files would.
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createServer, type Server} from 'node:tls';
import {parseCertificates} from '../../src/domain/pki/certificate.js';
import {openPrivateKey, writePrivateKey} from '../../src/domain/pki/private-key.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {configMap, type FakeCluster} from '../../test/helpers/fake-kubectl/fake-cluster.js';
import {type FakeKube, startFakeKube} from '../../test/helpers/fake-kubectl/fake-kube.js';
import {memorySigner, tinyLeaf} from '../../test/helpers/tiny-ca.js';
import {BenchError} from './bench-error.js';
import {runNode, type Usage} from './node-usage.js';
import type {Sandbox} from './sandbox.js';

const namespaceName = 'istio-system';
const securePort = '15012';
const istioVersion = '1.30.3';
const meshID = 'mesh1';
const network = 'network1';

/** How large a mesh. */
export interface MeshSize {
  readonly clusters: number;
  /** In each cluster. */
  readonly istiods: number;
}

/** The mesh and how to use it. */
export class HealthyMesh {
  readonly #names: readonly string[];

  private constructor(
    readonly program: string,
    readonly sandbox: Sandbox,
    readonly kube: FakeKube,
    readonly workDir: string,
    readonly size: MeshSize,
  ) {
    this.#names = clusterNames(size.clusters);
  }

  /** Makes it; taken away with the sandbox. */
  static async create(program: string, sandbox: Sandbox, size: MeshSize): Promise<HealthyMesh> {
    const kube = await startFakeKube(clusterNames(size.clusters));
    sandbox.onClose(() => kube.stop());
    const mesh = new HealthyMesh(program, sandbox, kube, sandbox.directory(), size);
    const contexts = clusterNames(size.clusters).map((name) => `${name}=${name}`);
    await mesh.run('init', ...contexts, '--mesh-id', meshID, '--network', network);
    await mesh.run('certs', 'generate', '--no-passphrase', '--key-algorithm', 'ecdsa-p256');
    await mesh.run('install', 'render', '--istio-version', istioVersion);
    await mesh.push();
    await mesh.#startControlPlanes();
    return mesh;
  }

  get clusters(): readonly FakeCluster[] {
    return this.#names.map((name) => this.kube.cluster(name));
  }

  /** With the fake kubectl first on PATH. */
  get environment(): NodeJS.ProcessEnv {
    return {...process.env, PATH: this.kube.path};
  }

  /** Added to the answer of every API request. Milliseconds. */
  set latencyMs(latency: number) {
    for (const cluster of this.clusters) cluster.latencyMs = latency;
  }

  /** A command of the program on this mesh. Throws `BenchError` when it does not exit with 0. */
  run(...args: string[]): Promise<Usage> {
    return runNode(this.sandbox, {
      args: [this.program, ...args],
      cwd: this.workDir,
      env: this.environment,
    });
  }

  /** `trust push` into clusters that have no namespace and no Secret of Istio. */
  async push(): Promise<Usage> {
    for (const cluster of this.clusters) {
      for (const name of ['cacerts', 'cacerts-previous']) cluster.remove('Secret', `${namespaceName}/${name}`);
      cluster.remove('Namespace', namespaceName);
    }
    const usage = await this.run('trust', 'push');
    const missing = this.clusters.filter((cluster) => !cluster.get('Secret', `${namespaceName}/cacerts`));
    if (missing.length > 0) throw new BenchError(`trust push left ${String(missing.length)} clusters without cacerts`);
    return usage;
  }

  /** `verify` of everything. */
  verify(): Promise<Usage> {
    return this.run('verify');
  }

  /** The kubectl processes that a run started: the command of each, by context (`` where none was named). */
  async kubectlProcesses(run: () => Promise<unknown>): Promise<ReadonlyMap<string, readonly string[]>> {
    const before = (await this.kube.calls()).length;
    await run();
    const started = new Map<string, string[]>();
    for (const {args} of (await this.kube.calls()).slice(before)) {
      const context = args.find((arg) => arg.startsWith('--context='))?.slice('--context='.length) ?? '';
      const command = args.find((arg) => !arg.startsWith('-')) ?? '';
      started.set(context, [...(started.get(context) ?? []), command]);
    }
    return started;
  }

  async #startControlPlanes(): Promise<void> {
    for (const name of this.#names) {
      const bundle = await readFile(join(this.workDir, name, 'root-cert.pem'), 'utf8');
      const cluster = this.kube.cluster(name);
      putControlPlane(cluster, name, this.size.istiods);
      for (const space of ['default', 'kube-system', namespaceName]) {
        cluster.put(configMap(`${space}/istio-ca-root-cert`, {'root-cert.pem': bundle}));
      }
      const istiod = await startIstiod(join(this.workDir, name));
      this.sandbox.onClose(() => closeServer(istiod.server));
      for (const pod of podNames(this.size.istiods)) cluster.forwards[pod] = {[securePort]: istiod.port};
    }
    await this.kube.saveForwards();
  }
}

function clusterNames(count: number): readonly string[] {
  return Array.from({length: count}, (_, index) => `cluster${String(index + 1)}`);
}

function podNames(count: number): readonly string[] {
  return Array.from({length: count}, (_, index) => `istiod-${String(index + 1)}`);
}

/** What istioctl leaves in a cluster, as far as verify looks at it. */
function putControlPlane(cluster: FakeCluster, name: string, istiods: number): void {
  const labels = {app: 'istiod', 'istio.io/rev': 'default'};
  cluster.put({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'istiod', namespace: namespaceName, labels},
    spec: {
      replicas: istiods,
      selector: {matchLabels: {app: 'istiod'}},
      template: {
        metadata: {labels},
        spec: {
          containers: [
            {
              name: 'discovery',
              image: `docker.io/istio/pilot:${istioVersion}`,
              env: [
                {name: 'REVISION', value: 'default'},
                {name: 'CLUSTER_ID', value: name},
              ],
            },
          ],
        },
      },
    },
  });
  for (const pod of podNames(istiods)) {
    cluster.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name: pod, namespace: namespaceName, labels},
      status: {phase: 'Running', conditions: [{type: 'Ready', status: 'True'}]},
    });
  }
  cluster.put(configMap(`${namespaceName}/istio`, {mesh: 'trustDomain: cluster.local\n'}));
  const values = JSON.stringify({global: {meshID, network}});
  cluster.put(configMap(`${namespaceName}/istio-sidecar-injector`, {values}));
}

/** A TLS server with a leaf of the cluster CA in this folder, and the chain above it. */
async function startIstiod(folder: string): Promise<{readonly server: Server; readonly port: number}> {
  const file = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const [certText, keyText, chainText] = await Promise.all(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem'].map(file));
  const [certificate] = parseCertificates(certText ?? '', 'ca-cert.pem').certificates;
  if (!certificate) throw new BenchError(`no certificate in ${folder}`);
  const key = await openPrivateKey(
    new Sensitive(keyText ?? ''),
    () => Promise.reject(new BenchError('a cluster key is encrypted')),
    'ca-key.pem',
  );
  const leaf = await tinyLeaf({key, certificate, signer: memorySigner(key)});
  const server = createServer({
    key: writePrivateKey(leaf.key).reveal(),
    cert: `${leaf.certificate.pem}${chainText ?? ''}`,
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new BenchError('the TLS server has no port');
  return {server, port: address.port};
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
