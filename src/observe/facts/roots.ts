/** Facts about the roots that workloads trust: the bundles that istiod writes, and whether proxies have loaded them. */
import {defined} from '../../domain/defined.js';
import {bundleKey, defaultBundleName} from '../../domain/istio/names.js';
import {formatMinute, plural, some} from '../../domain/format.js';
import type {ControlPlaneFacts, LiveRoots, ProxyRoots, WrittenBundle} from '../../domain/facts/facts.js';
import type {ConfigMapObject} from '../../domain/kube/objects.js';
import {
  type BundleAge,
  bundleAge,
  isProxy,
  proxyLabel,
  proxyRules,
  ztunnelSelector,
} from '../../domain/facts/read/proxies.js';
import {MeshError} from '../../domain/errors.js';
import {fieldChangedAt, type KubeObject} from '../../domain/kube/object.js';
import {namespacesWithBundle} from '../../domain/checks/trust/bundle-namespaces.js';
import {advice} from '../../domain/suggest/suggestion.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import type {Derivations, FactSources} from '../fact-sources.js';
import {restartCommand, type StaleProxies} from './restart-proxies.js';

const firstBundleDelayMs = 60_000;

type Bundles = readonly [ConfigMapObject, ...ConfigMapObject[]];

export const rootsFacts: Derivations<'bundles' | 'liveRoots' | 'proxyRoots'> = {
  bundles: writtenBundles,
  liveRoots: async (sources) => {
    const found = await findBundles(sources);
    return found === 'ClusterTrustBundle' ? found : liveRoots(found);
  },
  proxyRoots: async (sources) => {
    const found = await findBundles(sources);
    return found === 'ClusterTrustBundle' ? {state: found} : proxyRoots(sources, found);
  },
};

/** The names of the ConfigMaps with the bundles of a cluster's revisions; empty if they publish bundles another way. */
function bundleNames(planes: readonly ControlPlaneFacts[]): readonly string[] {
  if (planes.length === 0) return [defaultBundleName];
  return [...new Set(planes.flatMap(({bundleName}) => bundleName ?? []))];
}

/** The bundles that istiod writes into namespaces, under every name that its revisions use. */
async function writtenBundles({reads, fact}: FactSources): Promise<readonly WrittenBundle[]> {
  // Prefetched before the control planes are known: the name is nearly always this one, and a request takes a round
  // trip.
  reads.prefetch('bundles', {name: defaultBundleName});
  const names = bundleNames(await fact('controlPlanes'));
  const bundles = (await Promise.all(names.map((name) => reads.read('bundles', {name})))).flat();
  // The text is the same in all namespaces, of which there can be thousands: it is parsed once.
  const parsed = new Map<string, Pick<WrittenBundle, 'text' | 'roots'>>();
  return bundles.map(({metadata, data}) => {
    const {namespace = ''} = metadata;
    const text = data?.[bundleKey];
    if (text === undefined) return {namespace, roots: []};
    const bundle = parsed.get(text) ?? {text, roots: readableRoots(text).map(({fingerprint}) => fingerprint)};
    parsed.set(text, bundle);
    return defined({namespace, ...bundle, writtenAt: fieldChangedAt(metadata, ['f:data', `f:${bundleKey}`])});
  });
}

/**
 * The ConfigMaps in istiod's namespace, one for each name that its revisions use; if discoverySelectors exclude that
 * namespace, the first one in another namespace. `ClusterTrustBundle` if no revision writes one. Throws `NOT_FOUND` if one is
 * missing: nothing else shows what istiod has loaded.
 */
async function findBundles(sources: FactSources): Promise<Bundles | 'ClusterTrustBundle'> {
  const {reads, mesh, fact} = sources;
  const {namespace} = mesh.istio;
  const [planes, configMaps] = await Promise.all([fact('controlPlanes'), reads.read('configMaps')]);
  const names = bundleNames(planes);
  if (names.length === 0) return 'ClusterTrustBundle';
  const found = await Promise.all(
    names.map(async (name) => {
      const isBundle = ({metadata, data}: ConfigMapObject): boolean =>
        metadata.name === name && data?.[bundleKey] !== undefined;
      return configMaps.find(isBundle) ?? (await servedBundles(name, sources, planes)).find(isBundle);
    }),
  );
  const missing = names.filter((_, index) => found[index] === undefined);
  const [first, ...others] = found.filter((one) => one !== undefined);
  if (first && missing.length === 0) return [first, ...others];
  throw new MeshError(
    'NOT_FOUND',
    `ConfigMap ${missing.join(' or ')} not found in namespace ${namespace}: it shows which roots workloads trust`,
  );
}

/** The bundles of the namespaces that istiod serves, if Istio's namespace is not one of them. */
async function servedBundles(
  name: string,
  {reads, mesh, fact}: FactSources,
  planes: readonly ControlPlaneFacts[],
): Promise<readonly ConfigMapObject[]> {
  if (planes.every(({discoverySelectors}) => discoverySelectors.length === 0)) return [];
  const served = namespacesWithBundle(await fact('namespaces'), planes);
  if (served.includes(mesh.istio.namespace)) return [];
  const bundles = await reads.read('bundles', {name});
  return bundles
    .filter(({metadata}) => served.includes(metadata.namespace ?? ''))
    .toSorted((one, other) => (one.metadata.namespace ?? '').localeCompare(other.metadata.namespace ?? ''));
}

/** The roots that all bundles contain: a workload with one bundle does not trust roots that only another one contains. */
function liveRoots(bundles: Bundles): LiveRoots {
  const [first, ...others] = bundles.map(({data}) => readableRoots(data?.[bundleKey]));
  const from = bundles.map(({metadata}) => `${metadata.namespace ?? ''}/${metadata.name}`);
  return {
    from: `ConfigMap ${from.join(' and ')}`,
    certificates: (first ?? []).filter(({fingerprint}) =>
      others.every((other) => other.some((root) => root.fingerprint === fingerprint)),
    ),
  };
}

/** Throws `TOO_EARLY` while proxies may still trust the previous roots. */
async function proxyRoots(sources: FactSources, bundles: Bundles): Promise<ProxyRoots> {
  const {reads, mesh, fact, deps} = sources;
  const dated = bundles.flatMap((bundle) => {
    const age = bundleAge(bundle);
    return age ? [{bundle, age}] : [];
  });
  // The last change, or the oldest bundle if none changed.
  const changes = dated.filter(({age}) => isReplaced(age));
  const [last] = changes.toSorted((one, other) => other.age.writtenAt.getTime() - one.age.writtenAt.getTime());
  const [oldest] = dated.toSorted((one, other) => one.age.createdAt.getTime() - other.age.createdAt.getTime());
  const chosen = last ?? oldest;
  if (!chosen || dated.length < bundles.length) return {state: 'not recorded'};
  const {bundle, age} = chosen;
  const changedAt = age.writtenAt;
  const {leafLifetimeMs, pushedSince} = proxyRules(await fact('controlPlanes'), await reads.read('configMaps'));
  const until = new Date(changedAt.getTime() + leafLifetimeMs);
  const settled: ProxyRoots = {state: 'never changed', since: age.createdAt};
  // In most cases this settles it, and no pods are listed.
  if (deps.now() >= until) return last ? {state: 'outlived', changedAt} : settled;
  const [labeled, ztunnels] = await Promise.all([
    reads.read('livingPods', {labelSelector: proxyLabel}),
    // A ztunnel that is older than the first bundle has waited for it, because it mounts the bundle.
    last ? reads.read('livingPods', {labelSelector: ztunnelSelector}) : [],
  ]);
  const proxies = labeled.filter((pod) => isProxy(pod, mesh.istio.namespace));
  const olderThan = (moment: number, pods: readonly KubeObject[]): readonly KubeObject[] =>
    pods.filter((pod) => startedAt(pod) <= moment);
  const receivesPushes = (pod: KubeObject): boolean =>
    pushedSince !== undefined && startedAt(pod) > pushedSince.getTime();
  const candidates = olderThan(rootsUnchangedSince(age), proxies);
  const older =
    last || candidates.length === 0 ? candidates : olderThan(await rootsUnchangedSinceIn(sources, bundle), candidates);
  const stale = older.filter((pod) => !receivesPushes(pod));
  const staleZtunnels = olderThan(changedAt.getTime(), ztunnels);
  if (stale.length + staleZtunnels.length > 0) {
    const moment = formatMinute(changedAt);
    const change = last
      ? `the roots changed at ${moment}`
      : `ConfigMap ${bundle.metadata.name} was created at ${moment}, possibly replacing one with other roots`;
    throw tooEarlyError({proxies: stale, ztunnels: staleZtunnels}, {change, until}, sources);
  }
  if (older.length > 0) return {state: 'pushed', changedAt, proxies: older.length};
  return last ? {state: 'no older proxy', changedAt} : settled;
}

function isReplaced({createdAt, writtenAt}: BundleAge): boolean {
  return writtenAt.getTime() > createdAt.getTime();
}

/**
 * The time from which the roots are unchanged: pods created before it may have started with other roots. The first
 * bundle appears shortly after istiod starts injecting proxies: istiod waits for the previous lease, which expires
 * after 30 s (istio/istio pilot/pkg/leaderelection/leaderelection.go).
 */
function rootsUnchangedSince(age: BundleAge): number {
  return isReplaced(age) ? age.writtenAt.getTime() : age.createdAt.getTime() - firstBundleDelayMs;
}

/** The same over all namespaces: if only this bundle was deleted, the others show since when the roots are unchanged. */
async function rootsUnchangedSinceIn({reads}: FactSources, {metadata, data}: ConfigMapObject): Promise<number> {
  const same = (await reads.read('bundles', {name: metadata.name})).filter(
    (other) => other.data?.[bundleKey] === data?.[bundleKey],
  );
  const ages = same.map(bundleAge).filter((age) => age !== undefined);
  return Math.min(...ages.map(rootsUnchangedSince));
}

/** A pod is created before its proxy starts: one created before a change, or in that second, may have older roots. */
function startedAt({metadata}: KubeObject): number {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(created) ? 0 : created;
}

function tooEarlyError(
  stale: StaleProxies,
  {change, until}: {readonly change: string; readonly until: Date},
  {cluster}: FactSources,
): MeshError {
  const all = [...stale.proxies, ...stale.ztunnels];
  const names = all.map(({metadata}) => `${metadata.namespace ?? ''}/${metadata.name}`);
  const count = plural(all.length, 'proxy', 'proxies');
  return new MeshError(
    'TOO_EARLY',
    `${change}, and ${count} started before that (${some(names)}): until ${formatMinute(until)}, when the last certificate from that time expires, they may not trust an added root, and may still trust a removed one`,
    {
      hints: [
        advice`${restartCommand(stale, cluster)}`,
        'if a root was only added, connections keep working as long as no CA signs under it: wait until that time before the next step of a rotation',
      ],
    },
  );
}
