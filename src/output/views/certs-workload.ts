import {shortFingerprint} from '../../domain/keys/keys.js';
import type {WorkloadResult} from '../../operations/certs/workload.js';
import {errorLines, outcomeText, table} from '../format.js';
import type {View} from '../view.js';

/** `certs workload`: who the certificate is for, how long it lives, where its files are. */
export const certsWorkloadView: View<WorkloadResult> = {
  text: (result) => {
    const {spiffeId, certificate, action, files} = result;
    const outcome = result.clusters[0]?.outcome ?? 'failed';
    const said = outcomeText({outcome, action}, result);
    const row = certificate
      ? [said, certificate.key, minute(certificate.notAfter), shortFingerprint(certificate.fingerprint), spiffeId]
      : [said, '', '', '', spiffeId];
    const errors = [...result.errors, ...result.clusters.flatMap(({error}) => (error ? [error] : []))];
    return [
      table(['OUTCOME', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SPIFFE ID'], [row]),
      ...(certificate ? [`files: ${files.key}, ${files.certChain}, ${files.rootCert}`] : []),
      ...errors.flatMap(errorLines),
    ].join('\n');
  },
};

/** `2026-11-23 12:05 UTC`: such certificates live for hours. */
function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`;
}
