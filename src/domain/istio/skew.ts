/** How far versions may be apart. */
import type {IstioVersion} from './version.js';

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
