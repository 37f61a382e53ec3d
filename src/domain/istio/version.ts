/** Istio version numbers as in istioctl, image tags and mesh.yaml. For facts about versions, see `versions.ts`. */

import {defined} from '../defined.js';

/** A version. Without a patch number it means every patch release of the minor version. */
export interface IstioVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch?: number;
  /** The text after the numbers: `rc.0`, `alpha.5a3b`, `distroless`. */
  readonly suffix?: string;
}

const pattern = /^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+]([\w.+-]+))?$/;
const prerelease = /^(?:alpha|beta|rc|dev|nightly)\b/i;

/**
 * Parses `1.30`, `1.30.3`, `v1.30.3`, `1.31.0-rc.0`, `1.31-alpha.5a3b`, `1.30.3-distroless`. Undefined for anything else:
 * development builds report `unknown`, and their images have the tag `latest`.
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

/** Formats a version: `1.30.3-rc.0`. */
export function formatVersion(version: IstioVersion): string {
  const patch = version.patch === undefined ? '' : `.${String(version.patch)}`;
  const suffix = version.suffix === undefined ? '' : `-${version.suffix}`;
  return `${formatMinor(version)}${patch}${suffix}`;
}

/** Formats the minor version: `1.30`. */
export function formatMinor(version: IstioVersion): string {
  return `${String(version.major)}.${String(version.minor)}`;
}

/** Compares major and minor version only: negative, zero or positive. */
export function compareMinor(left: IstioVersion, right: IstioVersion): number {
  return left.major - right.major || left.minor - right.minor;
}

/** Compares major, minor and patch; a pre-release precedes its release. A missing patch is 0; other suffixes are ignored. */
export function compareVersions(left: IstioVersion, right: IstioVersion): number {
  return (
    compareMinor(left, right) ||
    (left.patch ?? 0) - (right.patch ?? 0) ||
    Number(isPrerelease(right)) - Number(isPrerelease(left))
  );
}

/**
 * Reports whether an actual version matches a declared one: `1.30` is every 1.30 (including pre-releases), `1.30.3` is that
 * patch release in any image variant.
 */
export function satisfies(actual: IstioVersion, declared: IstioVersion): boolean {
  const isMinor = compareMinor(actual, declared) === 0;
  return isMinor && (declared.patch === undefined || compareVersions(actual, declared) === 0);
}

function isPrerelease(version: IstioVersion): boolean {
  return version.suffix !== undefined && prerelease.test(version.suffix);
}

/**
 * The supported skew between two components of a mesh, in minor versions. istio.io defines it for control plane and data
 * plane, but not for the control planes of several clusters (istio/istio.io#12971). The same limit applies to these here, so
 * that what both write to a cluster, and traffic between proxies of both versions, is tested together.
 */
export const supportedSkew = {
  minors: 1,
  source: 'istio.io: docs/releases/supported-releases#control-planedata-plane-skew',
} as const;

/** Returns the difference between two versions in minor versions; infinite if the major versions differ. */
export function minorsApart(left: IstioVersion, right: IstioVersion): number {
  return left.major === right.major ? Math.abs(left.minor - right.minor) : Number.POSITIVE_INFINITY;
}

/** Reports whether two versions exceed the supported skew. */
export function isSkewed(left: IstioVersion, right: IstioVersion): boolean {
  return minorsApart(left, right) > supportedSkew.minors;
}
