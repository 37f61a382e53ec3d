/** Revocation lists when a cluster CA changes: they are kept unless the work directory has others, or an empty file. */
import {type ErrorReport, problem} from '../errors.js';
import {valueOr} from '../observed.js';
import {advice, kubectlMesh, words} from '../suggest/suggestion.js';
import {crlFileName, crlProblem} from '../x509/crl.js';
import {type CacertsSecret, keptLists} from './cacerts.js';
import type {TrustObservation} from './cluster-trust.js';
import {readsCrl} from './istiod.js';
import type {DesiredCa} from './diff.js';

/** The hint for overriding every refusal of a bundle. */
export const allowInvalid = 'to write it anyway, use --allow-invalid-bundle';

/**
 * Checks revocation lists against the new chain. istiod does not load a chain that its lists do not cover, so the change is
 * refused if an istiod reads them, or if no istiod is running that would show whether it does.
 */
export function decideCrl(
  {
    cluster,
    own,
    isRollback = false,
  }: {readonly cluster: string; readonly own: DesiredCa; readonly isRollback?: boolean},
  {istiods}: Pick<TrustObservation, 'istiods'>,
  cacerts: CacertsSecret | 'absent',
): {readonly refusals: readonly ErrorReport[]; readonly warnings: readonly string[]} {
  const present = cacerts === 'absent' ? undefined : keptLists(cacerts);
  const text = own.files.crl ?? present ?? '';
  const removal = `${crlFileName} is removed: certificates that it revokes are accepted again`;
  if (text === '') return {refusals: [], warnings: present ? [removal] : []};
  // In the tls layout istiod reads no lists. A missing chain is refused elsewhere.
  const {chain} = own.inspection;
  // No list can be signed by a key that does not exist yet.
  const unsigned = own.isPlanned && `${crlFileName} has no list signed by the new cluster CA`;
  const fault = unsigned ?? (own.files.layout === 'tls' || !chain ? undefined : crlProblem(text, chain)?.message);
  if (fault === undefined) return {refusals: [], warnings: []};
  const running = valueOr(istiods, []);
  if (running.length > 0 && !running.some(({version: {version}, env}) => readsCrl({version, env}))) {
    return {
      refusals: [],
      warnings: [`${fault}: an istiod that reads it will not start, or proxies will refuse every certificate`],
    };
  }
  const file = `${cluster}/${crlFileName}`;
  const place = isRollback ? 'Secret cacerts-previous' : own.files.crl === undefined ? 'Secret cacerts' : file;
  const renew = kubectlMesh('certs generate', words`${cluster} --renew`);
  const fixes = [
    own.isPlanned
      ? advice`issue it with ${renew}, add its list to ${file}, then push both: ${kubectlMesh('trust push', [cluster])}`
      : `save a list of every CA in ${cluster}/cert-chain.pem to ${file}; lists of other CAs are allowed too`,
    `or use an empty ${file} to remove the lists from the cluster`,
  ];
  const message = `${place}: ${fault}: istiod or proxies would refuse the chain`;
  const hints = [...(isRollback ? [] : fixes), allowInvalid];
  return {refusals: [problem('PUSH_REFUSED_INVALID_CA', message, ...hints)], warnings: []};
}
