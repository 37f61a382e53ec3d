/** Revocation lists of a cluster, over a change of its CA: they stay, unless the work directory has others or wants none. */
import {type ErrorReport, MeshError, reportError} from '../errors.js';
import {isKnown} from '../observed.js';
import {crlFileName, crlProblem} from '../x509/crl.js';
import type {CacertsSecret} from './cacerts.js';
import type {OwnCa} from './diff.js';
import type {TrustSeen} from './facts.js';
import {readsCrl} from './istiod.js';

/** What a change means for revocation lists. */
export interface CrlDecision {
  readonly refusals: readonly ErrorReport[];
  readonly warnings: readonly string[];
}

/** Whose CA is to be in a cluster. */
export interface CrlTarget {
  readonly cluster: string;
  readonly own: OwnCa;
  /** It is one that the cluster kept (rollback), not the work directory's. */
  readonly kept?: boolean;
}

/**
 * Decides it. Lists that do not cover the new chain keep istiod from loading that, so they speak against the change where
 * an istiod reads them, or where none is there that would tell.
 */
export function decideCrl(
  {cluster, own, kept = false}: CrlTarget,
  {istiods}: Pick<TrustSeen, 'istiods'>,
  cacerts: CacertsSecret | 'absent',
): CrlDecision {
  const present = cacerts === 'absent' ? undefined : cacerts.files.crl;
  const text = own.files.crl ?? present ?? '';
  if (text === '') return {refusals: [], warnings: present ? [loss] : []};
  // Of tls.crt and its companions istiod reads nothing else; a chain that is not there is another refusal.
  const {chain} = own.inspection;
  const problem = own.files.layout === 'tls' || !chain ? undefined : crlProblem(text, chain);
  if (problem === undefined) return {refusals: [], warnings: []};
  const running = isKnown(istiods) ? istiods.value : [];
  if (running.length > 0 && !running.some(readsCrl)) {
    return {refusals: [], warnings: [`${problem}: an istiod that reads it will not start`]};
  }
  const file = `${cluster}/${crlFileName}`;
  const place = kept ? 'Secret cacerts-previous' : own.files.crl === undefined ? 'Secret cacerts' : file;
  const error = new MeshError('PUSH_REFUSED_INVALID_CA', `${place}: ${problem}: istiod would not load the chain`, {
    hints: [
      ...(kept
        ? []
        : [
            `put a list of every CA of ${cluster}/cert-chain.pem into ${file}; lists of other CAs may stand there too`,
            `or let the cluster have none, with an empty ${file}`,
          ]),
      'write it as it is with --allow-invalid-bundle',
    ],
  });
  return {refusals: [reportError(error)], warnings: []};
}

const loss = `${crlFileName} goes; an istiod that has loaded it heeds it until it restarts`;
