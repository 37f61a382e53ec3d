/** Revocation lists of a cluster, over a change of its CA: they stay, unless the work directory has others or wants none. */
import {type ErrorReport, problem} from '../errors.js';
import {valueOr} from '../observed.js';
import {crlFileName, crlProblem} from '../x509/crl.js';
import type {CacertsSecret} from './cacerts.js';
import type {TrustObservation} from './cluster-trust.js';
import {readsCrl} from './istiod.js';
import type {OwnCa} from './diff.js';

/** What overrides every refusal of a bundle. */
export const allowInvalid = 'write it as it is with --allow-invalid-bundle';

/**
 * Decides it. Lists that do not cover the new chain keep istiod from loading that, so they speak against the change where
 * an istiod reads them, or where none is there that would tell.
 */
export function decideCrl(
  {cluster, own, kept = false}: {readonly cluster: string; readonly own: OwnCa; readonly kept?: boolean},
  {istiods}: Pick<TrustObservation, 'istiods'>,
  cacerts: CacertsSecret | 'absent',
): {readonly refusals: readonly ErrorReport[]; readonly warnings: readonly string[]} {
  const present = cacerts === 'absent' ? undefined : cacerts.files.crl;
  const text = own.files.crl ?? present ?? '';
  const loss = `${crlFileName} goes; an istiod that has loaded it heeds it until it restarts`;
  if (text === '') return {refusals: [], warnings: present ? [loss] : []};
  // Of tls.crt and its companions istiod reads nothing else; a chain that is not there is another refusal.
  const {chain} = own.inspection;
  const fault = own.files.layout === 'tls' || !chain ? undefined : crlProblem(text, chain);
  if (fault === undefined) return {refusals: [], warnings: []};
  const running = valueOr(istiods, []);
  if (running.length > 0 && !running.some(readsCrl)) {
    return {refusals: [], warnings: [`${fault}: an istiod that reads it will not start`]};
  }
  const file = `${cluster}/${crlFileName}`;
  const place = kept ? 'Secret cacerts-previous' : own.files.crl === undefined ? 'Secret cacerts' : file;
  const mend = [
    `put a list of every CA of ${cluster}/cert-chain.pem into ${file}; lists of other CAs may stand there too`,
    `or let the cluster have none, with an empty ${file}`,
  ];
  const message = `${place}: ${fault}: istiod would not load the chain`;
  const hints = [...(kept ? [] : mend), allowInvalid];
  return {refusals: [problem('PUSH_REFUSED_INVALID_CA', message, ...hints)], warnings: []};
}
