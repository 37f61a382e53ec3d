/** Which objects show that a fact changed: what `verify --wait` watches, by the requests that the fact needs. */
import {defaultBundleName} from '../istio/names.js';
import {limitOn, type Limits} from './limits.js';
import {reads, type Read, type ReadName} from './requests.js';
import {isLast, limitOnFact, readsOf, type ClusterFactValues, type FactKey, type Facts} from './facts.js';

/** Objects of one cluster that are watched together. */
export interface WatchedObjects {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent: of the whole cluster. */
  readonly namespace?: string;
  /** Only the objects of this name; rights that are given by name suffice then. */
  readonly name?: string;
  /** Only the objects with this label. */
  readonly labelSelector?: string;
}

/** What the tables cannot know before a cluster was read. */
export interface WatchedPlace {
  readonly istioNamespace: string;
  /** Names of the ConfigMaps into which its istiods write the trust bundle. */
  readonly bundleNames: readonly string[];
}

/** The names of the bundles of a cluster, as far as its control planes are known. */
export function bundleNamesIn({controlPlanes}: Facts<ClusterFactValues>): readonly string[] {
  const found = controlPlanes && 'value' in controlPlanes ? controlPlanes.value : [];
  const names = found.flatMap(({bundleName}) => bundleName ?? []);
  return [...new Set(names.length === 0 ? [defaultBundleName] : names)];
}

/**
 * Whether changes of files and objects are all that changes a fact. Which CA an istiod has loaded, for one, changes no
 * object; and what may be anywhere in a cluster, or changes all the time, is not watched.
 */
export function isWatchable(key: FactKey): boolean {
  return !isLast(key) && readsOf(key).every((name) => watchedRead(name) !== undefined);
}

/** The objects that tell of changes of a fact, as far as limits allow to read them. */
export function objectsBehind(key: FactKey, limits: Limits, place: WatchedPlace): readonly WatchedObjects[] {
  if (limitOnFact(key, limits) !== undefined) return [];
  return readsOf(key)
    .filter((name) => limitOn(name, limits) === undefined)
    .flatMap((name) => objectsOf(name, place));
}

/** The row whose objects show the changes of a request's answer. */
function watchedRead(name: ReadName): Exclude<Read, {method: 'raw' | 'forward'}> | undefined {
  const read: Read = reads[name];
  if (read.method === 'raw' || read.method === 'forward' || read.watch === 'never') return undefined;
  return read.watch === undefined ? read : watchedRead(read.watch);
}

function objectsOf(name: ReadName, {istioNamespace, bundleNames}: WatchedPlace): readonly WatchedObjects[] {
  const read = watchedRead(name);
  if (!read) return [];
  const objects = {
    apiVersion: read.apiVersions[0],
    kind: read.kind,
    ...(read.scope === 'Istio namespace' && {namespace: istioNamespace}),
    ...(read.method === 'list' && read.labelSelector !== undefined && {labelSelector: read.labelSelector}),
  };
  if (name === 'bundles') return bundleNames.map((bundleName) => ({...objects, name: bundleName}));
  return [{...objects, ...(read.name !== undefined && {name: read.name})}];
}

/** A name for objects that are watched together. */
export function nameOfWatched({apiVersion, kind, namespace, name, labelSelector}: WatchedObjects): string {
  return [apiVersion, kind, namespace ?? '', name ?? '', labelSelector ?? ''].join(' ');
}
