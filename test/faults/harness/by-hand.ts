/** What people do to a cluster with kubectl and istioctl, without us. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {DataResource, Resource} from '../../e2e/harness/api.js';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {HarnessError, eventually} from '../../e2e/harness/processes.js';
import type {Fault, Undo} from './fault.js';
import type {Lab} from './lab.js';

const namespace = 'istio-system';

/** A `seed` that runs `kubectl ARGS` in one cluster. */
export function kubectl(cluster: string, ...args: readonly string[]): Fault['seed'] {
  return async (lab) => {
    await lab.cluster(cluster).kubectl(...args);
    return undefined;
  };
}

/** The same in Istio's namespace. */
export function inIstioSystem(cluster: string, ...args: readonly string[]): Fault['seed'] {
  return kubectl(cluster, '-n', namespace, ...args);
}

/** One `seed` after the other; what they have to take away is taken away last first. */
export function inTurn(...seeds: readonly Fault['seed'][]): Fault['seed'] {
  return async (lab) => {
    const undos: (Undo | undefined)[] = [];
    for (const seed of seeds) undos.unshift(await seed(lab));
    return async () => {
      for (const undo of undos) await undo?.();
    };
  };
}

/** Restarts a Deployment and waits for its new pods. */
export async function restart(cluster: Cluster, deployment = 'istiod'): Promise<void> {
  await cluster.kubectl('-n', namespace, 'rollout', 'restart', `deployment/${deployment}`);
  await rolledOut(cluster, deployment);
}

/** Waits until a Deployment has only new and ready pods. */
export async function rolledOut(cluster: Cluster, deployment = 'istiod'): Promise<void> {
  await cluster.kubectl('-n', namespace, 'rollout', 'status', `deployment/${deployment}`, '--timeout', '120s');
  // A pod that is being deleted is still listed for a moment.
  await eventually(`no old pod of ${deployment} in ${cluster.name}`, async () => {
    const pods = await cluster.api.list<Resource>(`/api/v1/namespaces/${namespace}/pods`);
    return pods.every(({metadata}) => metadata.deletionTimestamp === undefined) || undefined;
  });
}

/** A ConfigMap's or Secret's data; undefined where there is none. */
export async function dataOf(
  cluster: Cluster,
  kind: 'secrets' | 'configmaps',
  name: string,
  where = namespace,
): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await cluster.api.find<DataResource>(`/api/v1/namespaces/${where}/${kind}/${name}`);
  return found?.data;
}

interface WebhookConfiguration extends Resource {
  readonly webhooks?: readonly {readonly clientConfig: {readonly caBundle?: string}}[];
}

/**
 * Waits until istiod has written this bundle, into namespaces and the validating webhook: after a restart the new one waits
 * for the old one's leases, and there is one for each.
 */
export async function waitForBundle(cluster: Cluster, expected: (text: string) => boolean): Promise<void> {
  const path = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';
  const written = async (): Promise<true | undefined> => {
    const data = await dataOf(cluster, 'configmaps', 'istio-ca-root-cert', 'default');
    const validators = (await cluster.api.list<WebhookConfiguration>(path)).filter(
      ({metadata}) => metadata.labels?.app === 'istiod',
    );
    const bundles = validators.flatMap(({webhooks = []}) =>
      webhooks.map(({clientConfig}) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')),
    );
    return [data?.['root-cert.pem'] ?? '', ...bundles].every(expected) || undefined;
  };
  await eventually(`the bundle in ${cluster.name}`, written, 90_000);
}

/** Changes a ConfigMap or Secret as `kubectl edit` does: `kubectl replace` of what was got. */
export async function editData(
  cluster: Cluster,
  path: string,
  change: (data: Record<string, string>) => void,
): Promise<void> {
  const object = await cluster.api.get<DataResource>(path);
  const data = {...object.data};
  change(data);
  if (JSON.stringify(object.data) === JSON.stringify(data))
    throw new HarnessError(`the edit of ${path} changes nothing`);
  const file = join(cluster.sandbox.dir, 'edited.json');
  writeFileSync(file, JSON.stringify({...object, data}));
  await cluster.kubectl('replace', '-f', file);
}

/** `istioctl install -f` of a changed copy of a cluster's install.yaml. */
export function installedOtherwise(cluster: string, change: (text: string) => string): Fault['seed'] {
  return async (lab) => {
    const text = lab.read(cluster, 'install.yaml');
    const changed = change(text);
    if (changed === text) throw new HarnessError(`the change of install.yaml changes nothing:\n${text}`);
    const on = lab.cluster(cluster);
    const file = join(lab.setting.sandbox.dir, 'otherwise.yaml');
    writeFileSync(file, changed);
    await on.istioctl('install', '-f', file, '-y');
    await rolledOut(on);
    return undefined;
  };
}

/** Base64 of a file, as a Secret's data hold it. */
export function encoded(lab: Lab, ...words: readonly string[]): string {
  return readFileSync(lab.path(...words)).toString('base64');
}

/** A Deployment whose pods have a proxy, as the injector marks them; it runs nothing (kwok). */
function withProxy(name: string): object {
  const labels = {app: name, 'service.istio.io/canonical-name': name};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name},
    spec: {
      replicas: 2,
      selector: {matchLabels: {app: name}},
      template: {
        metadata: {labels, annotations: {'sidecar.istio.io/status': '{}'}},
        spec: {containers: [{name, image: name}]},
      },
    },
  };
}

/** A namespace with a Deployment of the same name, whose two pods have proxies. */
export async function deployWithProxy(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl('create', 'namespace', name);
  await cluster.api.apply(`/apis/apps/v1/namespaces/${name}/deployments/${name}`, withProxy(name));
  await cluster.kubectl('-n', name, 'rollout', 'status', `deployment/${name}`, '--timeout', '60s');
}
