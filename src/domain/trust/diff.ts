/**
 * Compares work directory and cluster by fingerprint (docs/trust.md). The encoding of files and the text in them do not matter,
 * unless they contain a private key.
 */
import type {CaFiles} from '../ca/ca-files.js';
import {chainPem} from '../x509/chain.js';
import type {Certificate} from '../x509/certificate.js';
import {crlFingerprints} from '../x509/crl.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import type {CacertsSecret} from './cacerts.js';

/**
 * The part that differs. `keys`: the Secret has data keys that affect what istiod reads, or that are foreign. `privateKeys`:
 * there are private keys besides the CA key, in these data keys.
 */
export type DifferentPart = 'secret' | 'clusterCa' | 'roots' | 'chain' | 'key' | 'crl' | 'keys' | 'privateKeys';

/** The parts whose values are names, not fingerprints. */
export const namedParts: readonly DifferentPart[] = ['keys', 'privateKeys'];

/** A difference in fingerprints or names. It never contains key material. */
export interface Difference {
  readonly part: DifferentPart;
  /** The value in the work directory; may be empty. */
  readonly wanted: readonly string[];
  /** The value in the cluster; may be empty. */
  readonly found: readonly string[];
}

/** The cluster CA to write: that of the work directory or, for a rollback, of the previous Secret. */
export interface DesiredCa {
  readonly files: CaFiles;
  readonly inspection: CaInspection;
  /** Data keys outside the layout that belong to it: those of a previous Secret that is restored. */
  readonly foreignKeys?: readonly string[];
  /** Its data keys with private keys that do not belong there: such a Secret is not restored. */
  readonly misplacedKeys?: readonly string[];
  /** It has not been issued yet: its roots and revocation lists are known, its certificate and key are not. */
  readonly isPlanned?: true;
}

/** The CA that will be issued for a cluster under these roots. `crl`: the work directory's revocation lists. */
export function plannedCa(roots: readonly Certificate[], crl: string | undefined): DesiredCa {
  return {
    files: {rootCert: chainPem(roots), crl, layout: 'pem'},
    inspection: {roots, findings: [], loads: true},
    isPlanned: true,
  };
}

/** Returns the differences between a cluster CA and the Secret in the cluster; empty if the trust is the same. */
export function compareCa(own: DesiredCa, secret: CacertsSecret | 'absent'): readonly Difference[] {
  const {certificate, roots = [], chain = [], key} = own.inspection;
  if (secret === 'absent') return [{part: 'secret', wanted: fingerprints(certificate), found: []}];
  const theirs = secret.inspection;
  const {crl} = own.files;
  const parts: readonly Difference[] = [
    {part: 'clusterCa', wanted: fingerprints(certificate), found: fingerprints(theirs.certificate)},
    {part: 'roots', wanted: fingerprints(...roots).toSorted(), found: fingerprints(...(theirs.roots ?? [])).toSorted()},
    {part: 'chain', wanted: fingerprints(...chain), found: fingerprints(...(theirs.chain ?? []))},
    // Without our key, the key in the cluster must match our certificate.
    {part: 'key', wanted: list(key?.spki ?? certificate?.spki), found: list(theirs.key?.spki)},
    // If the work directory has no revocation lists, those of the cluster are kept.
    ...(crl === undefined
      ? []
      : [{part: 'crl', wanted: crlFingerprints(crl), found: crlFingerprints(secret.files.crl)} as const]),
    {part: 'keys', wanted: own.foreignKeys ?? [], found: secret.foreignKeys},
    // A certificate is the same with a key in the text around it, but istiod publishes the text.
    {part: 'privateKeys', wanted: [], found: secret.misplacedKeys},
  ];
  return parts.filter(({wanted, found}) => JSON.stringify(wanted) !== JSON.stringify(found));
}

function fingerprints(...certificates: readonly (Certificate | undefined)[]): readonly string[] {
  return certificates.flatMap((certificate) => certificate?.fingerprint ?? []);
}

function list(value: string | undefined): readonly string[] {
  return value === undefined ? [] : [value];
}
