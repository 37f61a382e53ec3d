/** A work directory with a root and cluster CAs, and fake clusters for them; an istiod that answers on its secure port. */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createServer, type Server} from 'node:tls';
import {type CaBundle, caFileNames} from '../../src/domain/ca/ca-files.js';
import {caMounts, caVolumes} from './ca-mount.js';
import {configMap, namespace, secret, type FakeCluster, type FakeObject} from './fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from './fake-kubectl/fake-kube.js';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from './tiny-ca.js';

/** A bundle's files as text by name, key included. */
export function textsOf(bundle: CaBundle): Record<string, string> {
  return {
    [caFileNames.caCert]: bundle.caCert,
    [caFileNames.caKey]: bundle.caKey.reveal(),
    [caFileNames.rootCert]: bundle.rootCert,
    [caFileNames.certChain]: bundle.certChain,
  };
}

/** Everything a test of a trust command needs. */
export interface TrustMesh {
  readonly dir: string;
  readonly kube: FakeKube;
  readonly root: TinyCa;
  /** Environment for `runCommand`. */
  readonly env: Readonly<Record<string, string>>;
  /** What the work directory holds for a cluster. */
  bundle(cluster: string): CaBundle;
  cluster(name: string): FakeCluster;
  /** Writes a cluster's files; a part that is undefined is left out. */
  writeCa(cluster: string, files: Partial<Record<string, string>>): Promise<void>;
  /** A CA under the same root (default), or under another one, written to the work directory. */
  renew(cluster: string, root?: TinyCa): Promise<CaBundle>;
  stop(): Promise<void>;
}

/** Makes the mesh: clusters `c1`, `c2`, … with contexts `ctx-c1`, …; `yaml` is appended to mesh.yaml. */
export async function trustMesh(
  names: readonly string[],
  {yaml = '', clusterYaml = ''}: {readonly yaml?: string; readonly clusterYaml?: string} = {},
): Promise<TrustMesh> {
  const dir = await mkdtemp(join(tmpdir(), 'km-trust-'));
  const kube = await startFakeKube(names.map((name) => `ctx-${name}`));
  const root = await tinyRoot();
  const bundles = new Map<string, CaBundle>();
  const writeCa = async (cluster: string, files: Partial<Record<string, string>>): Promise<void> => {
    await rm(join(dir, cluster), {recursive: true, force: true});
    await mkdir(join(dir, cluster), {mode: 0o700});
    for (const [name, text] of Object.entries(files)) {
      if (text !== undefined) await writeFile(join(dir, cluster, name), text, {mode: 0o600});
    }
  };
  const renew = async (cluster: string, above = root): Promise<CaBundle> => {
    const bundle = bundleOf(await tinyClusterCa(above, cluster), [above]);
    bundles.set(cluster, bundle);
    await writeCa(cluster, textsOf(bundle));
    return bundle;
  };
  await writeFile(join(dir, 'root-cert.pem'), root.certificate.pem);
  const lines = names.map((name) => `  - name: ${name}\n    context: ctx-${name}\n${clusterYaml}`);
  await writeFile(
    join(dir, 'mesh.yaml'),
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${yaml}clusters:\n${lines.join('')}`,
  );
  for (const name of names) await renew(name);
  return {
    dir,
    kube,
    root,
    env: {PATH: kube.path, WORK_DIR: dir},
    bundle(cluster) {
      const bundle = bundles.get(cluster);
      if (!bundle) throw new Error(`no CA of ${cluster}`);
      return bundle;
    },
    cluster: (name) => kube.cluster(`ctx-${name}`),
    writeCa,
    renew,
    async stop() {
      await kube.stop();
      await rm(dir, {recursive: true, force: true});
    },
  };
}

/** What a cluster has in which Secret `cacerts` was made with these files. */
export function putCacerts(
  cluster: FakeCluster,
  files: Record<string, string>,
  more: Record<string, unknown> = {},
): void {
  if (!cluster.get('Namespace', 'istio-system')) cluster.put(namespace('istio-system'));
  cluster.put(secret('istio-system/cacerts', files, more));
}

/** An istiod Deployment with ready pods. `caVolume`: the source of its volume cacerts, if it is not Secret cacerts. */
export function istiod(version = '1.30.1', env: Record<string, string> = {}, ready = 1, caVolume?: object): FakeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'istiod',
      namespace: 'istio-system',
      labels: {app: 'istiod', 'istio.io/rev': 'default'},
      generation: 1,
    },
    spec: {
      replicas: ready,
      selector: {matchLabels: {app: 'istiod'}},
      template: {
        metadata: {},
        spec: {
          containers: [
            {
              name: 'discovery',
              image: `docker.io/istio/pilot:${version}`,
              env: Object.entries(env).map(([name, value]) => ({name, value})),
              ...caMounts,
            },
          ],
          ...caVolumes(caVolume),
        },
      },
    },
    status: {
      observedGeneration: 9,
      readyReplicas: ready,
      replicas: ready,
      updatedReplicas: ready,
      availableReplicas: ready,
    },
  };
}

/** A running pod. */
export function pod(name: string, more: Record<string, unknown> = {}, labels: Record<string, string> = {}): FakeObject {
  const [space = '', own = ''] = name.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: own, namespace: space, labels},
    spec: {containers: [{name: 'app'}]},
    status: {phase: 'Running', conditions: [{type: 'Ready', status: 'True'}]},
    ...more,
  };
}

/** A pod with a sidecar. */
export function injected(name: string): FakeObject {
  return pod(name, {spec: {containers: [{name: 'app'}, {name: 'istio-proxy'}]}});
}

/** A running istiod: it presents a CA on its secure port, writes its bundle, and loads Secret `cacerts` on request. */
export interface FakeIstiod {
  /** Takes over what Secret `cacerts` holds now. */
  load(): void;
  stop(): Promise<void>;
}

/** Puts an istiod into a fake cluster that runs with these files. `load` `by itself`: whenever the Secret changes. */
export async function runIstiod(
  kube: FakeKube,
  cluster: FakeCluster,
  files: Record<string, string>,
  {version, env, byItself = true}: {version?: string; env?: Record<string, string>; byItself?: boolean} = {},
): Promise<FakeIstiod> {
  const server: Server = createServer(tlsOf(files));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cluster.put(istiod(version, env));
  cluster.put(pod('istio-system/istiod-1', {}, {app: 'istiod'}));
  cluster.forwards['istiod-1'] = {'15012': (server.address() as AddressInfo).port};
  const show = (now: Record<string, string>): void => {
    server.setSecureContext(tlsOf(now));
    cluster.put(configMap('istio-system/istio-ca-root-cert', {'root-cert.pem': now['root-cert.pem'] ?? ''}));
  };
  show(files);
  const load = (): void => {
    show(cluster.secretText('istio-system/cacerts'));
  };
  // istiod shows what it has loaded when a client reads what it wrote.
  if (byItself)
    cluster.before(
      {verb: 'get', resource: 'configmaps'},
      () => cluster.get('Secret', 'istio-system/cacerts') && load(),
      999,
    );
  return {
    load,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function tlsOf(files: Record<string, string>): {key: string; cert: string} {
  return {key: files['ca-key.pem'] ?? '', cert: files['cert-chain.pem'] ?? ''};
}
