/** Facts by the first release in which they hold. A source `VERSION:path` is a file of istio/istio at that release. */
import {compareMinor, compareVersions, type IstioVersion, parseVersion} from './version.js';

/**
 * The first release with a feature: `1.10` is every 1.10 (including pre-releases), `1.14.2` is that patch release. A list
 * has one release per minor version, the oldest first, for a backported feature: `1.28.7`, `1.29.3`, `1.30.0`.
 */
export type FirstReleases = string | readonly [string, ...string[]];

/** A fact that holds from one release until that of the next entry. */
export interface Since<T> {
  /** The first release: `1.10`, or `1.14.2` if patch releases of one minor version differ. */
  readonly from: string;
  readonly value: T;
  readonly source: string;
}

/** Creates an entry of a table of facts. */
export function since<T>(from: string, value: T, source: string): Since<T> {
  return {from, value, source};
}

/** Returns the entry for a version: the last one that starts at or before it. Entries must be in ascending order. */
export function factFor<Entry extends {readonly from: string}>(
  entries: readonly [Entry, ...Entry[]],
  version: IstioVersion,
): Entry {
  const [first] = entries;
  return entries.reduce((found, entry) => (hasReached(version, entry.from) ? entry : found), first);
}

/** Reports whether a version has reached one of these releases. A version without a patch counts as the newest patch. */
export function hasReached(version: IstioVersion, releases: FirstReleases): boolean {
  const starts = (typeof releases === 'string' ? [releases] : releases)
    .map(parseVersion)
    .filter((start) => start !== undefined);
  const own = starts.find((start) => compareMinor(start, version) === 0);
  if (own) {
    return own.patch === undefined || compareVersions({patch: Number.POSITIVE_INFINITY, ...version}, own) >= 0;
  }
  // A minor version between two of them does not have the feature.
  const newest = starts.at(-1);
  return newest !== undefined && compareMinor(version, newest) > 0;
}

/** The releases that have a defect. */
export interface AffectedReleases {
  /** The first affected release; absent: all before `fixedIn`. */
  readonly from?: FirstReleases;
  /** The first fixed release of each minor version; absent: the newest known version is affected. */
  readonly fixedIn?: FirstReleases;
}

/** Reports whether a version has a defect. */
export function affects({from, fixedIn}: AffectedReleases, version: IstioVersion): boolean {
  return (from === undefined || hasReached(version, from)) && (fixedIn === undefined || !hasReached(version, fixedIn));
}
