import {apiServerCheck, notApplicable} from '../check.js';
import {expirySource, judgeCaExpiry} from '../expiry.js';
import {remedyFor, replaceCa, rotateCa} from '../remedies.js';

/** The pushed CA certificates do not expire soon, regardless of the work directory. */
export const clusterExpiryCheck = apiServerCheck({
  id: 'MESH305',
  title: 'No CA certificate in the cluster expires soon',
  severity: 'warning',
  appliesTo: 'cacerts',
  requires: ['cacerts'],
  optional: ['caOrigin'],
  implies: ['MESH307', 'MESH308', 'MESH6'],
  judge: ({cacerts, caOrigin}, subject) => {
    if (cacerts === 'absent' || !cacerts.certificate) return notApplicable('no CA was pushed yet');
    const renew = replaceCa(caOrigin, subject, rotateCa);
    const leftover =
      caOrigin?.from === 'external' || caOrigin?.from === 'mounted' ? renew : remedyFor('expired root', subject);
    return judgeCaExpiry(cacerts.certificate, cacerts, {renew, leftover}, subject);
  },
  meaning:
    'Neither the cluster CA in Secret cacerts, nor a CA above it, nor a root in its bundle expires soon (trust.expiry in mesh.yaml).',
  breaks:
    'When a CA certificate expires, workload certificates under it no longer verify, and istiod does not start with it.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -enddate',
  fix: 'Run `kubectl mesh trust rotate cluster-ca CLUSTER`. Replace a root in phases, and start early. Renew an external CA with the tool that issues it, such as `cmctl renew` for cert-manager.',
  source: expirySource,
});
