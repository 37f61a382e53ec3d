import {kubectlMesh} from '../../suggest/suggestion.js';
import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import {describeDay} from '../describe.js';
import {expirySource, judgeExpiry} from '../expiry.js';
import {otherCaFix} from '../foreign-ca.js';

/** What is pushed does not end soon, whatever the work directory says. */
export const clusterExpiryCheck = defineCheck({
  id: 'MESH305',
  title: 'The CA certificates in the cluster have time left',
  severity: 'warning',
  scope: 'cluster',
  vantage: 'API server',
  about: 'cacerts',
  needs: ['cacerts'],
  uses: ['caOrigin'],
  waitable: true,
  implies: ['MESH307', 'MESH308'],
  judge: ({cacerts, caOrigin}, subject) => {
    const {mesh, now} = subject;
    if (cacerts === 'absent' || !cacerts.certificate) return notApplicable('nothing was pushed yet');
    const own = judgeExpiry(cacerts.certificate, mesh.trust.expiry, now);
    const above = [...(cacerts.between ?? []), ...cacerts.roots];
    const ending = above.flatMap((one) => judgeExpiry(one, mesh.trust.expiry, now) ?? []);
    return findingsOr(
      [
        ...(own ? [{...own, fix: otherCaFix(caOrigin, subject)}] : []),
        ...ending.map((finding) => ({...finding, fix: kubectlMesh('certs list')})),
      ],
      () => ok(`until ${describeDay(cacerts.certificate?.notAfter ?? now)}`, 'time left'),
    );
  },
  explanation: {
    meaning: 'Neither the cluster CA in Secret cacerts nor a CA above it nor a root of its bundle comes near its end.',
    breaks: 'When it ends, workload certificates under it stop verifying, and istiod refuses to start with it.',
    byHand:
      'kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -enddate',
    mend: '`certs generate CLUSTER --renew` and `trust push CLUSTER`. A root has to be replaced in phases, early. A CA that somebody else makes is renewed by them: `cmctl renew` for cert-manager.',
    source: expirySource,
  },
});
