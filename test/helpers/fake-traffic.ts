/** The pods of `verify --traffic` in fake clusters: they become ready at once, and the client's answers are what a test decides. */
import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {trafficNamespace} from '../../src/domain/traffic/names.js';
import type {FakeCluster, FakeObject} from './fake-kubectl/fake-cluster.js';

/** What clients answer; to be changed at any time. */
export interface FakeTraffic {
  /** The body of the response to a request from one cluster to another; undefined: the name of the pod, as it should be. */
  answer: (from: string, to: string) => string | undefined;
  /** Clusters whose webhook injects no proxy. */
  readonly withoutProxy: Set<string>;
  /** Clusters whose pods get none, although a dry run shows one. */
  readonly loseProxy: Set<string>;
  /** Clusters whose pods do not become ready. */
  readonly pending: Set<string>;
  /** Called before each request. */
  onRequest: (from: string, to: string) => void;
  stop(): void;
}

/** Kinds of objects in the namespace, which disappear with it. */
const kinds = ['Deployment', 'Service', 'ServiceAccount', 'PeerAuthentication', 'AuthorizationPolicy', 'Pod'];

/** Every object of the namespace, itself included. */
export function trafficObjectsIn(kube: FakeCluster): readonly FakeObject[] {
  const namespace = kube.get('Namespace', trafficNamespace);
  const inside = kinds
    .flatMap((kind) => kube.all(kind))
    .filter(({metadata}) => metadata.namespace === trafficNamespace);
  return [...(namespace ? [namespace] : []), ...inside];
}

/** Lets pods run in these clusters, by name. */
export async function startFakeTraffic(clusters: Readonly<Record<string, FakeCluster>>): Promise<FakeTraffic> {
  const servers: Server[] = [];
  const traffic: FakeTraffic = {
    answer: () => undefined,
    withoutProxy: new Set(),
    loseProxy: new Set(),
    pending: new Set(),
    onRequest: () => undefined,
    stop() {
      for (const server of servers) server.close();
    },
  };
  for (const [name, kube] of Object.entries(clusters)) {
    const server = createServer((request, response) => {
      const {searchParams} = new URL(request.url ?? '', 'http://localhost');
      const to = (searchParams.get('host') ?? '').replace(/^echo-/, '').replace(/\..*/, '');
      traffic.onRequest(name, to);
      response.end(JSON.stringify({responses: [traffic.answer(name, to) ?? `echo-of-${to}`]}));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    kube.forwards[`client-of-${name}`] = {'8080': (server.address() as AddressInfo).port};
    const inNamespace = {namespace: trafficNamespace};
    kube.before(
      {verb: 'create', resource: 'deployments', ...inNamespace},
      ({body}) => {
        const deployment = body as FakeObject & {readonly spec: {readonly template: FakeObject}};
        const {labels = {}} = deployment.spec.template.metadata;
        kube.put(
          podOf(deployment.metadata.name, name, labels, {
            isReady: !traffic.pending.has(name),
            hasProxy: !traffic.loseProxy.has(name),
          }),
        );
      },
      Infinity,
    );
    kube.before(
      {verb: 'delete', resource: 'deployments', ...inNamespace},
      ({name: app = ''}) => {
        kube.remove('Pod', `${trafficNamespace}/${app}-of-${name}`);
      },
      Infinity,
    );
    kube.before(
      {verb: 'delete', resource: 'namespaces', name: trafficNamespace},
      () => {
        for (const {kind, metadata} of trafficObjectsIn(kube)) {
          if (kind !== 'Namespace') kube.remove(kind, `${trafficNamespace}/${metadata.name}`);
        }
      },
      Infinity,
    );
    kube.alter = (request, {status, body}) => {
      if (request.verb !== 'create' || request.resource !== 'pods' || traffic.withoutProxy.has(name)) return undefined;
      const pod = body as FakeObject & {readonly spec: {readonly containers: readonly object[]}};
      const containers = [...pod.spec.containers, {name: 'istio-proxy', image: 'proxyv2'}];
      const injected = {...pod, spec: {...pod.spec, containers}};
      return {status, headers: {'content-type': 'application/json'}, body: JSON.stringify(injected)};
    };
  }
  return traffic;
}

function podOf(
  app: string,
  cluster: string,
  labels: Readonly<Record<string, string>>,
  {isReady, hasProxy}: {readonly isReady: boolean; readonly hasProxy: boolean},
): FakeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: `${app}-of-${cluster}`, namespace: trafficNamespace, labels},
    spec: {containers: [{name: 'agnhost'}, ...(hasProxy ? [{name: 'istio-proxy'}] : [])]},
    status: {
      phase: isReady ? 'Running' : 'Pending',
      conditions: [{type: 'Ready', status: isReady ? 'True' : 'False'}],
    },
  };
}
