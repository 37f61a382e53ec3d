/** What results show of a CA: fingerprints, names and dates, never bytes. */
import {defined} from '../defined.js';
import type {CaInspection} from '../ca/inspect-ca.js';
import type {CacertsSecret} from './cacerts.js';
import {rootRef, type RootRef} from '../ca/trust-store.js';

/** A CA as it is shown. */
export interface ShownCa {
  readonly roots: readonly RootRef[];
  readonly clusterCa?: RootRef & {readonly notAfter: string};
}

/** Summarises a judged CA. */
export function summarise({roots = [], certificate}: CaInspection): ShownCa {
  return defined({
    roots: roots.map(rootRef),
    clusterCa: certificate && {...rootRef(certificate), notAfter: certificate.notAfter.toISOString()},
  });
}

/** The same for a Secret; undefined where there is none. */
export function summariseSecret(secret: CacertsSecret | 'absent'): ShownCa | undefined {
  return secret === 'absent' ? undefined : summarise(secret.inspection);
}
