/**
 * Real Kubernetes control planes, on loopback by default: kwokctl starts etcd, API server, controller manager and scheduler as plain
 * processes; nodes and pods are played (kwok), istiod's pods by real istiods (kubelet.ts).
 */
import {existsSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse, stringify} from 'yaml';
import {Api} from './api.js';
import type {ControlPlanes} from './control-planes.js';
import {Kubelet} from './kubelet.js';
import {kwokConfig, loopback} from './kwok-config.js';
import {HarnessError, eventually, freePorts, output, run, type Sandbox} from './processes.js';

/** How a cluster is made. */
export interface ClusterOptions {
  /** Name of the cluster; its context is `kwok-NAME`. */
  readonly name: string;
  /** Default 2; 0 makes a cluster in which no pod can run. */
  readonly nodes?: number;
  /** False: kwok calls istiod's pods ready though nothing runs in them. Default true. */
  readonly playIstiod?: boolean;
  /** True: pods with Istio's proxy are run by data-path/node.ts, and kwok leaves them alone. Default false. */
  readonly playProxies?: boolean;
  /** Address of this machine at which users and other clusters reach the API server. Default 127.0.0.1. */
  readonly address?: string;
}

/** A running cluster. */
export class Cluster {
  readonly context: string;
  readonly api: Api;
  readonly kubelet: Kubelet | undefined;

  private constructor(
    readonly name: string,
    /** A kubeconfig with this cluster only. */
    readonly kubeconfig: string,
    readonly planes: ControlPlanes,
    readonly sandbox: Sandbox,
    playIstiod: boolean,
  ) {
    this.context = `kwok-${name}`;
    this.api = Api.fromKubeconfig(kubeconfig);
    this.kubelet = playIstiod ? new Kubelet(this.api, sandbox, planes, name) : undefined;
  }

  /** Starts a cluster, about 4 s and 0.5 GiB; it is deleted when the sandbox is closed. */
  static async create(sandbox: Sandbox, planes: ControlPlanes, options: ClusterOptions): Promise<Cluster> {
    const {name, nodes = 2, playIstiod = true, playProxies = false, address = loopback} = options;
    const [etcd = 0, etcdPeer = 0, apiServer = 0, controllerManager = 0, scheduler = 0, kwok = 0] = await freePorts(6);
    const ports = {etcd, etcdPeer, apiServer, controllerManager, scheduler, kwok};
    const config = join(sandbox.dir, `${name}.kwok.yaml`);
    const kubeconfig = join(sandbox.dir, `${name}.kubeconfig`);
    writeFileSync(config, kwokConfig(planes, ports, {istiod: playIstiod, proxies: playProxies}, address));
    const create = ['create', 'cluster', '--config', config, '--kubeconfig', kubeconfig, '--wait', '90s'];
    sandbox.onClose(() => kwokctl(sandbox, planes, name, 'delete', 'cluster', '--kubeconfig', kubeconfig));
    await kwokctl(sandbox, planes, name, ...create);
    if (address !== loopback) useServer(kubeconfig, `https://${address}:${String(apiServer)}`);
    const cluster = new Cluster(name, kubeconfig, planes, sandbox, playIstiod);
    sandbox.onClose(async () => {
      await cluster.kubelet?.stop();
      cluster.api.close();
    });
    if (nodes > 0) await cluster.scaleNodes(nodes);
    cluster.kubelet?.start();
    return cluster;
  }

  /** True: to everyone else, the address in the kubeconfig means their own machine. */
  get isOnLoopback(): boolean {
    return new URL(this.api.server).hostname === loopback;
  }

  /** Makes so many nodes, each with room for everything. */
  async scaleNodes(count: number): Promise<void> {
    // By default the nodes of every cluster have the same addresses for pods, which no network could connect.
    const port = Number(new URL(this.api.server).port);
    const cidr = `172.${String(16 + ((port >> 8) & 15))}.${String(port & 255)}.0/24`;
    const param = `.podCIDRs=${JSON.stringify([cidr])}`;
    await kwokctl(this.sandbox, this.planes, this.name, 'scale', 'node', '--replicas', String(count), '--param', param);
  }

  /** Stops every component; the data stay. */
  async stop(): Promise<void> {
    await kwokctl(this.sandbox, this.planes, this.name, 'stop', 'cluster');
  }

  /** Starts a stopped cluster and waits until its API server answers. */
  async start(): Promise<void> {
    await kwokctl(this.sandbox, this.planes, this.name, 'start', 'cluster', '--wait', '60s');
    await eventually(`API server of ${this.name}`, () => this.api.get('/api/v1/namespaces/kube-system'));
  }

  /** kubectl with this cluster's own kubeconfig; throws when it fails. */
  kubectl(...args: string[]): Promise<string> {
    return output('kubectl', ['--kubeconfig', this.kubeconfig, ...args]);
  }

  /** The real istioctl on this cluster; throws when it fails. */
  istioctl(...args: string[]): Promise<string> {
    return output(this.planes.path('istioctl'), [...args, '--kubeconfig', this.kubeconfig, '--context', this.context]);
  }

  /** The file of the key with which the API server signs tokens: kwokctl uses the administrator's. */
  get tokenKey(): string {
    return join(this.sandbox.dir, 'kwok', 'clusters', this.name, 'pki', 'admin.key');
  }

  /** Pids of the control plane's processes, from kwokctl's pid files. */
  pids(): number[] {
    const directory = join(this.sandbox.dir, 'kwok', 'clusters', this.name, 'pids');
    if (!existsSync(directory)) return [];
    return readdirSync(directory).map((file) => Number(readFileSync(join(directory, file), 'utf8')));
  }
}

async function kwokctl(sandbox: Sandbox, planes: ControlPlanes, name: string, ...args: string[]): Promise<void> {
  const env = {...process.env, KWOK_WORKDIR: join(sandbox.dir, 'kwok')};
  const ran = await run(planes.path('kwokctl'), [...args, '--name', name], {cwd: sandbox.dir, env});
  if (ran.code !== 0) throw new HarnessError(`kwokctl ${args.slice(0, 2).join(' ')} ${name} failed:\n${ran.stderr}`);
}

interface Kubeconfig {
  readonly clusters: readonly {readonly name: string; readonly cluster: {server: string}}[];
  readonly users: readonly {readonly name: string}[];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: {readonly cluster: string; readonly user: string};
  }[];
}

/** Makes a kubeconfig name another address of its one API server: kwokctl always writes 127.0.0.1. */
function useServer(path: string, server: string): void {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  for (const {cluster} of config.clusters) cluster.server = server;
  writeFileSync(path, stringify(config));
}

/**
 * One kubeconfig for several clusters: context name to cluster. No current context: a command without `--context` must fail.
 * Context names are free, so a test can point a name at another cluster.
 */
export function writeKubeconfig(path: string, contexts: Readonly<Record<string, Cluster>>): void {
  const clusters = [...new Set(Object.values(contexts))];
  const files = clusters.map((cluster) => parse(readFileSync(cluster.kubeconfig, 'utf8')) as Kubeconfig);
  const merged = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: files.flatMap((file) => file.clusters),
    users: files.flatMap((file) => file.users),
    contexts: Object.entries(contexts).map(([name, cluster]) => ({
      name,
      context: {cluster: cluster.context, user: cluster.context},
    })),
  };
  writeFileSync(path, stringify(merged));
}

/** A kubeconfig with the clusters' own contexts, each with a token instead of the administrator's certificate. */
export function writeKubeconfigWithTokens(
  path: string,
  entries: readonly {readonly cluster: Cluster; readonly token: string}[],
): void {
  writeFileSync(
    path,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: entries.map(({cluster: {name, api}}) => ({
        name,
        cluster: {server: api.server, 'certificate-authority-data': base64(api.ca)},
      })),
      users: entries.map(({cluster: {name}, token}) => ({name, user: {token}})),
      contexts: entries.map(({cluster: {name, context}}) => ({name: context, context: {cluster: name, user: name}})),
    }),
  );
}

/** The same with one cluster. */
export function writeKubeconfigWithToken(path: string, cluster: Cluster, token: string): void {
  writeKubeconfigWithTokens(path, [{cluster, token}]);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
