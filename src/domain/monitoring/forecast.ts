/** Forecasts when certificates must be renewed, and when workloads fail otherwise. */
import {expiryLimitMs} from '../x509/expiry.js';
import type {MeshTrust} from '../mesh/mesh.js';
import {type CertificateRole, byDepth} from './metrics.js';

/** A certificate that a cluster's workloads depend on. */
export interface Dependency {
  readonly role: CertificateRole;
  readonly subject: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** A file in the work directory, or an object in the cluster. */
  readonly place: string;
}

/** A certificate in a forecast. */
export interface ForecastCertificate extends Pick<Dependency, 'role' | 'subject' | 'fingerprint' | 'place'> {
  /** ISO 8601, UTC. */
  readonly notAfter: string;
}

/** The forecast of one cluster. Times are ISO 8601, UTC. */
export interface Forecast {
  readonly cluster: string;
  /** When the first of its certificates becomes a warning by `trust.expiry` of mesh.yaml and should be renewed. */
  readonly nextRenewal: string;
  /** Whether that time has come. */
  readonly due: boolean;
  /** The certificate to renew at that time. */
  readonly renew: ForecastCertificate;
  /** When its workloads fail, unless certificates are renewed. */
  readonly firstOutage: string;
  /** The certificate that expires at that time. */
  readonly endsFirst: ForecastCertificate;
  /**
   * Whether the root limits the cluster CA's expiry, because it expires at the same time or earlier: only a new root, not a
   * new cluster CA, expires later.
   */
  readonly cutByRoot: boolean;
}

/** The certificates in use in a cluster. */
export interface Dependencies {
  readonly cluster: string;
  readonly certificates: readonly Dependency[];
}

/** The tolerance for equal expiry times: issuers limit them to the second, Istio's Makefile to the day. */
const sameExpiryMs = 86_400_000;

/** Returns the forecast of each cluster with certificates, ordered by the next renewal. */
export function forecasts(
  clusters: readonly Dependencies[],
  {warn}: MeshTrust['expiry'],
  now: Date,
): readonly Forecast[] {
  const dueAt = (certificate: Dependency): number => certificate.notAfter.getTime() - expiryLimitMs(certificate, warn);
  return clusters
    .flatMap(({cluster, certificates}): readonly Forecast[] => {
      const renew = earliest(certificates, dueAt);
      const endsFirst = earliest(certificates, expiryTime);
      if (!renew || !endsFirst) return [];
      const at = dueAt(renew);
      const due = {nextRenewal: new Date(at).toISOString(), due: at <= now.getTime(), renew: summary(renew)};
      const outage = {firstOutage: endsFirst.notAfter.toISOString(), endsFirst: summary(endsFirst)};
      return [{cluster, ...due, ...outage, cutByRoot: isLimitedByRoot(certificates)}];
    })
    .toSorted((one, other) => dayOf(one).localeCompare(dayOf(other)));
}

/** The day of the next renewal: clusters with the same day stay in the order in which they are declared. */
function dayOf({nextRenewal}: Forecast): string {
  return nextRenewal.slice(0, 10);
}

function expiryTime({notAfter}: Dependency): number {
  return notAfter.getTime();
}

function earliest(certificates: readonly Dependency[], when: (one: Dependency) => number): Dependency | undefined {
  return certificates.toSorted((one, other) => when(one) - when(other) || byDepth(one, other))[0];
}

function isLimitedByRoot(certificates: readonly Dependency[]): boolean {
  const times = (role: CertificateRole): readonly number[] =>
    certificates.filter((one) => one.role === role).map(expiryTime);
  const roots = [...times('root'), ...times('other root')];
  const cas = times('cluster CA');
  return roots.length > 0 && cas.length > 0 && Math.min(...roots) < Math.min(...cas) + sameExpiryMs;
}

function summary({role, subject, fingerprint, place, notAfter}: Dependency): ForecastCertificate {
  return {role, subject, fingerprint, place, notAfter: notAfter.toISOString()};
}
