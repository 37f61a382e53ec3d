/** Roots that no longer do anything in a bundle: neither Go nor BoringSSL builds a chain to an expired root. Pure. */
import type {Certificate} from '../x509/certificate.js';
import {orderUpward} from '../x509/chain.js';
import {isAmong} from './trust-store.js';

/** A cluster CA with the certificates of its chain. */
export interface CaWithChain {
  readonly cluster: string;
  readonly certificate: Certificate;
  readonly chain: readonly Certificate[];
}

/** The decision about the expired roots of a bundle. */
export interface ExpiredRoots {
  /** The bundle without them, in its order. */
  readonly kept: readonly Certificate[];
  readonly removed: readonly Certificate[];
  /** The expired roots that stay, and why. */
  readonly needed: readonly {readonly root: Certificate; readonly reason: string}[];
}

/**
 * Decides which expired roots can be removed from a bundle: never the last root, and none that a cluster CA's chain ends in
 * (with an expired root it is invalid, but only a new cluster CA makes it valid, and until then the root identifies it).
 */
export function decideExpiredRoots(
  roots: readonly Certificate[],
  clusters: readonly CaWithChain[],
  now: Date,
): ExpiredRoots {
  const expired = roots.filter(({notAfter}) => notAfter <= now);
  const valid = roots.filter((root) => !isAmong(root, expired));
  if (valid.length === 0) {
    return {kept: roots, removed: [], needed: expired.map((root) => ({root, reason: 'no valid root would be left'}))};
  }
  const needed = expired.flatMap((root) => {
    const user = clusters.find((one) => endsIn(one, root, valid));
    return user ? [{root, reason: `the CA of ${user.cluster} is below it`}] : [];
  });
  const removed = expired.filter((root) => !needed.some((one) => one.root === root));
  return {kept: roots.filter((root) => !removed.includes(root)), removed, needed};
}

/** Whether a chain ends in this root and, without it, in none of the valid ones. */
function endsIn({certificate, chain}: CaWithChain, root: Certificate, valid: readonly Certificate[]): boolean {
  const below = chain.filter(({selfSigned}) => !selfSigned);
  const endOf = (roots: readonly Certificate[]): Certificate | undefined =>
    orderUpward(certificate, [...below, ...roots]).at(-1);
  const end = endOf(valid);
  if (end && isAmong(end, valid)) return false;
  const other = endOf([root]);
  return other !== undefined && isAmong(other, [root]);
}
