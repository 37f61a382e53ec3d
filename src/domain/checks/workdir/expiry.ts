import {kubectlMesh} from '../../suggest/suggestion.js';
import {defineCheck, findingsOr, notApplicable, ok} from '../check.js';
import {describeDay} from '../describe.js';
import {expirySource, judgeExpiry} from '../expiry.js';
import {renewFix} from '../fixes.js';

/** No CA certificate of the work directory ends soon. */
export const filesExpiryCheck = defineCheck({
  id: 'MESH108',
  title: 'The CA certificates on disk have time left',
  severity: 'warning',
  scope: 'cluster',
  vantage: 'work directory',
  about: 'cacerts',
  needs: ['caFiles'],
  waitable: false,
  // The same certificate is usually in the cluster.
  implies: ['MESH305', 'MESH308'],
  judge: ({caFiles: {certificate, between = [], roots}}, {cluster, mesh, now}) => {
    if (!certificate) return notApplicable('there is no ca-cert.pem that can be read');
    const own = judgeExpiry(certificate, mesh.trust.expiry, now);
    const findings = [
      ...(own ? [{...own, fix: renewFix({cluster, mesh})}] : []),
      ...[...between, ...roots].flatMap((above) => {
        const finding = judgeExpiry(above, mesh.trust.expiry, now);
        return finding ? [{...finding, fix: kubectlMesh('certs list')}] : [];
      }),
    ];
    return findingsOr(findings, () => ok(`until ${describeDay(certificate.notAfter)}`, 'time left'));
  },
  explanation: {
    meaning: "Neither the cluster's CA nor a CA above it nor a root of its bundle comes near its end.",
    breaks:
      'When a CA certificate ends, no workload certificate under it verifies any more: all mTLS traffic stops at that minute.',
    byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -enddate',
    mend: 'Renew a cluster CA with `certs generate CLUSTER --renew` and `trust push CLUSTER`. A root has to be replaced in phases, early.',
    source: expirySource,
  },
});
