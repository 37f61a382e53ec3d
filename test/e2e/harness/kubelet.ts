/**
 * Plays the kubelet for the pods of istiod's Deployments in one cluster: a process for each scheduled pod, its volumes kept
 * up to date, its status accurate (not ready until istiod's probe succeeds, CrashLoopBackOff when it keeps failing). Whatever
 * makes a new pod (`kubectl rollout restart`, a changed template, a deleted pod) therefore makes a new istiod.
 */
import {join} from 'node:path';
import type {Api} from './api.js';
import type {ControlPlanes} from './control-planes.js';
import {allowForwards, endForwards} from './forwards.js';
import {imageOf, isReady, istiodPorts, mountDirectory, startIstiod, type IstiodPorts, type Pod} from './istiod.js';
import {Loop} from './loop.js';
import {HarnessError, eventually, type Daemon, type Sandbox} from './processes.js';
import {isLive, readVolume, writeVolume} from './volumes.js';

/** How often the kubelet looks. Real ones sync Secrets every minute or so; tests want to see it sooner. */
const intervalMs = 300;
/** Waits between restarts of a dying container double from here, as a kubelet's do from 10 s. */
const firstBackoffMs = 500;
const longestBackoffMs = 8000;
/** A pod's terminationGracePeriodSeconds, by default. */
const terminationGraceMs = 30_000;

/** A pod and the istiod that plays it. */
export interface PlayedPod {
  readonly name: string;
  readonly namespace: string;
  /** Where the process listens: container port to port of 127.0.0.1. */
  readonly ports: IstiodPorts;
  readonly log: string;
  readonly pid: number | undefined;
  readonly ready: boolean;
}

interface Played {
  readonly pod: Pod;
  readonly root: string;
  readonly ports: IstiodPorts;
  readonly started: string;
  daemon?: Daemon;
  ready: boolean;
  /** False: there is no program for the pod's image. */
  pulled: boolean;
  restarts: number;
  exitCode?: number;
  /** Not before this time, ms since the epoch. */
  restartAt: number;
  /** The status last written, as JSON: written again only when it changes. */
  written: string;
}

/** One cluster's kubelet for istiod. */
export class Kubelet {
  readonly #played = new Map<string, Played>();
  /** Names of pods whose volumes do not follow. */
  readonly #held = new Set<string>();
  readonly #loop = new Loop(intervalMs, () => this.sync());

  constructor(
    readonly api: Api,
    readonly sandbox: Sandbox,
    readonly planes: ControlPlanes,
    readonly cluster: string,
  ) {}

  /** Begins to look for pods; goes on until {@link stop}, also while the API server is away. */
  start(): void {
    this.#loop.start();
  }

  /** Stops every istiod and leaves the pods as they are. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await Promise.all([...this.#played.values()].map(async (played) => played.daemon?.stop()));
    this.#played.clear();
  }

  /** The pods played now. */
  get pods(): readonly PlayedPod[] {
    return [...this.#played.values()].map(({pod, ports, daemon, ready}) => ({
      name: pod.metadata.name,
      namespace: pod.metadata.namespace,
      ports,
      log: daemon?.log ?? '',
      pid: daemon?.running() === true ? daemon.pid : undefined,
      ready,
    }));
  }

  /** Waits for the first ready istiod. */
  readyIstiod(timeoutMs = 60_000): Promise<PlayedPod> {
    return eventually(`a ready istiod in ${this.cluster}`, () => this.pods.find((pod) => pod.ready), timeoutMs);
  }

  /**
   * From now on the volumes of one pod no longer follow their Secrets and ConfigMaps, as on a node whose kubelet is stuck:
   * this replica keeps what it has, the others go on. Its successor (another name) is not held.
   */
  holdVolumes(pod: string): void {
    this.#held.add(pod);
  }

  /** Lets them follow again. */
  releaseVolumes(pod: string): void {
    this.#held.delete(pod);
  }

  private async sync(): Promise<void> {
    const pods = await this.api.list<Pod>('/api/v1/pods?labelSelector=app%3Distiod');
    const wanted = pods.filter(
      ({metadata, spec, status}) =>
        spec.nodeName !== undefined && metadata.deletionTimestamp === undefined && !hasEnded(status?.phase),
    );
    const uids = new Set(wanted.map((pod) => pod.metadata.uid));
    for (const [uid, played] of this.#played) {
      if (!uids.has(uid)) await this.remove(uid, played);
    }
    for (const pod of wanted) {
      const played = this.#played.get(pod.metadata.uid) ?? (await this.admit(pod));
      await this.syncPod(played).catch((error: unknown) => {
        // A pod that went away meanwhile; the next round sees it.
        if (!(error instanceof HarnessError)) throw error;
      });
    }
  }

  private async admit(pod: Pod): Promise<Played> {
    const {uid} = pod.metadata;
    const ports = await istiodPorts();
    const root = join(this.sandbox.dir, 'pods', uid);
    const forwards = ([8080, 15010, 15012, 15014, 15017] as const).map((port) => ({
      ports: [port] as const,
      target: {address: '127.0.0.1', port: ports[port]},
    }));
    await allowForwards(this.api, pod.metadata, forwards);
    const started = new Date().toISOString();
    const played = {pod, root, ports, started, ready: false, pulled: true, restarts: 0, restartAt: 0, written: ''};
    this.#played.set(uid, played);
    return played;
  }

  private async remove(uid: string, played: Played): Promise<void> {
    this.#played.delete(uid);
    // In the background: istiod serves its clients for ten more seconds, and its successor is already there.
    void played.daemon?.stop(terminationGraceMs);
    await endForwards(this.api, played.pod.metadata);
  }

  private async syncPod(played: Played): Promise<void> {
    const mounted = await this.syncVolumes(played);
    if (played.daemon === undefined && mounted && Date.now() >= played.restartAt) await this.launch(played);
    played.ready = played.daemon !== undefined && (await isReady(played.ports));
    await this.writeStatus(played);
  }

  /** False while something that must be mounted does not exist: the container is not started then. */
  private async syncVolumes(played: Played): Promise<boolean> {
    const {pod, root} = played;
    if (played.daemon !== undefined && this.#held.has(pod.metadata.name)) return true;
    const owner = {namespace: pod.metadata.namespace, serviceAccount: pod.spec.serviceAccountName ?? 'default'};
    for (const volume of pod.spec.volumes ?? []) {
      const directory = mountDirectory(root, pod, volume);
      if (directory === undefined || (played.daemon !== undefined && !isLive(volume))) continue;
      const content = await readVolume(this.api, owner, volume);
      if (content === undefined) return false;
      writeVolume(directory, content);
    }
    return true;
  }

  private async launch(played: Played): Promise<void> {
    const program = this.planes.istiod(imageOf(played.pod));
    played.pulled = program !== undefined;
    if (program === undefined) return;
    const daemon = await startIstiod(this.sandbox, program, this.api, played.pod, played.root, played.ports);
    played.daemon = daemon;
    void daemon.ended.then(({code}) => {
      if (played.daemon !== daemon) return;
      delete played.daemon;
      played.exitCode = code ?? 137;
      played.ready = false;
      played.restartAt = Date.now() + Math.min(firstBackoffMs * 2 ** played.restarts, longestBackoffMs);
      played.restarts++;
    });
  }

  private async writeStatus(played: Played): Promise<void> {
    const status = podStatus(played);
    const text = JSON.stringify(status);
    if (text === played.written) return;
    const {name, namespace} = played.pod.metadata;
    await this.api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, {status});
    played.written = text;
  }
}

/** A kubelet never starts again what was evicted or is completed. */
function hasEnded(phase: string | undefined): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}

/** The status a kubelet writes: phase, conditions, container state. */
function podStatus({pod, ports, daemon, ready, pulled, restarts, exitCode, started}: Played): object {
  const running = daemon !== undefined;
  // Different for every pod, and reachable for none: port-forward leads to the process (PortForward objects).
  const address = `10.128.${String(ports[8080] >> 8)}.${String(ports[8080] & 255)}`;
  const condition = (type: string, value: boolean): object => ({
    type,
    status: value ? 'True' : 'False',
    ...(!value && {reason: 'ContainersNotReady'}),
  });
  const waiting = !pulled ? 'ErrImagePull' : restarts > 0 ? 'CrashLoopBackOff' : 'ContainerCreating';
  return {
    // A pod whose containers have been started once is Running, even while they crash.
    phase: running || restarts > 0 ? 'Running' : 'Pending',
    startTime: started,
    hostIP: '127.0.0.1',
    podIP: address,
    podIPs: [{ip: address}],
    conditions: [
      condition('PodScheduled', true),
      condition('Initialized', true),
      condition('ContainersReady', ready),
      condition('Ready', ready),
    ],
    containerStatuses: pod.spec.containers.map(({name, image}) => ({
      name,
      image,
      imageID: '',
      ready,
      started: running,
      restartCount: restarts,
      state: running ? {running: {startedAt: started}} : {waiting: {reason: waiting}},
      lastState: exitCode === undefined ? {} : {terminated: {exitCode, reason: exitCode === 0 ? 'Completed' : 'Error'}},
    })),
  };
}
