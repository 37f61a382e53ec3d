/**
 * Which Istio versions are known here. What each of them can do stands beside this file, as data with its source, a file
 * for each subject: `reload.ts`, `features.ts`, `kubernetes.ts`, `istioctl.ts`; what goes wrong in which of them, in
 * `checks/control-plane/known-hazards.ts`. Each fact about a version stands in one place.
 */
import {compareMinor, formatMinor, type IstioVersion, parseVersion} from './version.js';

/** The oldest and the newest minor that these tables were made from. */
export const oldestKnown: IstioVersion = {major: 1, minor: 6};
export const newestKnown: IstioVersion = {major: 1, minor: 31};

/** A version to take facts from, and what a person should know about that choice. */
export interface KnownVersion {
  /** As it was said: `1.30.3`, `unknown`; empty where nothing was. */
  readonly text: string;
  /** Whose facts are used. */
  readonly version: IstioVersion;
  /** `newer`: than the newest known; `older`: than the oldest known; `unsaid`: a build that names no version. */
  readonly status: 'known' | 'newer' | 'older' | 'unsaid';
  /** One sentence, unless the status is `known`. */
  readonly note?: string;
}

/** Chooses the version whose facts are used: a newer one and one that names no version count as the newest known. */
export function resolveVersion(said: string): KnownVersion {
  const parsed = parseVersion(said);
  const [oldest, newest] = [formatMinor(oldestKnown), formatMinor(newestKnown)];
  if (!parsed) {
    // Images may be named by digest alone.
    const what = said === '' ? 'an image of Istio without a tag' : `the Istio version "${said}"`;
    const note = `${what} names no release: treated as ${newest}, the newest known here`;
    return {text: said, version: newestKnown, status: 'unsaid', note};
  }
  if (compareMinor(parsed, newestKnown) > 0) {
    const note = `Istio ${said} is newer than ${newest}, the newest known here: treated as ${newest}`;
    return {text: said, version: newestKnown, status: 'newer', note};
  }
  if (compareMinor(parsed, oldestKnown) >= 0) return {text: said, version: parsed, status: 'known'};
  const note = `Istio ${said} is older than ${oldest}, the oldest known here: treated as ${oldest}`;
  return {text: said, version: oldestKnown, status: 'older', note};
}
