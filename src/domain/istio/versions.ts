/**
 * The Istio versions known to this program. Facts about versions are data with sources, in one file per subject: `reload.ts`,
 * `features.ts`, `kubernetes.ts`, `istioctl.ts`, and known bugs in `checks/control-plane/known-hazards.ts`. Each fact is in
 * one place only.
 */
import {compareMinor, formatMinor, type IstioVersion, parseVersion} from './version.js';

/**
 * The oldest and newest minor versions that these tables cover. For 1.32 they are those of istio/istio master at VERSION 1.32
 * (August 2026) and of istio.io/api 1.32.0, whose mesh configuration only adds `defaultInboundHttpRetryPolicy`.
 */
export const oldestKnown: IstioVersion = {major: 1, minor: 6};
export const newestKnown: IstioVersion = {major: 1, minor: 32};

/** A version resolved to one whose facts are known, with a note about that choice. */
export interface KnownVersion {
  /** The version as reported or declared: `1.30.3`, `unknown`; may be empty. */
  readonly text: string;
  /** The version whose facts apply. */
  readonly version: IstioVersion;
  /** `newer`: than the newest known; `older`: than the oldest known; `unparsed`: the text is not a release. */
  readonly status: 'known' | 'newer' | 'older' | 'unparsed';
  /** One sentence, unless the status is `known`. */
  readonly note?: string;
}

/**
 * Reports whether facts that cannot be inferred from another version are unknown: known issues, and the Kubernetes versions
 * that it supports.
 */
export function isUnknownVersion({status}: Pick<KnownVersion, 'status'>): boolean {
  return status === 'newer' || status === 'unparsed';
}

/** Resolves a version to one whose facts are known: the newest known one if it is newer or not a release. */
export function resolveVersion(text: string): KnownVersion {
  const parsed = parseVersion(text);
  const [oldest, newest] = [formatMinor(oldestKnown), formatMinor(newestKnown)];
  if (!parsed) {
    // Images may be referenced by digest only.
    const what = text === '' ? 'the Istio image has no tag' : `Istio version "${text}" is not a release`;
    const note = `${what}: treated as ${newest}, the newest known version`;
    return {text, version: newestKnown, status: 'unparsed', note};
  }
  if (compareMinor(parsed, newestKnown) > 0) {
    const note = `Istio ${text} is newer than the newest known version: treated as ${newest}`;
    return {text, version: newestKnown, status: 'newer', note};
  }
  if (compareMinor(parsed, oldestKnown) >= 0) return {text, version: parsed, status: 'known'};
  const note = `Istio ${text} is older than the oldest known version: treated as ${oldest}`;
  return {text, version: oldestKnown, status: 'older', note};
}
