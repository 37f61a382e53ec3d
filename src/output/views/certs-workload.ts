import type {WorkloadResult} from '../../operations/certs/workload.js';
import {certificateCells, generalErrorLines, outcomeText, table} from '../format.js';
import type {View} from '../view.js';

/** `certs workload`: the certificate's identity and validity, and its files. */
export const certsWorkloadView: View<WorkloadResult> = {
  text: (result, {now}) => {
    const {spiffeId, certificate, action, files} = result;
    const outcome = result.clusters[0]?.outcome ?? 'failed';
    const cells = certificate ? certificateCells({...certificate, subject: spiffeId}, now).slice(0, 3) : ['', '', ''];
    const errors = [...result.errors, ...result.clusters.flatMap(({error}) => (error ? [error] : []))];
    return [
      table(
        ['OUTCOME', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SPIFFE ID'],
        [[outcomeText({outcome, action}, result), ...cells, spiffeId]],
      ),
      ...(certificate ? [`files: ${files.key}, ${files.certChain}, ${files.rootCert}`] : []),
      ...generalErrorLines(errors),
    ].join('\n');
  },
};
