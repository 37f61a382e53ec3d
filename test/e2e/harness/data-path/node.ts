/**
 * The kubelet of one cluster's pods with Istio's proxy, from any Deployment (of a test, of istioctl, of the program):
 * real processes for each scheduled pod, and an accurate status with the address at which other pods reach it.
 */
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Cluster} from '../cluster.js';
import {allowForwards, endForwards, toLoopbackOf} from '../forwards.js';
import {Loop} from '../loop.js';
import {HarnessError, eventually} from '../processes.js';
import type {Fabric} from './fabric.js';
import type {Bind} from './pod-sandbox.js';
import {hasProxy, type ProxyPod} from './pod-spec.js';
import {PlayedPod, type PlayedContainer} from './played-pod.js';

const intervalMs = 500;

/** A pod and what was last written for it. */
interface Entry {
  readonly played: PlayedPod;
  /** The status, as JSON. */
  written: string;
  /** `kubectl port-forward` can reach it. */
  hasForwards: boolean;
}

/** The node on which one cluster's pods with a proxy run. */
export class Node {
  readonly #entries = new Map<string, Entry>();
  readonly #loop = new Loop(intervalMs, () => this.#sync());

  /** /etc/hosts of the pods, kept up to date by services.ts. */
  readonly hostsFile: string;
  readonly #files: readonly Bind[];

  /** `files` is what images bring (images.ts). */
  constructor(
    readonly cluster: Cluster,
    private readonly fabric: Fabric,
    files: readonly Bind[],
  ) {
    this.hostsFile = join(cluster.sandbox.dir, `${cluster.name}.hosts`);
    writeFileSync(this.hostsFile, '127.0.0.1 localhost\n');
    this.#files = [...files, {source: this.hostsFile, target: '/etc/hosts', kind: 'file'}];
  }

  /** Begins to look for pods; goes on until {@link stop}, also while the API server is away. */
  start(): void {
    this.#loop.start();
  }

  /** Ends every pod and leaves the objects as they are. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all([...this.#entries.values()].map(({played}) => played.stop()));
    this.#entries.clear();
  }

  /** The pods that run now. */
  get pods(): readonly PlayedPod[] {
    return [...this.#entries.values()].map(({played}) => played);
  }

  /** Waits for a ready pod of a namespace with these labels; throws what kept it from starting. */
  async readyPod(namespace: string, labels: Readonly<Record<string, string>>, timeoutMs = 240_000): Promise<PlayedPod> {
    const wanted = Object.entries(labels);
    const matching = (): PlayedPod[] =>
      this.pods.filter(
        ({pod: {metadata}}) =>
          metadata.namespace === namespace && wanted.every(([key, value]) => metadata.labels?.[key] === value),
      );
    const found = await eventually(
      `a ready pod with ${JSON.stringify(labels)} in ${this.cluster.name}`,
      () => matching().find(({ready, problem}) => ready || problem !== undefined),
      timeoutMs,
    );
    if (found.problem !== undefined) throw new HarnessError('a pod could not be started', {cause: found.problem});
    return found;
  }

  async #sync(): Promise<void> {
    const all = await this.cluster.api.list<ProxyPod>('/api/v1/pods');
    const wanted = all.filter(
      (pod) =>
        hasProxy(pod) &&
        pod.spec.nodeName !== undefined &&
        pod.metadata.deletionTimestamp === undefined &&
        !['Failed', 'Succeeded'].includes(pod.status?.phase ?? ''),
    );
    const uids = new Set(wanted.map((pod) => pod.metadata.uid));
    for (const [uid, {played}] of this.#entries) {
      if (uids.has(uid)) continue;
      this.#entries.delete(uid);
      void played.stop();
      await endForwards(this.cluster.api, played.pod.metadata);
    }
    await Promise.all(wanted.map((pod) => this.#syncPod(pod)));
  }

  async #syncPod(pod: ProxyPod): Promise<void> {
    const {name, namespace, uid} = pod.metadata;
    let entry = this.#entries.get(uid);
    if (entry === undefined) {
      entry = {played: new PlayedPod(this.cluster, pod, this.fabric, this.#files), written: '', hasForwards: false};
      this.#entries.set(uid, entry);
      void entry.played.start();
    }
    await entry.played.sync();
    await this.#allowForwards(entry);
    const status = statusOf(entry.played);
    const text = JSON.stringify(status);
    if (text === entry.written) return;
    await this.cluster.api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, {status});
    entry.written = text;
  }

  /** Before the pod is Ready, upon which users begin. */
  async #allowForwards(entry: Entry): Promise<void> {
    const {pid, pod} = entry.played;
    if (entry.hasForwards || pid === undefined) return;
    await allowForwards(
      this.cluster.api,
      pod.metadata,
      portsOf(pod).map((port) => toLoopbackOf(pid, port)),
    );
    entry.hasForwards = true;
  }
}

/** The ports that the containers declare. */
function portsOf({spec}: ProxyPod): readonly number[] {
  const declared = [...(spec.initContainers ?? []), ...spec.containers].flatMap(({ports = []}) => ports);
  return [...new Set(declared.map(({containerPort}) => containerPort))];
}

/** The status a kubelet writes: phase, conditions, address, state of the containers. */
function statusOf(played: PlayedPod): object {
  const {pod, address, started, initialized, ready, running, problem} = played;
  const condition = (type: string, value: boolean): object => ({type, status: value ? 'True' : 'False'});
  const begun = running.some(({daemon, restarts}) => daemon !== undefined || restarts > 0);
  const containers = running.filter(({container}) => pod.spec.containers.includes(container));
  const sidecars = running.filter(({container}) => !pod.spec.containers.includes(container));
  return {
    phase: initialized && begun ? 'Running' : 'Pending',
    ...(problem !== undefined && {message: problem.message.slice(0, 1000)}),
    startTime: started,
    hostIP: '127.0.0.1',
    podIP: address,
    podIPs: [{ip: address}],
    conditions: [
      condition('PodScheduled', true),
      condition('Initialized', initialized),
      condition('ContainersReady', ready),
      condition('Ready', ready),
    ],
    containerStatuses: containers.map(containerStatus),
    initContainerStatuses: sidecars.map(containerStatus),
  };
}

function containerStatus({container, daemon, ready, restarts, exitCode}: PlayedContainer): object {
  const runs = daemon?.running() === true;
  const {name, image} = container;
  return {
    name,
    image,
    imageID: '',
    ready,
    started: runs,
    restartCount: restarts,
    state: runs ? {running: {}} : {waiting: {reason: restarts > 0 ? 'CrashLoopBackOff' : 'ContainerCreating'}},
    lastState: exitCode === undefined ? {} : {terminated: {exitCode, reason: exitCode === 0 ? 'Completed' : 'Error'}},
  };
}
