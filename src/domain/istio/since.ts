/** From which release on something holds. Sources write `VERSION:path` for a file of istio/istio at that release. */
import {compareMinor, compareVersions, type IstioVersion, parseVersion} from './version.js';

/**
 * The first release that has something: `1.10` is every 1.10 (pre-releases too), `1.14.2` is that patch. Several, one for
 * each minor and oldest first, where older minors were given it later: `1.28.7`, `1.29.3`, `1.30.0`.
 */
export type FirstReleases = string | readonly [string, ...string[]];

/** A fact that holds from one release on, until the next entry. */
export interface Since<T> {
  /** The first release: `1.10`, or `1.14.2` where patches of one minor differ. */
  readonly from: string;
  readonly value: T;
  readonly source: string;
}

/** A row of a table of such facts. */
export function since<T>(from: string, value: T, source: string): Since<T> {
  return {from, value, source};
}

/** The entry that holds for a version: the last one that starts at or before it. Entries are in order. */
export function factFor<Entry extends {readonly from: string}>(
  entries: readonly [Entry, ...Entry[]],
  version: IstioVersion,
): Entry {
  const [first] = entries;
  return entries.reduce((found, entry) => (hasReached(version, entry.from) ? entry : found), first);
}

/** Whether a version is one of these releases or comes after them. A version without a patch counts as its newest. */
export function hasReached(version: IstioVersion, releases: FirstReleases): boolean {
  const starts = (typeof releases === 'string' ? [releases] : releases)
    .map(parseVersion)
    .filter((start) => start !== undefined);
  const own = starts.find((start) => compareMinor(start, version) === 0);
  if (own) {
    return own.patch === undefined || compareVersions({patch: Number.POSITIVE_INFINITY, ...version}, own) >= 0;
  }
  // A minor between two of them was not given it.
  const newest = starts.at(-1);
  return newest !== undefined && compareMinor(version, newest) > 0;
}
