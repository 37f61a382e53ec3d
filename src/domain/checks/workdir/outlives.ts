import {workDirCheck, notApplicable, ok} from '../check.js';
import {formatDay} from '../../format.js';
import {newCa} from '../remedies.js';

/**
 * Istio's Makefile creates the root and then the cluster CA with the same number of days, so the second outlives the first by
 * seconds (istio/istio tools/certs/common.mk). That is harmless.
 */
const toleranceMs = 86_400_000;

/** A cluster CA does not expire after its root. */
export const outlivesCheck = workDirCheck({
  id: 'MESH109',
  title: 'The cluster CA does not outlive its root',
  severity: 'warning',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  expected: 'a cluster CA that expires before its root',
  judge: ({caFiles: {certificate, between = [], roots, anchor}}, subject) => {
    const root = roots.find(({fingerprint}) => fingerprint === anchor);
    if (!certificate || !root) return notApplicable('no chain to a root');
    // The cluster CA is valid only until the first CA above it expires.
    const [limit = root] = [root, ...between].toSorted((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
    const what = limit === root ? 'its root' : `"${limit.subject}" above it`;
    const beyondMs = certificate.notAfter.getTime() - limit.notAfter.getTime();
    const until = `until ${formatDay(certificate.notAfter)}`;
    if (beyondMs <= toleranceMs) return ok(until);
    return {observed: `${until}, ${what} until ${formatDay(limit.notAfter)}`, ...newCa(subject)};
  },
  meaning: 'The cluster CA certificate expires before its root and all CAs in between, or at most one day later.',
  breaks:
    "Nothing yet. However, people and alerts watch the cluster CA's expiry, and the mesh stops working when the root expires.",
  byHand:
    'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -enddate\nopenssl x509 -in "$CLUSTER/root-cert.pem" -noout -enddate',
  fix: 'Renew the cluster CA: `kubectl mesh certs generate CLUSTER --renew` never issues one that outlives its root.',
  source: 'RFC 5280 6.1.3; istio/istio tools/certs/common.mk',
});
