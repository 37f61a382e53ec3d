/**
 * Who turns a request into a cluster's CA certificate (docs/signers.md): a {@link CertificateAuthority} of ours (a signer
 * with its certificate), or a server that takes requests. Implementations live in src/signers.
 */
import {formatMinute} from '../format.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../errors.js';
import type {Certificate} from '../x509/certificate.js';
import {exceedsPathLength} from '../x509/chain.js';
import {signingChains, type TrustStore} from './trust-store.js';

/** A cluster CA that is wanted. */
export interface IssueRequest {
  readonly cluster: string;
  readonly publicKey: KeyObject;
  /** Days of 24 hours. */
  readonly validityDays: number;
  readonly now: Date;
  /** The PKCS#10 request as DER, signed by the cluster's key (`csr.ts`): for issuers that take one. */
  csr(): Promise<Buffer>;
}

/** What an issuer made. */
export interface IssuedCa {
  readonly certificate: Certificate;
  /** What stands above it, upward; the root last where the issuer knows it. */
  readonly above: readonly Certificate[];
  /** What the issuer made other than was asked for: a shorter life, another subject. One sentence each. */
  readonly changes: readonly string[];
}

/** Issues cluster CAs. */
export interface Issuer {
  /**
   * Throws `ISSUE_FAILED`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `INTERRUPTED`. What comes back is verified by the
   * caller as every foreign certificate is.
   */
  issue(request: IssueRequest): Promise<IssuedCa>;
}

/**
 * Why a CA cannot issue cluster CAs; undefined when it can. A CA whose path length is 0 makes certificates that istiod
 * loads and no workload below verifies with (golang/go src/crypto/x509/verify.go, TooManyIntermediates). `upward`: the CA
 * itself, then what stands above it.
 */
export function cannotIssue(upward: readonly Certificate[], now: Date, what: string): MeshError | undefined {
  const [ca] = upward;
  if (!ca) return new MeshError('ISSUE_FAILED', `${what}: no certificate of a CA`);
  const name = `${what} ("${ca.subject.text}")`;
  const refuse = (why: string, hint: string): MeshError =>
    new MeshError('WORKDIR_CONFLICT', `${name} ${why}`, {hints: [hint]});
  const expired = upward.find(({notAfter}) => notAfter <= now);
  if (expired) {
    return refuse(
      expired === ca
        ? `expired on ${formatMinute(ca.notAfter)}: it cannot sign any more`
        : `is below "${expired.subject.text}", which expired on ${formatMinute(expired.notAfter)}`,
      'A new CA that workloads trust already has to sign: see docs/signers.md',
    );
  }
  if (ca.extensions.basicConstraints?.ca !== true) return refuse('is not a CA', 'Name the certificate of a CA');
  const {keyUsage} = ca.extensions;
  if (keyUsage && !keyUsage.usages.includes('keyCertSign')) {
    return refuse('may not sign certificates: its key usage lacks keyCertSign', 'Take a CA whose key usage allows it');
  }
  // Below each stand the CAs under it in this chain, and the cluster CA itself.
  const used = upward.find((one, index) => exceedsPathLength(one, index + 1));
  if (used) {
    return refuse(
      used === ca
        ? 'has path length 0: it signs workloads, not other CAs'
        : `stands below "${used.subject.text}", whose path length allows no further CA`,
      'Take a CA one level higher',
    );
  }
  return undefined;
}

/** The same for the available key of a trust store: why none of the CAs that it may belong to can issue cluster CAs. */
export function keyCannotIssue(store: TrustStore, now: Date, what: string): MeshError | undefined {
  const [first = [], ...others] = signingChains(store);
  const error = cannotIssue(first, now, what);
  return others.some((upward) => !cannotIssue(upward, now, what)) ? undefined : error;
}
