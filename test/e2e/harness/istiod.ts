/**
 * A real istiod in the place of a pod that kwok only pretends to run. Arguments, environment and volumes are the pod's own,
 * as a kubelet would hand them over, so a wrong install.yaml shows; only addresses and paths are overridden.
 */
import {existsSync, mkdirSync, writeFileSync} from 'node:fs';
import {get} from 'node:http';
import {join} from 'node:path';
import {stringify} from 'yaml';
import type {Api, Resource} from './api.js';
import {HarnessError, freePorts, run, type Daemon, type Sandbox} from './processes.js';
import type {Volume} from './volumes.js';

/** A pod, as far as a kubelet of istiod needs it. */
export interface Pod extends Resource {
  readonly metadata: Resource['metadata'] & {readonly namespace: string; readonly uid: string};
  readonly spec: {
    readonly nodeName?: string;
    readonly serviceAccountName?: string;
    readonly containers: readonly Container[];
    readonly volumes?: readonly Volume[];
  };
  readonly status?: {readonly phase?: string};
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {readonly fieldRef?: {readonly fieldPath: string}};
  }[];
  readonly volumeMounts?: readonly {readonly name: string; readonly mountPath: string}[];
}

/** The ports of an istiod as its pod declares them, and where the process listens instead, on 127.0.0.1. */
export interface IstiodPorts {
  readonly 8080: number;
  readonly 15010: number;
  readonly 15012: number;
  readonly 15014: number;
  readonly 15017: number;
  /** istiod's own introspection page. */
  readonly ctrlz: number;
}

/** Free ports for one istiod. */
export async function istiodPorts(): Promise<IstiodPorts> {
  const [http = 0, grpc = 0, secure = 0, monitoring = 0, webhook = 0, ctrlz = 0] = await freePorts(6);
  return {8080: http, 15010: grpc, 15012: secure, 15014: monitoring, 15017: webhook, ctrlz};
}

/** Where a pod's volume is on disk: its mount path below the pod's directory. */
export function mountDirectory(root: string, pod: Pod, volume: Volume): string | undefined {
  const mount = pod.spec.containers[0]?.volumeMounts?.find(({name}) => name === volume.name);
  return mount && join(root, mount.mountPath);
}

/** The image of the pod's container. */
export function imageOf(pod: Pod): string {
  return pod.spec.containers[0]?.image ?? '';
}

/**
 * The flags of `pilot-discovery discovery` that move an istiod from its pod's ports to ours, as this program spells them:
 * `--secureGRPCAddr` was `--secureGrpcAddr` in early versions. A program without one of them is not an istiod for us.
 */
export async function addressArguments(program: string, ports: IstiodPorts): Promise<readonly string[]> {
  const found = flagsOf.get(program) ?? readFlags(program);
  flagsOf.set(program, found);
  const spellings = await found;
  const address = (port: number): string => `127.0.0.1:${String(port)}`;
  const values = {
    '--httpaddr': address(ports[8080]),
    '--httpsaddr': address(ports[15017]),
    '--grpcaddr': address(ports[15010]),
    '--securegrpcaddr': address(ports[15012]),
    '--monitoringaddr': address(ports[15014]),
    '--ctrlz_address': '127.0.0.1',
    '--ctrlz_port': String(ports.ctrlz),
  };
  return Object.entries(values).flatMap(([flag, value]) => {
    const spelling = spellings.get(flag);
    if (spelling === undefined) throw new HarnessError(`${program} is not an istiod: "discovery" has no flag ${flag}`);
    return [spelling, value];
  });
}

/** By program: every istiod of a run that is started again has the same flags. */
const flagsOf = new Map<string, Promise<ReadonlyMap<string, string>>>();

async function readFlags(program: string): Promise<ReadonlyMap<string, string>> {
  const {stdout, stderr} = await run(program, ['discovery', '--help']);
  const flags = `${stdout}${stderr}`.matchAll(/^\s+(--[a-z_]+) /gim);
  return new Map([...flags].map(([, flag = '']) => [flag.toLowerCase(), flag]));
}

/** Starts the pod's container as a process of `program`. `root` is what the pod would see as `/`. */
export async function startIstiod(
  sandbox: Sandbox,
  program: string,
  api: Api,
  pod: Pod,
  root: string,
  ports: IstiodPorts,
): Promise<Daemon> {
  const container = pod.spec.containers[0];
  const environment = podEnvironment(pod, container);
  const inCluster = writeInClusterConfig(root, api);
  // A kubeconfig that the pod mounts (a remote control plane) beats the one it gets from its service account.
  const mounted = join(root, environment.KUBECONFIG ?? '/nothing');
  const addresses = await addressArguments(program, ports);
  return sandbox.start({
    name: pod.metadata.name,
    command: program,
    cwd: root,
    env: {PATH: process.env.PATH, HOME: root, ...environment, KUBECONFIG: existsSync(mounted) ? mounted : inCluster},
    args: [...(container?.args ?? []).map((argument) => expand(argument, environment)), ...addresses],
  });
}

/** The pod's readiness probe: GET /ready on istiod's HTTP port. */
export function isReady(ports: IstiodPorts): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = get({host: '127.0.0.1', port: ports[8080], path: '/ready', timeout: 2000}, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => {
      resolve(false);
    });
  });
}

/** Environment of the container; resource limits are the node's business and there is none. */
function podEnvironment(pod: Pod, container: Container | undefined): Record<string, string> {
  const fields: Record<string, string | undefined> = {
    'metadata.name': pod.metadata.name,
    'metadata.namespace': pod.metadata.namespace,
    'spec.serviceAccountName': pod.spec.serviceAccountName,
  };
  const environment: Record<string, string> = {};
  for (const {name, value, valueFrom} of container?.env ?? []) {
    const found = value === undefined ? fields[valueFrom?.fieldRef?.fieldPath ?? ''] : expand(value, environment);
    if (found !== undefined) environment[name] = found;
    // Kubernetes turns a variable without value into an empty one.
    else if (valueFrom === undefined) environment[name] = '';
  }
  return environment;
}

/** `$(NAME)` in arguments and values, as Kubernetes writes it. */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\(([A-Za-z_][A-Za-z0-9_]*)\)/g, (whole, name: string) => environment[name] ?? whole);
}

/** What client-go makes of a pod's service account, as a file: its in-cluster paths are absolute and not ours to write. */
function writeInClusterConfig(root: string, api: Api): string {
  const account = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
  const path = join(root, 'in-cluster.kubeconfig');
  mkdirSync(root, {recursive: true});
  writeFileSync(
    path,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: 'in', cluster: {server: api.server, 'certificate-authority': join(account, 'ca.crt')}}],
      users: [{name: 'pod', user: {tokenFile: join(account, 'token')}}],
      contexts: [{name: 'in', context: {cluster: 'in', user: 'pod'}}],
      'current-context': 'in',
    }),
  );
  return path;
}
