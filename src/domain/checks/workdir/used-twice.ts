import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {describeCertificate} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {renewFix} from '../fixes.js';

/** Each cluster has its own CA. */
export const usedTwiceCheck = workDirCheck({
  id: 'MESH110',
  title: 'No cluster CA is used twice',
  scope: 'mesh',
  about: 'cacerts',
  needs: ['caFiles'],
  // The chain's own rules see a CA that has the root's key, too.
  implies: ['MESH103'],
  expected: 'a CA with a key of its own for each cluster',
  judge: ({caFiles}, {mesh}) => {
    const findings = caFiles.map((one, index): Finding | undefined => {
      const shared = sharedWith(one, caFiles.slice(0, index));
      return shared && {...shared, fix: renewFix({cluster: one.cluster, mesh})};
    });
    const made = caFiles.filter(({value}) => value.certificate !== undefined).length;
    return findingsOr(
      findings,
      made === 0 ? notApplicable('no CA of a cluster is here') : ok(`${String(made)} cluster CAs looked at`),
    );
  },
  meaning:
    'No two clusters sign with the same certificate, or with the same key under two certificates, and none with the key of the root.',
  breaks:
    "One stolen or renewed key then concerns several clusters, and a certificate no longer says which cluster's istiod signed it. Where it is the root's key, each of these clusters holds the root key of the whole mesh in a Secret.",
  byHand:
    'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256   # for each cluster\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum   # for each cluster, and for root-cert.pem',
  mend: 'Give the second cluster a CA of its own with `certs generate CLUSTER --renew`, then push it. A root key that was in a cluster is known to whoever reads Secrets there: plan for a new root.',
  source: 'istio.io: tasks/security/cert-management/plugin-ca-cert (an intermediate CA for each cluster)',
});

type Own = OfCluster<ClusterCaFacts>;

/** What the CA shares: its certificate, its key with another cluster's, or its key with the root. */
function sharedWith(
  {cluster, value}: Own,
  before: readonly Own[],
): Pick<Finding, 'observed' | 'implies' | 'clusters'> | undefined {
  const {certificate, roots} = value;
  if (!certificate) return undefined;
  const copy = before.find(({value: other}) => other.certificate?.fingerprint === certificate.fingerprint);
  if (copy) {
    return {observed: `${copy.cluster.name} and ${cluster.name} have ${describeCertificate(certificate)}`, implies: []};
  }
  const twin = before.find(({value: other}) => other.certificate?.spki === certificate.spki);
  if (twin) {
    const observed = `${twin.cluster.name} and ${cluster.name} have one key, each with a certificate of its own`;
    return {observed, implies: []};
  }
  const isRoot = roots.some(({spki}) => spki === certificate.spki);
  return isRoot ? {observed: `the CA of ${cluster.name} has the key of the root`, clusters: [cluster.name]} : undefined;
}
