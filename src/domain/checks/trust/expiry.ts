import {apiServerCheck, notApplicable} from '../check.js';
import {expirySource, judgeCaExpiry} from '../expiry.js';
import {replaceCaFix} from '../fixes.js';

/** What is pushed does not end soon, whatever the work directory says. */
export const clusterExpiryCheck = apiServerCheck({
  id: 'MESH305',
  title: 'The CA certificates in the cluster have time left',
  severity: 'warning',
  appliesTo: 'cacerts',
  requires: ['cacerts'],
  optional: ['caOrigin'],
  implies: ['MESH307', 'MESH308'],
  judge: ({cacerts, caOrigin}, subject) => {
    if (cacerts === 'absent' || !cacerts.certificate) return notApplicable('nothing was pushed yet');
    const {certificate, between = [], roots} = cacerts;
    return judgeCaExpiry(certificate, [...between, ...roots], replaceCaFix(caOrigin, subject), subject);
  },
  meaning: 'Neither the cluster CA in Secret cacerts nor a CA above it nor a root of its bundle comes near its end.',
  breaks: 'When it ends, workload certificates under it stop verifying, and istiod refuses to start with it.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -enddate',
  howToFix: '`certs generate CLUSTER --renew` and `trust push CLUSTER`. A root has to be replaced in phases, early. A CA that somebody else makes is renewed by them: `cmctl renew` for cert-manager.',
  source: expirySource,
});
