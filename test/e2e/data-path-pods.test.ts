/**
 * Pods of several Deployments and namespaces on the data path: agnhost, reached through `kubectl port-forward`, reaches the pods
 * of another network, and Istio's policies apply to it.
 */
import {existsSync} from 'node:fs';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import type {Resource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import type {DataPath} from './harness/data-path/data-path.js';
import {startTwoNetworks} from './harness/data-path/mesh-steps.js';
import type {PlayedPod} from './harness/data-path/played-pod.js';
import {at} from './harness/mesh.js';
import {fetchText, portForward} from './harness/port-forward.js';
import {eventually, output} from './harness/processes.js';

const namespace = 'probe';
const port = 8080;

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startTwoNetworks();
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  for (const cluster of path.clusters) {
    await output('kubectl', ['--kubeconfig', cluster.kubeconfig, 'apply', '-f', '-'], {input: manifest(cluster.name)});
  }
});
afterAll(() => path.sandbox.close());

const podSpec = {
  automountServiceAccountToken: false,
  securityContext: {runAsNonRoot: true, runAsUser: 65_532, seccompProfile: {type: 'RuntimeDefault'}},
  containers: [
    {
      name: 'agnhost',
      image: 'registry.k8s.io/e2e-test-images/agnhost:2.53',
      // Without its UDP server, netexec answers 412 to /healthz forever.
      args: ['netexec', `--http-port=${String(port)}`],
      ports: [{containerPort: port}],
      readinessProbe: {httpGet: {path: '/healthz', port}},
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}},
    },
  ],
};

/** A namespace with an echo pod that only its cluster's Service has, a client, and policies that permit requests with mutual TLS from the same namespace only. */
function manifest(cluster: string): string {
  const deployment = (name: string): object => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, namespace},
    spec: {
      selector: {matchLabels: {app: name}},
      template: {metadata: {labels: {app: name, cluster}}, spec: podSpec},
    },
  });
  const services = path.clusters.map(({name: target}) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: `echo-${target}`, namespace},
    spec: {selector: {app: 'echo', cluster: target}, ports: [{name: 'http', port}]},
  }));
  return [
    {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace, labels: {'istio-injection': 'enabled'}}},
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: {name: 'default', namespace},
      spec: {mtls: {mode: 'STRICT'}},
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: {name: 'own-clients', namespace},
      spec: {rules: [{from: [{source: {namespaces: [namespace]}}]}]},
    },
    ...services,
    deployment('echo'),
    deployment('client'),
  ]
    .map((object) => stringify(object))
    .join('---\n');
}

interface Dialed {
  readonly responses?: readonly string[];
  readonly errors?: readonly string[];
}

/** What the client of a cluster gets from the Service of another one's echo pod. */
async function dial(from: PlayedPod, to: Cluster): Promise<Dialed> {
  const host = `echo-${to.name}.${namespace}.svc.cluster.local`;
  const query = `host=${host}&port=${String(port)}&protocol=http&request=hostname&tries=1`;
  const text = await portForward(from.cluster, from.pod.metadata, port, (local) => fetchText(local, `/dial?${query}`));
  return JSON.parse(text) as Dialed;
}

const ready = (cluster: Cluster, app: string): Promise<PlayedPod> => path.node(cluster).readyPod(namespace, {app});

describe('a client that sends a request at ours, through port-forward', () => {
  it('gets the name of the echo pod, of its own network and of another one', async () => {
    for (const from of path.clusters) {
      const client = await ready(from, 'client');
      for (const to of path.clusters) {
        const {name} = (await ready(to, 'echo')).pod.metadata;
        await expect.poll(() => dial(client, to), {timeout: 60_000}).toEqual({responses: [name]});
      }
    }
  });

  it('is reached on its loopback address: at its own address, STRICT refuses what is not mutual TLS', async () => {
    const echo = await ready(two, 'echo');
    const {name, namespace} = echo.pod.metadata;
    expect(await portForward(two, {name, namespace}, port, (local) => fetchText(local, '/hostname'))).toBe(name);
    const plaintext = fetch(`http://${echo.address}:${String(port)}/hostname`, {signal: AbortSignal.timeout(5000)});
    await expect(plaintext).rejects.toMatchObject({cause: {code: 'ECONNRESET'}});
  });
});

/** The pods to which port-forward leads. */
async function forwarded(cluster: Cluster): Promise<readonly string[]> {
  const found = await cluster.api.list<Resource>(`/apis/kwok.x-k8s.io/v1alpha1/namespaces/${namespace}/portforwards`);
  return found.map(({metadata}) => metadata.name).sort();
}

it('port-forward ends with the pod, and leads to its successor', async () => {
  const [before, client] = [await ready(two, 'echo'), await ready(two, 'client')];
  const {name} = before.pod.metadata;
  await two.kubectl('-n', namespace, 'delete', 'pod', name, '--wait=false');
  await eventually('the end of the pod', () => !path.node(two).pods.includes(before) || undefined);
  const after = (await ready(two, 'echo')).pod.metadata.name;
  expect(after).not.toBe(name);
  await expect.poll(() => forwarded(two), {timeout: 30_000}).toEqual([client.pod.metadata.name, after].sort());
  await expect.poll(async () => dial(await ready(one, 'client'), two), {timeout: 60_000}).toEqual({responses: [after]});
});

it('a deleted namespace disappears with its pods and their processes', async () => {
  const pids = await Promise.all(['echo', 'client'].map(async (app) => (await ready(one, app)).pid ?? 0));
  const alive = (): readonly number[] => pids.filter((pid) => existsSync(`/proc/${String(pid)}`));
  expect(alive()).toEqual(pids);
  await one.kubectl('delete', 'namespace', namespace, '--timeout=60s');
  await expect.poll(alive, {timeout: 30_000}).toEqual([]);
});
