/** Fake clusters whose istiods read each other through remote secrets, as real ones do, and a work directory for them. */
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parse} from 'yaml';
import {startFakeMonitor, type FakeMonitor} from './fake-istiod.js';
import {configMap, namespace, type FakeCluster, type FakeObject} from './fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from './fake-kubectl/fake-kube.js';
import {reviewToken} from './fake-kubectl/tokens.js';
import {readerAccount} from './remote-secrets.js';
import {istiod, pod} from './trust-mesh.js';

/** One istiod. */
export interface LinkedIstiod {
  readonly monitor: FakeMonitor;
  /** By Istio's name of a cluster: the status that it reports whatever its credential is. */
  readonly status: Record<string, string>;
}

/** Everything a test of discovery needs. */
export interface LinkMesh {
  readonly dir: string;
  readonly kube: FakeKube;
  readonly env: Readonly<Record<string, string>>;
  cluster(name: string): FakeCluster;
  istiod(name: string): LinkedIstiod;
  /** The kubeconfig in the reader's remote secret for a peer. */
  kubeconfig(reader: string, peer: string): RemoteConfig;
  stop(): Promise<void>;
}

/** What istioctl writes into a remote secret. */
export interface RemoteConfig {
  readonly clusters: readonly {readonly name: string; readonly cluster: Record<string, string>}[];
  readonly users: readonly {readonly name: string; readonly user: {readonly token: string}}[];
  readonly [field: string]: unknown;
}

/** Makes the mesh: clusters `c1`, `c2`, … with contexts `ctx-c1`, …, on one network, with Istio installed. */
export async function linkMesh(
  names: readonly string[],
  {yaml = '', clusterYaml = {}, version = '1.31.0'}: LinkMeshOptions = {},
): Promise<LinkMesh> {
  const dir = await mkdtemp(join(tmpdir(), 'km-link-'));
  const kube = await startFakeKube(names.map((name) => `ctx-${name}`));
  const istiods = new Map<string, LinkedIstiod>();
  const cluster = (name: string): FakeCluster => kube.cluster(`ctx-${name}`);
  for (const name of names) {
    const fake = cluster(name);
    fake.put(namespace('istio-system', {'topology.istio.io/network': 'network1'}));
    for (const object of reader()) fake.put(object);
    fake.put(istiod(version, {CLUSTER_ID: name}));
    fake.put(pod('istio-system/istiod-1', {}, {app: 'istiod'}));
    const monitor = await startFakeMonitor(name, {});
    fake.forwards['istiod-1'] = {'15014': monitor.port};
    const status = {};
    istiods.set(name, {monitor, status});
    readRemotes(
      fake,
      {name, monitor, status},
      names.map((other) => [other, cluster(other)]),
    );
  }
  const lines = names.map((name) => `  - name: ${name}\n    context: ctx-${name}\n${clusterYaml[name] ?? ''}`);
  await writeFile(
    join(dir, 'mesh.yaml'),
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${yaml}clusters:\n${lines.join('')}`,
  );
  return {
    dir,
    kube,
    env: {PATH: kube.path, WORK_DIR: dir},
    cluster,
    istiod(name) {
      const found = istiods.get(name);
      if (!found) throw new Error(`no istiod of ${name}`);
      return found;
    },
    kubeconfig: (own, peer) =>
      parse(cluster(own).secretText(`istio-system/istio-remote-secret-${peer}`)[peer] ?? '') as RemoteConfig,
    async stop() {
      for (const {monitor} of istiods.values()) monitor.close();
      await kube.stop();
      await rm(dir, {recursive: true, force: true});
    },
  };
}

interface LinkMeshOptions {
  readonly yaml?: string;
  /** More lines of a cluster in mesh.yaml. */
  readonly clusterYaml?: Readonly<Record<string, string>>;
  readonly version?: string;
}

/** What Istio's installation and Kubernetes itself create in every cluster for its readers. */
export function reader(): readonly FakeObject[] {
  return [readerAccount, configMap('istio-system/kube-root-ca.crt', {'ca.crt': 'the CA of the API server'})];
}

/** Lets an istiod report the clusters of its remote secrets: synced if the token is accepted where it belongs. */
export function readRemotes(
  fake: FakeCluster,
  {name, monitor, status}: LinkedIstiod & {readonly name: string},
  clusters: readonly (readonly [string, FakeCluster])[],
): void {
  const configs = new WeakMap<FakeObject, Map<string, RemoteConfig>>();
  // An istiod parses a remote secret once, when it has changed: then it is another object here.
  const configsOf = (secret: FakeObject): ReadonlyMap<string, RemoteConfig> => {
    const known = configs.get(secret);
    if (known) return known;
    const entries = Object.entries((secret.data ?? {}) as Record<string, string>);
    const read = new Map(
      entries.map(([id, encoded]) => [id, parse(Buffer.from(encoded, 'base64').toString()) as RemoteConfig]),
    );
    configs.set(secret, read);
    return read;
  };
  const remotes = () =>
    fake.all('Secret').flatMap((secret) => {
      const {metadata} = secret;
      if (metadata.labels?.['istio/multiCluster'] !== 'true') return [];
      return [...configsOf(secret)].map(([id, config]) => {
        const token = config.users[0]?.user.token ?? '';
        const peer = clusters.find(([other]) => other === id)?.[1];
        const review = peer && reviewToken(peer, {spec: {token}} as unknown as FakeObject);
        const accepted = (review as {status?: {authenticated?: boolean}} | undefined)?.status?.authenticated === true;
        return {
          id,
          secretName: `${metadata.namespace ?? ''}/${metadata.name}`,
          syncStatus: status[id] ?? (accepted ? 'synced' : 'timeout'),
        };
      });
    });
  const own = {id: name, secretName: '', syncStatus: 'synced'};
  monitor.says.current['/debug/clusterz'] = () => [own, ...remotes()];
  monitor.says.current['/debug/endpointShardz'] = () => {
    const known = [own, ...remotes()].filter(({syncStatus}) => syncStatus === 'synced');
    const shards = Object.fromEntries(known.map(({id}) => [`Kubernetes/${id}`, [{}]]));
    return {'kubernetes.default.svc.cluster.local': {default: {Shards: shards}}};
  };
}
