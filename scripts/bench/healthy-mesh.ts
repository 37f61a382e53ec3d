/**
 * A healthy mesh without any cluster: the fake clusters and istiods of verify's tests
 * (test/helpers/verify-mesh.ts). Every run of verify requires the verdict ok, so a new check that needs another fact
 * fails the scenario until the tests' mesh has that fact.
 */
import type {FakeCluster, FakeObject} from '../../test/helpers/fake-kubectl/fake-cluster.js';
import {pod} from '../../test/helpers/trust-mesh.js';
import {verifiedMesh, type VerifiedMesh} from '../../test/helpers/verify-mesh.js';
import {BenchError} from './bench-error.js';
import {runNode, type Usage} from './node-usage.js';
import type {Sandbox} from './sandbox.js';

const namespaceName = 'istio-system';
const istiodName = `${namespaceName}/istiod`;

/** The size of a mesh. */
export interface MeshSize {
  readonly clusters: number;
  /** istiod pods in each cluster. */
  readonly istiods: number;
}

/** The mesh, and the commands that are measured on it. */
export class HealthyMesh {
  private constructor(
    readonly program: string,
    readonly sandbox: Sandbox,
    readonly mesh: VerifiedMesh,
  ) {}

  /** Creates the mesh, pushes every CA and verifies the mesh; the sandbox removes it. */
  static async create(program: string, sandbox: Sandbox, {clusters, istiods}: MeshSize): Promise<HealthyMesh> {
    const mesh = await verifiedMesh(...Array.from({length: clusters}, (_, index) => `c${String(index + 1)}`));
    sandbox.onClose(() => mesh.stop());
    for (const {kube} of mesh.clusters) scaleIstiod(kube, istiods);
    const healthy = new HealthyMesh(program, sandbox, mesh);
    await healthy.push();
    await healthy.verify();
    return healthy;
  }

  get clusters(): readonly FakeCluster[] {
    return this.mesh.clusters.map(({kube}) => kube);
  }

  /** The environment of this process, with the fake kubectl first on PATH. */
  get environment(): NodeJS.ProcessEnv {
    return {...process.env, PATH: this.mesh.kube.path};
  }

  /** Delay of every API response. Milliseconds. */
  set latencyMs(latency: number) {
    for (const cluster of this.clusters) cluster.latencyMs = latency;
  }

  /** Runs a command of the program on this mesh. Throws `BenchError` when it does not exit with 0. */
  run(...args: string[]): Promise<Usage> {
    return runNode(this.sandbox, {
      args: [this.program, ...args],
      cwd: this.mesh.dir,
      env: this.environment,
    });
  }

  /** `trust push` as before Istio's installation: without namespace, Secret and istiod, which it then restores. */
  async push(): Promise<Usage> {
    const deployments = this.clusters.map(istiodOf);
    for (const cluster of this.clusters) {
      for (const name of ['cacerts', 'cacerts-previous']) cluster.remove('Secret', `${namespaceName}/${name}`);
      cluster.remove('Deployment', istiodName);
      cluster.remove('Namespace', namespaceName);
    }
    const usage = await this.run('trust', 'push');
    for (const [index, cluster] of this.clusters.entries()) cluster.put(deployments[index]!);
    const missing = this.clusters.filter((cluster) => !cluster.get('Secret', `${namespaceName}/cacerts`));
    if (missing.length > 0) throw new BenchError(`trust push left ${String(missing.length)} clusters without cacerts`);
    return usage;
  }

  /** Runs `verify`. Throws `BenchError` when the verdict is not ok: a warning, too, makes the exit code 3. */
  verify(...flags: string[]): Promise<Usage> {
    return this.run('verify', '--fail-on', 'warning', ...flags);
  }

  /** The kubectl processes that a run started: the command of each, by context (`` where it has none). */
  async kubectlProcesses(run: () => Promise<unknown>): Promise<ReadonlyMap<string, readonly string[]>> {
    const before = this.mesh.kube.calls.length;
    await run();
    const started = new Map<string, string[]>();
    for (const {args} of this.mesh.kube.calls.slice(before)) {
      const context = args.find((arg) => arg.startsWith('--context='))?.slice('--context='.length) ?? '';
      const command = args.find((arg) => !arg.startsWith('-')) ?? '';
      started.set(context, [...(started.get(context) ?? []), command]);
    }
    return started;
  }
}

/** The name of an istiod pod; the tests' mesh has the first. */
export function istiodPod(index: number): string {
  return `istiod-${String(index + 1)}`;
}

/** The Deployment of istiod. Throws `BenchError` when the cluster has none. */
function istiodOf(cluster: FakeCluster): FakeObject {
  const deployment = cluster.get('Deployment', istiodName);
  if (!deployment) throw new BenchError(`the fake cluster ${cluster.context} has no istiod`);
  return deployment;
}

/** Gives the istiod of a cluster this many pods, all of which respond like the first. */
function scaleIstiod(cluster: FakeCluster, replicas: number): void {
  const deployment = istiodOf(cluster);
  const ports = cluster.forwards[istiodPod(0)];
  if (!ports) throw new BenchError(`the fake cluster ${cluster.context} has no port-forward to istiod`);
  cluster.put({...deployment, spec: {...(deployment.spec as object), replicas}});
  for (const name of Array.from({length: replicas}, (_, index) => istiodPod(index))) {
    cluster.put(pod(`${namespaceName}/${name}`, {}, {app: 'istiod'}));
    cluster.forwards[name] = ports;
  }
}
