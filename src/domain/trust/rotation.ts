/** Decides what a rotation of cluster CAs does in one cluster (docs/trust.md). Pure. */
import {describeKey} from '../keys/keys.js';
import type {MeshTrust} from '../mesh/mesh.js';
import {dayMs} from '../time.js';
import type {Certificate} from '../x509/certificate.js';
import {expiryLimitMs, expirySeverity, type ExpiryThreshold} from '../x509/expiry.js';

/**
 * - `renew`: issue a new CA and push it
 * - `push`: push the work directory's CA, which an earlier run issued
 * - `prove`: wait until every istiod presents the CA that the cluster already has
 * - `none`: the CA is not due
 */
export type RotationStep = 'renew' | 'push' | 'prove' | 'none';

/** The CAs of one cluster. */
export interface RotationCas {
  /** The CA in Secret cacerts; undefined if there is none, or it is not a readable certificate. */
  readonly live: Certificate | undefined;
  /** The work directory's CA if it can be pushed: it is valid under the mesh's root, and its key exists. */
  readonly ready: Certificate | undefined;
  /** The cluster has the work directory's CA, but a running istiod does not use it yet: an earlier run ended before its proof. */
  readonly pendingReload: boolean;
}

/** What the user requests. */
export interface RotationRule {
  /** `--within`: only CAs with at most this remaining lifetime; absent: all. */
  readonly within?: ExpiryThreshold | undefined;
  /** Of new CAs: the key algorithm, the validity, and when one is about to expire (`trust.expiry`). */
  readonly trust: Pick<MeshTrust, 'keyAlgorithm' | 'clusterValidityDays' | 'expiry'>;
  readonly now: Date;
}

/**
 * Decides on the step. What an earlier run began is completed first, also where the CA is not due any more: a CA that it issued
 * and did not push is pushed instead of issuing another one, unless it is due or about to expire itself, or has another key
 * algorithm.
 */
export function decideRotation({live, ready, pendingReload}: RotationCas, rule: RotationRule): RotationStep {
  if (pendingReload) return 'prove';
  if (live && !isDue(live, rule)) return 'none';
  return ready && isUnpushed(ready, live) && isUsable(ready, rule) ? 'push' : 'renew';
}

/** Reports whether a CA is due. */
function isDue({notBefore, notAfter}: Certificate, {within, now}: RotationRule): boolean {
  return within === undefined || notAfter.getTime() - now.getTime() <= expiryLimitMs({notBefore, notAfter}, within);
}

/** A CA that was issued before the one in the cluster is an older copy of the work directory. */
function isUnpushed(ready: Certificate, live: Certificate | undefined): boolean {
  return ready.fingerprint !== live?.fingerprint && (live === undefined || ready.notBefore >= live.notBefore);
}

function isUsable(ready: Certificate, rule: RotationRule): boolean {
  const {trust, now} = rule;
  if (describeKey(ready.publicKey).name !== trust.keyAlgorithm) return false;
  if (rule.within !== undefined && isDue(ready, rule)) return false;
  // With a short validity, a new CA would be about to expire as well.
  const isAsLong = ready.notAfter.getTime() - now.getTime() >= (trust.clusterValidityDays * dayMs) / 2;
  return isAsLong || expirySeverity(ready, trust.expiry, now) === undefined;
}
