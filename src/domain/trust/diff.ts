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
  const {certificate, roots = [], chain = [], key} = own.inspection;
  if (secret === 'absent') return [{part: 'secret', wanted: fingerprints(certificate), found: []}];
  const theirs = secret.inspection;
  const {crl} = own.files;
  const parts: readonly Difference[] = [
    {part: 'clusterCa', wanted: fingerprints(certificate), found: fingerprints(theirs.certificate)},
    {part: 'roots', wanted: fingerprints(...roots).toSorted(), found: fingerprints(...(theirs.roots ?? [])).toSorted()},
    {part: 'chain', wanted: fingerprints(...chain), found: fingerprints(...(theirs.chain ?? []))},
    // Without our own key, the key in the cluster must be the one that our certificate was made for.
    {part: 'key', wanted: list(key?.spki ?? certificate?.spki), found: list(theirs.key?.spki)},
    // Revocation lists that the work directory knows nothing of are the cluster's own: they stay.
    ...(crl === undefined
      ? []
      : [{part: 'crl', wanted: crlFingerprints(crl), found: crlFingerprints(secret.files.crl)} as const]),
    {part: 'keys', wanted: own.foreignKeys ?? [], found: secret.foreignKeys},
  ];
  return parts.filter(({wanted, found}) => JSON.stringify(wanted) !== JSON.stringify(found));
}

function fingerprints(...certificates: readonly (Certificate | undefined)[]): readonly string[] {
  return certificates.flatMap((certificate) => certificate?.fingerprint ?? []);
}

function list(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
