/** Work directory against cluster, by fingerprint (docs/trust.md). What is the same trust is no difference, however it is written. */
import type {CaFiles} from '../ca/ca-files.js';
import type {Certificate} from '../x509/certificate.js';
import {crlFingerprints} from '../x509/crl.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import type {CacertsSecret} from './cacerts.js';

/** What differs. `keys`: the Secret holds keys that change what istiod reads, or that are not ours. */
export type DifferentPart = 'secret' | 'clusterCa' | 'roots' | 'chain' | 'key' | 'crl' | 'keys';

/** One difference, as fingerprints or names; never key bytes. */
export interface Difference {
  readonly part: DifferentPart;
  /** What the work directory has; empty: nothing. */
  readonly wanted: readonly string[];
  /** What the cluster has; empty: nothing. */
  readonly found: readonly string[];
}

/** A cluster CA of the work directory. */
export interface OwnCa {
  readonly files: CaFiles;
  readonly inspection: CaInspection;
  /** Keys besides those of the layout that belong to it: what a Secret held that is put back. */
  readonly foreignKeys?: readonly string[];
}

/** What differs between a cluster CA of ours and the Secret in the cluster; empty when it is the same trust. */
export function compareCa(own: OwnCa, secret: CacertsSecret | 'absent'): readonly Difference[] {
  const {certificate, roots, chain} = own.inspection;
  if (secret === 'absent') return [{part: 'secret', wanted: prints(certificate && [certificate]), found: []}];
  const theirs = secret.inspection;
  // Without our own key, the key in the cluster must be the one that our certificate was made for.
  const ownKey = own.inspection.key?.spki ?? certificate?.spki;
  return [
    different('clusterCa', prints(certificate && [certificate]), prints(theirs.certificate && [theirs.certificate])),
    different('roots', prints(roots).toSorted(), prints(theirs.roots).toSorted()),
    different('chain', prints(chain), prints(theirs.chain)),
    different('key', list(ownKey), list(theirs.key?.spki)),
    // Revocation lists that the work directory knows nothing of are the cluster's own: they stay.
    own.files.crl === undefined
      ? undefined
      : different('crl', crlFingerprints(own.files.crl), crlFingerprints(secret.files.crl)),
    different('keys', own.foreignKeys ?? [], secret.foreignKeys),
  ].filter((difference) => difference !== undefined);
}

function different(part: DifferentPart, wanted: readonly string[], found: readonly string[]): Difference | undefined {
  const same = wanted.length === found.length && wanted.every((value, index) => value === found[index]);
  return same ? undefined : {part, wanted, found};
}

function prints(certificates: readonly Certificate[] | undefined): readonly string[] {
  return (certificates ?? []).map(({fingerprint}) => fingerprint);
}

function list(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
