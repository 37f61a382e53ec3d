/** A pod with real processes: its sandbox, containers in their order, volumes that follow their objects, probes. */
import {once} from 'node:events';
import {chmodSync, mkdirSync} from 'node:fs';
import {get} from 'node:http';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Cluster} from '../cluster.js';
import {HarnessError, eventually, type Daemon} from '../processes.js';
import {isLive, readVolume, writeVolume, type Content} from '../volumes.js';
import type {Fabric} from './fabric.js';
import {entrypointOf} from './images.js';
import {PodSandbox, type Bind, type PodProgram} from './pod-sandbox.js';
import {
  argumentsOf,
  downwardFiles,
  environmentOf,
  userOf,
  type Container,
  type PodVolume,
  type Probe,
  type ProxyPod,
} from './pod-spec.js';

/** Waits between restarts of a dying container double from here, as a kubelet's do from 10 s. */
const firstBackoffMs = 500;
const longestBackoffMs = 8000;

/** A container and its process. */
export interface PlayedContainer {
  readonly container: Container;
  daemon?: Daemon;
  ready: boolean;
  restarts: number;
  exitCode?: number;
}

/** A program in a pod that runs until it is done or stopped. */
export interface PodTask {
  /** What it printed, once it has ended. */
  readonly ended: Promise<string>;
  /** Ends its standard input, upon which it finishes. */
  stop(): Promise<string>;
}

/** One pod. */
export class PlayedPod {
  readonly address: string;
  readonly started = new Date().toISOString();
  /** Containers that stay: sidecars first, as the spec lists them. */
  readonly running: readonly PlayedContainer[];
  /** Why the pod could not be started, once that is so. */
  problem: Error | undefined;
  #sandbox: PodSandbox | undefined;
  #stopping = false;
  #initialized = false;

  constructor(
    readonly cluster: Cluster,
    readonly pod: ProxyPod,
    private readonly fabric: Fabric,
    private readonly files: readonly Bind[],
  ) {
    this.address = fabric.allocate(cluster.name);
    const sidecars = (pod.spec.initContainers ?? []).filter(({restartPolicy}) => restartPolicy === 'Always');
    this.running = [...sidecars, ...pod.spec.containers].map((container) => ({container, ready: false, restarts: 0}));
  }

  /** True once the init containers are done. */
  get initialized(): boolean {
    return this.#initialized;
  }

  get ready(): boolean {
    return this.running.every(({ready}) => ready);
  }

  /** The pod's first process, as this process numbers it; undefined before it runs. */
  get pid(): number | undefined {
    return this.#sandbox?.pid;
  }

  /** Starts everything; resolves when all containers have been started. Errors end up in {@link problem}. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      if (!this.#stopping) this.problem = error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Brings volumes and readiness up to date. */
  async sync(): Promise<void> {
    if (this.#sandbox === undefined) return;
    for (const volume of this.pod.spec.volumes ?? []) {
      if (isLive(volume)) await this.#writeVolume(volume);
    }
    await Promise.all(
      this.running.map(async (played) => {
        const alive = played.daemon?.running() === true;
        played.ready = alive && (await this.#probe(played.container.readinessProbe));
      }),
    );
  }

  /** Starts a program in the pod, as root, that ends at the latest when its standard input does. */
  begin(command: PodProgram['command']): PodTask {
    const stopping = new AbortController();
    const ended = this.exec(command, once(stopping.signal, 'abort'));
    // A failure is reported to those who wait for the end, at whatever time.
    ended.catch(() => undefined);
    return {
      ended,
      stop: () => {
        stopping.abort();
        return ended;
      },
    };
  }

  /** Runs a program in the pod, as root. */
  async exec(command: PodProgram['command'], inputUntil?: Promise<unknown>): Promise<string> {
    if (this.#sandbox === undefined) throw new HarnessError(`pod ${this.pod.metadata.name} is not running`);
    const ran = await this.#sandbox.run({command}, {...(inputUntil && {inputUntil})});
    if (ran.code !== 0) throw new HarnessError(`${command.join(' ')} in ${this.pod.metadata.name}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** Ends the pod and frees its address. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.running.map(async ({daemon}) => daemon?.stop()));
    await this.#sandbox?.stop();
    this.fabric.release(this.cluster.name, this.address);
  }

  async #start(): Promise<void> {
    const {metadata, spec} = this.pod;
    for (const volume of spec.volumes ?? []) {
      await eventually(`volume ${volume.name} of ${metadata.name}`, () => this.#writeVolume(volume));
    }
    const name = `${this.cluster.name}.${metadata.name}`;
    const sandbox = await PodSandbox.create(this.cluster.sandbox, {
      name,
      hostname: metadata.name,
      directory: this.#directory,
      binds: [...this.files, ...this.#mounts()],
    });
    this.#sandbox = sandbox;
    await this.fabric.attach(this.cluster.name, this.address, sandbox.pid);
    for (const container of spec.initContainers ?? []) {
      const sidecar = this.running.find((played) => played.container === container);
      if (sidecar !== undefined) {
        this.#keepRunning(sandbox, sidecar);
        await eventually(
          `startup of ${container.name}`,
          async () => (await this.#probe(container.startupProbe)) || undefined,
        );
        continue;
      }
      const ran = await sandbox.run(this.#program(container));
      if (ran.code !== 0) throw new HarnessError(`${container.name} of ${name} failed:\n${ran.stdout}${ran.stderr}`);
    }
    this.#initialized = true;
    for (const played of this.running) {
      if (played.daemon === undefined && spec.containers.includes(played.container)) this.#keepRunning(sandbox, played);
    }
  }

  #keepRunning(sandbox: PodSandbox, played: PlayedContainer): void {
    if (this.#stopping) return;
    const daemon = sandbox.start(played.container.name, this.#program(played.container));
    played.daemon = daemon;
    void daemon.ended.then(async ({code}) => {
      played.ready = false;
      played.exitCode = code ?? 137;
      await sleep(Math.min(firstBackoffMs * 2 ** played.restarts, longestBackoffMs));
      played.restarts++;
      this.#keepRunning(sandbox, played);
    });
  }

  #program(container: Container): PodProgram {
    const command = container.command ?? entrypointOf(container.image);
    if (command === undefined) throw new HarnessError(`nothing stands in for image ${container.image}`);
    const env = environmentOf(this.pod, container, this.address);
    const [program = '', ...rest] = command;
    return {command: [program, ...rest, ...argumentsOf(container, env)], env, user: userOf(this.pod, container)};
  }

  get #directory(): string {
    return join(this.cluster.sandbox.dir, 'pods', this.pod.metadata.uid);
  }

  #volumeDirectory(volume: {readonly name: string}): string {
    return join(this.#directory, 'volumes', volume.name);
  }

  /** The volumes of all containers, in their one root directory. */
  #mounts(): readonly Bind[] {
    const {initContainers = [], containers} = this.pod.spec;
    const places = new Map<string, string>();
    for (const {name, mountPath} of [...initContainers, ...containers].flatMap(({volumeMounts = []}) => volumeMounts)) {
      const other = places.get(mountPath);
      if (other !== undefined && other !== name)
        throw new HarnessError(`two volumes at ${mountPath}: ${other}, ${name}`);
      places.set(mountPath, name);
    }
    return [...places].map(([target, name]) => ({source: this.#volumeDirectory({name}), target, kind: 'directory'}));
  }

  /** Undefined while an object that the volume needs does not exist. */
  async #writeVolume(volume: PodVolume): Promise<true | undefined> {
    const directory = this.#volumeDirectory(volume);
    if (volume.emptyDir !== undefined) {
      mkdirSync(directory, {recursive: true});
      chmodSync(directory, 0o777);
      return true;
    }
    const content = await this.#content(volume);
    // Whatever user a container has, it may read its volumes (fsGroup, as Istio sets it).
    if (content !== undefined) writeVolume(directory, content, 0o644);
    return content && true;
  }

  async #content(volume: PodVolume): Promise<Content | undefined> {
    if (volume.downwardAPI !== undefined) return downwardFiles(this.pod, volume);
    const {namespace} = this.pod.metadata;
    const owner = {namespace, serviceAccount: this.pod.spec.serviceAccountName ?? 'default'};
    return readVolume(this.cluster.api, owner, volume);
  }

  /** True for a container without the probe. */
  #probe(probe: Probe | undefined): Promise<boolean> {
    const path = probe?.httpGet?.path ?? '/';
    const port = probe?.httpGet?.port;
    if (port === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const sent = get({host: this.address, port, path, timeout: 1000, agent: false}, (response) => {
        response.resume();
        resolve((response.statusCode ?? 500) < 400);
      });
      sent.on('timeout', () => sent.destroy());
      sent.on('error', () => {
        resolve(false);
      });
    });
  }
}
