/** Facts of the roots that workloads trust: the bundles that istiod writes, and whether proxies have followed them. */
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
import type {KubeObject} from '../../domain/kube/object.js';
import {namespacesWithBundle} from '../../domain/checks/trust/bundle-namespaces.js';
import {advice} from '../../domain/suggest/suggestion.js';
import {readableRoots} from '../../domain/ca/trust-store.js';
import type {Derivations, FactSources} from '../fact-sources.js';
import {restartCommand, type Behind} from './restart-proxies.js';

const firstBundleDelayMs = 60_000;

type Bundles = readonly [ConfigMapObject, ...ConfigMapObject[]];

export const rootsFacts: Derivations<'bundles' | 'liveRoots' | 'proxyRoots'> = {
  bundles: writtenBundles,
  liveRoots: async (sources) => {
    const found = await findBundles(sources);
    return found === 'elsewhere' ? found : liveRoots(found);
  },
  proxyRoots: async (sources) => {
    const found = await findBundles(sources);
    return found === 'elsewhere' ? {state: found} : proxyRoots(sources, found);
  },
};

/** The names of the ConfigMaps with the bundles of a cluster's revisions; none where they publish them otherwise. */
function bundleNames(planes: readonly ControlPlaneFacts[]): readonly string[] {
  if (planes.length === 0) return [defaultBundleName];
  return [...new Set(planes.flatMap(({bundleName}) => bundleName ?? []))];
}

/** The bundles that the istiods write into namespaces, of every name that their revisions use. */
async function writtenBundles({reads, fact}: FactSources): Promise<readonly WrittenBundle[]> {
  // Read before the control plane has said the name: it nearly always is this one, and reading takes a round trip.
  reads.readAhead('bundles', {name: defaultBundleName});
  const names = bundleNames(await fact('controlPlanes'));
  const bundles = (await Promise.all(names.map((name) => reads.read('bundles', {name})))).flat();
  // The same text stands in every namespace, of which there can be thousands: it is kept and parsed once.
  const seen = new Map<string, Pick<WrittenBundle, 'text' | 'roots'>>();
  return bundles.map(({metadata: {namespace = ''}, data}) => {
    const text = data?.[bundleKey];
    if (text === undefined) return {namespace, roots: []};
    const bundle = seen.get(text) ?? {text, roots: readableRoots(text).map(({fingerprint}) => fingerprint)};
    seen.set(text, bundle);
    return {namespace, ...bundle};
  });
}

/**
 * The ConfigMaps beside istiod, one for each name that its revisions use; where istiod leaves its own namespace out
 * (discoverySelectors), the first that it writes. `elsewhere` where no revision writes any. Throws `NOT_FOUND` where one
 * is missing: nothing else says what istiod has loaded.
 */
async function findBundles(sources: FactSources): Promise<Bundles | 'elsewhere'> {
  const {reads, mesh, fact} = sources;
  const {namespace} = mesh.istio;
  const [planes, configMaps] = await Promise.all([fact('controlPlanes'), reads.read('configMaps')]);
  const names = bundleNames(planes);
  if (names.length === 0) return 'elsewhere';
  const found = await Promise.all(
    names.map(async (name) => {
      const isBundle = ({metadata, data}: ConfigMapObject): boolean =>
        metadata.name === name && data?.[bundleKey] !== undefined;
      return configMaps.find(isBundle) ?? (await firstServed(name, sources, planes)).find(isBundle);
    }),
  );
  const missing = names.filter((_, index) => found[index] === undefined);
  const [first, ...others] = found.filter((one) => one !== undefined);
  if (first && missing.length === 0) return [first, ...others];
  throw new MeshError(
    'NOT_FOUND',
    `no ConfigMap ${missing.join(' or ')} in namespace ${namespace} says which roots its workloads trust`,
  );
}

/** The bundles of the namespaces that istiod serves, where Istio's own is not one of them. */
async function firstServed(
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

/** Of several, what all of them hold: who reads the one does not trust what only the other has. */
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

/** Throws `TOO_EARLY` while there may be proxies that trust what was there before. */
async function proxyRoots(sources: FactSources, bundles: Bundles): Promise<ProxyRoots> {
  const {reads, mesh, fact, deps} = sources;
  const dated = bundles.flatMap((bundle) => {
    const age = bundleAge(bundle);
    return age ? [{bundle, age}] : [];
  });
  // The last change; of bundles that never changed, the oldest.
  const changes = dated.filter(({age}) => isReplaced(age));
  const [last] = changes.toSorted((one, other) => other.age.writtenAt.getTime() - one.age.writtenAt.getTime());
  const [oldest] = dated.toSorted((one, other) => one.age.createdAt.getTime() - other.age.createdAt.getTime());
  const chosen = last ?? oldest;
  if (!chosen || dated.length < bundles.length) return {state: 'not recorded'};
  const {bundle, age} = chosen;
  const changedAt = age.writtenAt;
  const {leafLifeMs, pushedSince} = proxyRules(await fact('controlPlanes'), await reads.read('configMaps'));
  const until = new Date(changedAt.getTime() + leafLifeMs);
  const settled: ProxyRoots = {state: 'never changed', since: age.createdAt};
  // Most of the time all is said here, and no pod has to be listed.
  if (deps.now() >= until) return last ? {state: 'outlived', changedAt} : settled;
  const [labelled, ztunnels] = await Promise.all([
    reads.read('livingPods', {labelSelector: proxyLabel}),
    // A ztunnel that is older than the first bundle has waited for it: that is its volume.
    last ? reads.read('livingPods', {labelSelector: ztunnelSelector}) : [],
  ]);
  const proxies = labelled.filter((pod) => isProxy(pod, mesh.istio.namespace));
  const olderThan = (moment: number, pods: readonly KubeObject[]): readonly KubeObject[] =>
    pods.filter((pod) => startedAt(pod) <= moment);
  const listening = (pod: KubeObject): boolean => pushedSince !== undefined && startedAt(pod) > pushedSince.getTime();
  const candidates = olderThan(sameRootsSince(age), proxies);
  const older = last || candidates.length === 0 ? candidates : olderThan(await shownSince(sources, bundle), candidates);
  const behind = older.filter((pod) => !listening(pod));
  const behindZtunnels = olderThan(changedAt.getTime(), ztunnels);
  if (behind.length + behindZtunnels.length > 0) {
    const moment = formatMinute(changedAt);
    const change = last
      ? `the roots changed at ${moment}`
      : `ConfigMap ${bundle.metadata.name} was made at ${moment}, perhaps in place of one with other roots`;
    throw tooEarly({proxies: behind, ztunnels: behindZtunnels}, {change, until}, sources);
  }
  if (older.length > 0) return {state: 'pushed', changedAt, proxies: older.length};
  return last ? {state: 'no older proxy', changedAt} : settled;
}

function isReplaced({createdAt, writtenAt}: BundleAge): boolean {
  return writtenAt.getTime() > createdAt.getTime();
}

/**
 * Pods that were made by then may have started under other roots. A first bundle comes a moment after the istiod that
 * injects proxies: it waits for the lease of the one before, which ends after 30 s (istio/istio
 * pilot/pkg/leaderelection/leaderelection.go).
 */
function sameRootsSince(age: BundleAge): number {
  return isReplaced(age) ? age.writtenAt.getTime() : age.createdAt.getTime() - firstBundleDelayMs;
}

/** The same by all namespaces: where only this bundle was deleted, the others show how long the roots are these. */
async function shownSince({reads}: FactSources, {metadata, data}: ConfigMapObject): Promise<number> {
  const same = (await reads.read('bundles', {name: metadata.name})).filter(
    (other) => other.data?.[bundleKey] === data?.[bundleKey],
  );
  const ages = same.map(bundleAge).filter((age) => age !== undefined);
  return Math.min(...ages.map(sameRootsSince));
}

/** A pod is made before its proxy starts: one made earlier, or in that second, may have started with the older roots. */
function startedAt({metadata}: KubeObject): number {
  const made = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(made) ? 0 : made;
}

function tooEarly(
  behind: Behind,
  {change, until}: {readonly change: string; readonly until: Date},
  {cluster}: FactSources,
): MeshError {
  const all = [...behind.proxies, ...behind.ztunnels];
  const names = all.map(({metadata}) => `${metadata.namespace ?? ''}/${metadata.name}`);
  const count = plural(all.length, 'proxy', 'proxies');
  return new MeshError(
    'TOO_EARLY',
    `${change}, and ${count} started before (${some(names)}): until ${formatMinute(until)}, when the last certificate of that time ends, they may not trust a root that was added, and may still trust one that was taken away`,
    {
      hints: [
        advice`${restartCommand(behind, cluster)}`,
        'Where a root was only added, nothing is cut off as long as no CA signs under it: do not go on to the next step of a rotation before that time',
      ],
    },
  );
}
