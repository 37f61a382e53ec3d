import {workDirCheck, notApplicable, ok} from '../check.js';
import {formatDay} from '../../format.js';
import {renewFix} from '../fixes.js';

/**
 * Istio's Makefile makes root and cluster CA with the same number of days, one after the other: the second outlives the
 * first by seconds (istio/istio tools/certs/common.mk). That harms nobody.
 */
const toleranceMs = 86_400_000;

/** A cluster CA does not promise more life than its root has. */
export const outlivesCheck = workDirCheck({
  id: 'MESH109',
  title: 'The cluster CA does not outlive its root',
  severity: 'warning',
  about: 'cacerts',
  needs: ['caFiles'],
  expected: 'a cluster CA that ends before its root',
  judge: ({caFiles: {certificate, between = [], roots, anchor}}, subject) => {
    const root = roots.find(({fingerprint}) => fingerprint === anchor);
    if (!certificate || !root) return notApplicable('there is no chain to a root');
    // The first of those above to end takes the cluster CA with it.
    const [end = root] = [root, ...between].toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
    const what = end === root ? 'its root' : `"${end.subject}" above it`;
    const beyondMs = certificate.notAfter.getTime() - end.notAfter.getTime();
    const until = `until ${formatDay(certificate.notAfter)}`;
    if (beyondMs <= toleranceMs) return ok(until);
    return {observed: `${until}, ${what} until ${formatDay(end.notAfter)}`, fix: renewFix(subject)};
  },
  meaning: "The cluster CA's certificate ends before its root and the CAs in between do, or within a day of them.",
  breaks:
    "Nothing yet. But the date that people and alerts look at is the cluster CA's, and the mesh stops when the root ends.",
  byHand:
    'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -enddate\nopenssl x509 -in "$CLUSTER/root-cert.pem" -noout -enddate',
  mend: 'Renew the cluster CA: this program never issues one beyond its root.',
  source: 'RFC 5280 6.1.3; istio/istio tools/certs/common.mk',
});
