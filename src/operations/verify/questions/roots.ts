/** Facts of the roots that workloads trust: the bundle beside istiod, and whether proxies have followed it. */
import {shellWord} from '../../../domain/checks/commands.js';
import {describeMoment, some} from '../../../domain/checks/describe.js';
import type {ClusterFactValues, ControlPlaneFacts, LiveRoots, ProxyRoots} from '../../../domain/checks/facts.js';
import type {ConfigMapObject} from '../../../domain/checks/read/control-plane.js';
import {bundleAge, isProxy, proxyLabel, proxyRules, ztunnelSelector} from '../../../domain/checks/read/proxies.js';
import {MeshError} from '../../../domain/errors.js';
import type {KubeObject} from '../../../domain/kube/object.js';
import {namespacesWithBundle} from '../../../domain/checks/trust/bundle-namespaces.js';
import {readableRoots} from '../../../domain/trust/bundle.js';
import {once} from '../once.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';
import {namespaceFacts} from './control-plane.js';

const bundleKey = 'root-cert.pem';
const defaultBundleName = 'istio-ca-root-cert';

/** The questions about live roots. */
export function rootsQuestions(
  options: ClusterQuestionOptions,
): Questions<Pick<ClusterFactValues, 'liveRoots' | 'proxyRoots'>> {
  const bundle = once(() => findBundle(options));
  return {
    liveRoots: async () => {
      const found = await bundle();
      return found === 'elsewhere' ? found : liveRoots(found);
    },
    proxyRoots: async () => {
      const found = await bundle();
      return found === 'elsewhere' ? {state: found} : proxyRoots(options, found);
    },
  };
}

/**
 * The ConfigMap beside istiod; where istiod leaves its own namespace out (discoverySelectors), the first that it writes.
 * Throws `NOT_FOUND`: nothing else says what istiod has loaded.
 */
async function findBundle(options: ClusterQuestionOptions): Promise<ConfigMapObject | 'elsewhere'> {
  const {reads, mesh, controlPlanes} = options;
  const {namespace} = mesh.istio;
  const [planes, configMaps] = await Promise.all([controlPlanes(), reads.configMaps()]);
  const names = new Set(planes.map(({bundleName}) => bundleName));
  if (names.has(undefined) || names.size > 1) return 'elsewhere';
  const name = planes[0]?.bundleName ?? defaultBundleName;
  const isBundle = ({metadata, data}: ConfigMapObject): boolean =>
    metadata.name === name && data?.[bundleKey] !== undefined;
  const found = configMaps.find(isBundle) ?? (await firstServed(options, planes)).find(isBundle);
  if (found) return found;
  throw new MeshError(
    'NOT_FOUND',
    `no ConfigMap ${name} in namespace ${namespace} says which roots its workloads trust`,
  );
}

/** The bundles of the namespaces that istiod serves, where Istio's own is not one of them. */
async function firstServed(
  {reads, mesh}: ClusterQuestionOptions,
  planes: readonly ControlPlaneFacts[],
): Promise<readonly ConfigMapObject[]> {
  if (planes.every(({discoverySelectors}) => discoverySelectors.length === 0)) return [];
  const served = namespacesWithBundle((await reads.namespaces()).map(namespaceFacts), planes);
  if (served.includes(mesh.istio.namespace)) return [];
  const bundles = await reads.bundles(planes[0]?.bundleName ?? defaultBundleName);
  return bundles
    .filter(({metadata}) => served.includes(metadata.namespace ?? ''))
    .toSorted((one, other) => (one.metadata.namespace ?? '').localeCompare(other.metadata.namespace ?? ''));
}

function liveRoots({metadata, data}: ConfigMapObject): LiveRoots {
  return {
    from: `ConfigMap ${metadata.namespace ?? ''}/${metadata.name}`,
    certificates: readableRoots(data?.[bundleKey]),
  };
}

/** Throws `TOO_EARLY` while there may be proxies that trust what was there before. */
async function proxyRoots(options: ClusterQuestionOptions, bundle: ConfigMapObject): Promise<ProxyRoots> {
  const {reads, mesh, controlPlanes, deps} = options;
  const age = bundleAge(bundle);
  if (!age) return {state: 'not recorded'};
  const {createdAt, writtenAt: changedAt} = age;
  if (changedAt.getTime() <= createdAt.getTime()) return {state: 'never changed', since: createdAt};
  const {leafLifeMs, pushedSince} = proxyRules(await controlPlanes(), await reads.configMaps());
  const until = new Date(changedAt.getTime() + leafLifeMs);
  // Most of the time all is said here, and no pod has to be listed.
  if (deps.now() >= until) return {state: 'outlived', changedAt};
  const [labelled, ztunnels] = await Promise.all([reads.livingPods(proxyLabel), reads.livingPods(ztunnelSelector)]);
  const proxies = labelled.filter((pod) => isProxy(pod, mesh.istio.namespace));
  const isOlder = (pod: KubeObject): boolean => startedAt(pod) <= changedAt.getTime();
  const listening = (pod: KubeObject): boolean => pushedSince !== undefined && startedAt(pod) > pushedSince.getTime();
  const older = proxies.filter(isOlder);
  const behind = older.filter((pod) => !listening(pod));
  const behindZtunnels = ztunnels.filter(isOlder);
  if (behind.length + behindZtunnels.length > 0)
    throw tooEarly({proxies: behind, ztunnels: behindZtunnels}, {changedAt, until}, options);
  return older.length > 0 ? {state: 'pushed', changedAt, proxies: older.length} : {state: 'no older proxy', changedAt};
}

/** A pod is made before its proxy starts: one made earlier, or in that second, may have started with the older roots. */
function startedAt({metadata}: KubeObject): number {
  const made = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(made) ? 0 : made;
}

/** Who may trust what was there before. */
interface Behind {
  readonly proxies: readonly KubeObject[];
  readonly ztunnels: readonly KubeObject[];
}

function tooEarly(
  behind: Behind,
  {changedAt, until}: {readonly changedAt: Date; readonly until: Date},
  options: ClusterQuestionOptions,
): MeshError {
  const all = [...behind.proxies, ...behind.ztunnels];
  const names = all.map(({metadata}) => `${metadata.namespace ?? ''}/${metadata.name}`);
  const count = `${String(all.length)} ${all.length === 1 ? 'proxy' : 'proxies'}`;
  return new MeshError(
    'TOO_EARLY',
    `the roots changed at ${describeMoment(changedAt)}, and ${count} started before (${some(names)}): until ${describeMoment(until)}, when the last certificate of that time ends, they may not trust a root that was added, and may still trust one that was taken away`,
    {
      hints: [
        restartCommand(behind, options),
        'Where a root was only added, nothing is cut off as long as no CA signs under it: do not go on to the next step of a rotation before that time',
      ],
    },
  );
}

/** Makes the proxies start anew, which is what waiting would do. */
function restartCommand({proxies, ztunnels}: Behind, {cluster, commands}: ClusterQuestionOptions): string {
  const restart = (namespace: string, what: string): string =>
    commands.kubectl(cluster, `-n ${namespace} rollout restart ${what}`);
  const namespaces = namespacesOf(proxies);
  const all = 'deployment,statefulset,daemonset';
  const [only] = namespaces;
  return [
    ...(namespaces.length === 1 && only !== undefined ? [restart(shellWord(only), all)] : []),
    ...(namespaces.length > 1
      ? [`for namespace in ${namespaces.map(shellWord).join(' ')}; do ${restart('"$namespace"', all)}; done`]
      : []),
    // By themselves: beside them run istiod, or what nodes need (kube-system).
    ...[...new Set(ztunnels.map((pod) => restart(shellWord(pod.metadata.namespace ?? ''), daemonSetOf(pod))))],
  ].join(' && ');
}

/** By its owner: the DaemonSet of ztunnel carries no label that all its versions have (manifests/charts/ztunnel). */
function daemonSetOf({metadata: {ownerReferences = []}}: KubeObject): string {
  const owner = ownerReferences.find(({kind}) => kind === 'DaemonSet');
  return shellWord(`daemonset/${owner?.name ?? 'ztunnel'}`);
}

function namespacesOf(pods: readonly KubeObject[]): readonly string[] {
  return [...new Set(pods.map(({metadata}) => metadata.namespace ?? ''))].sort();
}
