/**
 * The fake clusters of link's tests (test/helpers/link-mesh.ts), served over TLS to the real kubectl and istioctl. One process
 * serves all of them.
 *
 * The fakes do not upgrade connections, so a port-forward is kubectl reading the pod, a pause for the upgrade, and a local port
 * of the fake istiod.
 */
import {chmod, readFile, writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {configMap} from '../../test/helpers/fake-kubectl/fake-cluster.js';
import {linkMesh, type LinkMesh} from '../../test/helpers/link-mesh.js';
import {BenchError} from './bench-error.js';
import {type CountedPrograms, countedPrograms, programOnPath} from './counted-programs.js';
import type {NamedContext} from './documented-link.js';
import type {Sandbox} from './sandbox.js';

/** What is served. */
export interface ServedSize {
  readonly clusters: number;
  /** Delay of every response of the API servers and istiods. Milliseconds. */
  readonly latencyMs: number;
}

/** The mesh, with an environment in which kubectl, istioctl and this program reach it. */
export class ServedMesh {
  private constructor(
    readonly mesh: LinkMesh,
    readonly clusters: readonly NamedContext[],
    readonly programs: CountedPrograms,
    readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** Starts the mesh and fills kubectl's discovery cache; the sandbox removes it. */
  static async create(sandbox: Sandbox, istioctl: string, size: ServedSize): Promise<ServedMesh> {
    const names = Array.from({length: size.clusters}, (_, index) => `c${String(index + 1)}`);
    const mesh = await linkMesh(names);
    sandbox.onClose(() => mesh.stop());
    const kubectl = programOnPath('kubectl');
    const router = join(sandbox.directory(), 'kubectl');
    await writeFile(router, routerScript(kubectl, join(mesh.kube.bin, 'kubectl'), size.latencyMs));
    await chmod(router, 0o755);
    const programs = await countedPrograms(sandbox, {kubectl: router, istioctl});
    const home = sandbox.directory();
    const kubeconfig = join(home, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify(await serve(sandbox, mesh, names)));
    const environment = {
      ...process.env,
      HOME: home,
      KUBECONFIG: kubeconfig,
      PATH: `${programs.directory}${delimiter}${process.env.PATH ?? ''}`,
    };
    const clusters = names.map((name) => ({name, context: `ctx-${name}`}));
    for (const {context} of clusters) {
      await sandbox.run({file: kubectl, args: [`--context=${context}`, 'api-resources'], env: environment});
    }
    for (const name of names) {
      mesh.cluster(name).latencyMs = size.latencyMs;
      mesh.istiod(name).monitor.says.latencyMs = size.latencyMs;
    }
    return new ServedMesh(mesh, clusters, programs, environment);
  }

  /** Removes every Secret: the state before endpoint discovery. */
  reset(): void {
    for (const {name} of this.clusters) {
      const cluster = this.mesh.cluster(name);
      for (const {metadata} of cluster.all('Secret')) {
        cluster.remove('Secret', `${metadata.namespace ?? ''}/${metadata.name}`);
      }
      cluster.requests.length = 0;
    }
  }

  /** Throws `BenchError` unless every one of these clusters has a remote secret for each of the others. */
  requireLinked(clusters: readonly NamedContext[]): void {
    for (const {name} of clusters) {
      const remotes = this.mesh
        .cluster(name)
        .all('Secret')
        .filter(({metadata}) => metadata.labels?.['istio/multiCluster'] === 'true');
      if (remotes.length === clusters.length - 1) continue;
      throw new BenchError(`${name} has ${String(remotes.length)} of ${String(clusters.length - 1)} remote secrets`);
    }
  }
}

/** Serves every cluster with one certificate. Returns the kubeconfig. */
async function serve(sandbox: Sandbox, mesh: LinkMesh, names: readonly string[]): Promise<object> {
  const directory = sandbox.directory();
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', '/CN=fake API server', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await sandbox.run({file: 'openssl', args: [...request, ...subject, '-keyout', key, '-out', cert]});
  const tls = {key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8')};
  const clusters = await Promise.all(
    names.map(async (name) => {
      const cluster = mesh.cluster(name);
      cluster.put(configMap('istio-system/kube-root-ca.crt', {'ca.crt': tls.cert}));
      const server = await cluster.listenOnPort(tls);
      return {name, cluster: {server, 'certificate-authority-data': Buffer.from(tls.cert).toString('base64')}};
    }),
  );
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    contexts: names.map((name) => ({name: `ctx-${name}`, context: {cluster: name, user: 'bench'}})),
    users: [{name: 'bench', user: {token: 'bench'}}],
  };
}

/** kubectl, except for port-forward. */
function routerScript(kubectl: string, fake: string, latencyMs: number): string {
  return `#!/bin/sh
case " $* " in *' port-forward '*) ;; *) exec '${kubectl}' "$@" ;; esac
read=get
for word; do
  case $word in --context=* | --namespace=*) read="$read $word" ;; pod/*) read="$read $word" ;; esac
done
'${kubectl}' $read -o name >/dev/null || exit
sleep ${String(latencyMs / 1000)}
exec '${fake}' "$@"
`;
}
