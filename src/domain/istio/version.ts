/** Istio version numbers as istioctl, image tags and mesh.yaml write them. What a version can do stands in `versions.ts`. */

import {defined} from '../defined.js';

/** A version; without a patch it means every patch of that minor. */
export interface IstioVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch?: number;
  /** What follows the numbers: `rc.0`, `alpha.5a3b`, `distroless`. */
  readonly suffix?: string;
}

const pattern = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+]([\w.+-]+))?$/;
const prerelease = /^(?:alpha|beta|rc|dev|nightly)\b/i;

/**
 * Reads `1.30`, `1.30.3`, `v1.30.3`, `1.31.0-rc.0`, `1.31-alpha.5a3b`, `1.30.3-distroless`. Undefined for anything else:
 * development builds say `unknown`, their images `latest`.
 */
export function parseVersion(text: string): IstioVersion | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, major, minor, patch, suffix] = match;
  return defined<IstioVersion>({
    major: Number(major),
    minor: Number(minor),
    patch: patch === undefined ? undefined : Number(patch),
    suffix,
  });
}

/** `1.30.3-rc.0` again. */
export function formatVersion(version: IstioVersion): string {
  const patch = version.patch === undefined ? '' : `.${String(version.patch)}`;
  const suffix = version.suffix === undefined ? '' : `-${version.suffix}`;
  return `${formatMinor(version)}${patch}${suffix}`;
}

/** `1.30` of any 1.30. */
export function formatMinor(version: IstioVersion): string {
  return `${String(version.major)}.${String(version.minor)}`;
}

/** Negative, zero or positive, by major and minor alone. */
export function compareMinor(left: IstioVersion, right: IstioVersion): number {
  return left.major - right.major || left.minor - right.minor;
}

/** By major, minor, patch, and a pre-release before its release. An absent patch counts as 0; flavours are equal. */
export function compareVersions(left: IstioVersion, right: IstioVersion): number {
  return (
    compareMinor(left, right) ||
    (left.patch ?? 0) - (right.patch ?? 0) ||
    Number(isPrerelease(right)) - Number(isPrerelease(left))
  );
}

/**
 * Whether an actual version is what was declared: `1.30` is every 1.30 (pre-releases too), `1.30.3` is that patch in any
 * flavour.
 */
export function satisfies(actual: IstioVersion, declared: IstioVersion): boolean {
  const isMinor = compareMinor(actual, declared) === 0;
  return isMinor && (declared.patch === undefined || compareVersions(actual, declared) === 0);
}

function isPrerelease(version: IstioVersion): boolean {
  return version.suffix !== undefined && prerelease.test(version.suffix);
}

/**
 * Minors that two ends of one mesh may be apart. istio.io names a number for control plane and data plane, and none for
 * the control planes of several clusters (istio/istio.io#12971); there, too, one end is one version ahead at most, so
 * that what both write into a cluster and what proxies of both say to each other is tested together.
 */
export const supportedSkew = {
  minors: 1,
  source: 'istio.io: docs/releases/supported-releases#control-planedata-plane-skew',
} as const;

/** How many minors two versions are apart; infinite where even the major differs. */
export function minorsApart(left: IstioVersion, right: IstioVersion): number {
  return left.major === right.major ? Math.abs(left.minor - right.minor) : Number.POSITIVE_INFINITY;
}

/** Whether two versions are further apart than is supported. */
export function isSkewed(left: IstioVersion, right: IstioVersion): boolean {
  return minorsApart(left, right) > supportedSkew.minors;
}
