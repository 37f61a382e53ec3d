import {workDirCheck, notApplicable} from '../check.js';
import {expirySource, judgeCaExpiry} from '../expiry.js';
import {remedyFor, rotateCa} from '../remedies.js';

/** No CA certificate in the work directory expires soon. */
export const filesExpiryCheck = workDirCheck({
  id: 'MESH108',
  title: 'No CA certificate in the work directory expires soon',
  severity: 'warning',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  // The cluster usually has the same certificate.
  implies: ['MESH305', 'MESH308'],
  judge: ({caFiles}, subject) => {
    const {certificate} = caFiles;
    if (!certificate) return notApplicable('no readable ca-cert.pem');
    const remedies = {renew: rotateCa(subject), leftover: remedyFor('expired root', subject)};
    return judgeCaExpiry(certificate, caFiles, remedies, subject);
  },
  meaning:
    'Neither the cluster CA, nor a CA above it, nor a root in its bundle expires soon (trust.expiry in mesh.yaml).',
  breaks:
    'When a CA certificate expires, no workload certificate under it verifies: all mTLS traffic that depends on it stops at that moment.',
  byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -enddate',
  fix: 'Renew a cluster CA with `kubectl mesh trust rotate cluster-ca CLUSTER`. Replace a root in phases, and start early. Remove an expired root beside a valid one with `kubectl mesh certs rewrite --remove-expired-roots`.',
  source: expirySource,
});
