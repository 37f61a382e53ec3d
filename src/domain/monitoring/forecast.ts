/** What has to be renewed when, and what stops when it is not. */
import {expiryLimitMs} from '../x509/expiry.js';
import type {MeshTrust} from '../mesh/mesh.js';
import {type CertificateRole, byDepth} from './metrics.js';

/** A certificate that a cluster's workloads depend on. */
export interface RequiredCertificate {
  readonly role: CertificateRole;
  readonly subject: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** A file of the work directory, or what of the cluster holds it. */
  readonly place: string;
}

/** A certificate in a forecast. */
export interface ForecastCertificate extends Pick<RequiredCertificate, 'role' | 'subject' | 'fingerprint' | 'place'> {
  /** ISO 8601, UTC. */
  readonly notAfter: string;
}

/** What is to come for one cluster. Times are ISO 8601, UTC. */
export interface Forecast {
  readonly cluster: string;
  /** When the first of its certificates becomes a warning by mesh.yaml's `trust.expiry`: the time to renew it. */
  readonly nextRenewal: string;
  /** That time is here. */
  readonly due: boolean;
  /** What is to be renewed then. */
  readonly renew: ForecastCertificate;
  /** When its workloads stop, unless something is renewed. */
  readonly firstOutage: string;
  /** What ends then. */
  readonly endsFirst: ForecastCertificate;
  /**
   * The cluster CA can live no longer than it does, since its root ends with it or before it: another cluster CA changes
   * nothing, another root does.
   */
  readonly cutByRoot: boolean;
}

/** A cluster's dependencies, in use now. */
export interface ClusterDependencies {
  readonly cluster: string;
  readonly certificates: readonly RequiredCertificate[];
}

/** Issuers cut to the second, Istio's Makefile to the day. */
const sameExpiryMs = 86_400_000;

/** The forecast of each cluster that depends on something, the next renewal first. */
export function forecastRenewals(
  clusters: readonly ClusterDependencies[],
  {warn}: MeshTrust['expiry'],
  now: Date,
): readonly Forecast[] {
  const dueAt = (certificate: RequiredCertificate): number =>
    certificate.notAfter.getTime() - expiryLimitMs(certificate, warn);
  return clusters
    .flatMap(({cluster, certificates}): readonly Forecast[] => {
      const renew = earliest(certificates, dueAt);
      const endsFirst = earliest(certificates, expiryTime);
      if (!renew || !endsFirst) return [];
      const at = dueAt(renew);
      const due = {
        nextRenewal: new Date(at).toISOString(),
        due: at <= now.getTime(),
        renew: forecastCertificate(renew),
      };
      const outage = {firstOutage: endsFirst.notAfter.toISOString(), endsFirst: forecastCertificate(endsFirst)};
      return [{cluster, ...due, ...outage, cutByRoot: isLimitedByRoot(certificates)}];
    })
    .toSorted((one, other) => Date.parse(one.nextRenewal) - Date.parse(other.nextRenewal));
}

function expiryTime({notAfter}: RequiredCertificate): number {
  return notAfter.getTime();
}

function earliest(
  certificates: readonly RequiredCertificate[],
  when: (one: RequiredCertificate) => number,
): RequiredCertificate | undefined {
  return certificates.toSorted((one, other) => when(one) - when(other) || byDepth(one, other))[0];
}

function isLimitedByRoot(certificates: readonly RequiredCertificate[]): boolean {
  const ends = (role: CertificateRole): readonly number[] =>
    certificates.filter((one) => one.role === role).map(expiryTime);
  const roots = [...ends('root'), ...ends('other root')];
  const cas = ends('cluster CA');
  return roots.length > 0 && cas.length > 0 && Math.min(...roots) < Math.min(...cas) + sameExpiryMs;
}

function forecastCertificate({role, subject, fingerprint, place, notAfter}: RequiredCertificate): ForecastCertificate {
  return {role, subject, fingerprint, place, notAfter: notAfter.toISOString()};
}
