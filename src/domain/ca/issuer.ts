/**
 * Issuers of cluster CAs (docs/signers.md): a local {@link CertificateAuthority} (a signer with its certificate), or a
 * server that accepts requests. The implementations are in src/signers.
 */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../errors.js';
import type {Certificate} from '../x509/certificate.js';
import {exceedsPathLength} from '../x509/chain.js';
import {signingChains, type TrustStore} from './trust-store.js';

/** A request for a cluster CA. */
export interface IssueRequest {
  readonly cluster: string;
  readonly publicKey: KeyObject;
  /** Days of 24 hours. */
  readonly validityDays: number;
  readonly now: Date;
  /** The PKCS#10 request as DER, signed with the cluster's key (`csr.ts`), for issuers that need one. */
  csr(): Promise<Buffer>;
}

/** An issued cluster CA. */
export interface IssuedCa {
  readonly certificate: Certificate;
  /** The certificates above it, upward; the root last if the issuer returns it. */
  readonly above: readonly Certificate[];
  /** The differences from the request, such as a shorter lifetime or another subject; one phrase each. */
  readonly changes: readonly string[];
}

/** Issues cluster CAs. */
export interface Issuer {
  /**
   * Throws `ISSUE_FAILED`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `INTERRUPTED`. The caller verifies the result like any
   * foreign certificate.
   */
  issue(request: IssueRequest): Promise<IssuedCa>;
}

/**
 * Why a CA cannot issue cluster CAs; undefined if it can. istiod loads a cluster CA below a CA with path length 0, but no
 * workload certificate verifies (golang/go src/crypto/x509/verify.go, TooManyIntermediates). `upward`: the CA itself, then
 * the certificates above it.
 */
export function cannotIssue(upward: readonly Certificate[], now: Date, what: string): MeshError | undefined {
  const [ca] = upward;
  if (!ca) return new MeshError('ISSUE_FAILED', `${what}: no CA certificate`);
  const name = `${what} ("${ca.subject.text}")`;
  const refuse = (why: string, hint: string): MeshError =>
    new MeshError('WORKDIR_CONFLICT', `${name} ${why}`, {hints: [hint]});
  const expired = upward.find(({notAfter}) => notAfter <= now);
  if (expired) {
    return refuse(
      expired === ca
        ? `expired on ${formatMinute(ca.notAfter)}: it can no longer sign`
        : `is below "${expired.subject.text}", which expired on ${formatMinute(expired.notAfter)}`,
      'sign with a new CA that workloads already trust: see docs/signers.md',
    );
  }
  if (ca.extensions.basicConstraints?.ca !== true) return refuse('is not a CA', 'use the certificate of a CA');
  const {keyUsage} = ca.extensions;
  if (keyUsage && !keyUsage.usages.includes('keyCertSign')) {
    return refuse('cannot sign certificates: its key usage lacks keyCertSign', 'use a CA with key usage keyCertSign');
  }
  // Below each certificate are the CAs before it in this chain, and the new cluster CA.
  const exceeded = upward.find((one, index) => exceedsPathLength(one, index + 1));
  if (exceeded) {
    return refuse(
      exceeded === ca
        ? 'has path length 0: it can sign workloads, but no other CAs'
        : `is below "${exceeded.subject.text}", whose path length allows no further CA`,
      'use a CA one level higher',
    );
  }
  return undefined;
}

/** The same for a trust store's available key: why none of the CAs to which it may belong can issue cluster CAs. */
export function keyCannotIssue(store: TrustStore, now: Date, what: string): MeshError | undefined {
  const [first = [], ...others] = signingChains(store);
  const error = cannotIssue(first, now, what);
  return others.some((upward) => !cannotIssue(upward, now, what)) ? undefined : error;
}
