import {workDirCheck, notApplicable} from '../check.js';
import {expirySource, judgeEnds} from '../expiry.js';
import {renewFix} from '../fixes.js';

/** No CA certificate of the work directory ends soon. */
export const filesExpiryCheck = workDirCheck({
  id: 'MESH108',
  title: 'The CA certificates on disk have time left',
  severity: 'warning',
  about: 'cacerts',
  needs: ['caFiles'],
  // The same certificate is usually in the cluster.
  implies: ['MESH305', 'MESH308'],
  judge: ({caFiles: {certificate, between = [], roots}}, subject) => {
    if (!certificate) return notApplicable('there is no ca-cert.pem that can be read');
    return judgeEnds(certificate, [...between, ...roots], renewFix(subject), subject);
  },
  meaning: "Neither the cluster's CA nor a CA above it nor a root of its bundle comes near its end.",
  breaks:
    'When a CA certificate ends, no workload certificate under it verifies any more: all mTLS traffic stops at that minute.',
  byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -enddate',
  mend: 'Renew a cluster CA with `certs generate CLUSTER --renew` and `trust push CLUSTER`. A root has to be replaced in phases, early.',
  source: expirySource,
});
