import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {describeCertificate} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {renewFix} from '../fixes.js';

/** Each cluster has its own CA. */
export const usedTwiceCheck = workDirCheck({
  id: 'MESH110',
  title: 'Each cluster has its own CA',
  scope: 'mesh',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  // MESH103 also reports a CA with the root's key.
  implies: ['MESH103'],
  expected: 'a separate CA key for each cluster',
  judge: ({caFiles}, {mesh}) => {
    const findings = caFiles.map((one, index): Finding | undefined => {
      const shared = sharedWith(one, caFiles.slice(0, index));
      return shared && {...shared, fix: renewFix({cluster: one.cluster, mesh})};
    });
    const count = caFiles.filter(({value}) => value.certificate !== undefined).length;
    return findingsOr(
      findings,
      count === 0 ? notApplicable('no cluster CA yet') : ok(`${String(count)} cluster CAs checked`),
    );
  },
  meaning: 'No two clusters sign with the same certificate or with the same key, and none signs with the root key.',
  breaks:
    'One stolen or renewed key then affects several clusters, and a certificate no longer identifies the cluster whose istiod signed it. If it is the root key, each of these clusters holds the root key of the whole mesh in a Secret.',
  byHand:
    'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256   # for each cluster\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum   # for each cluster, and for root-cert.pem',
  fix: 'Create a separate CA for the second cluster with `kubectl mesh certs generate CLUSTER --renew`, then push it. If the root key was in a cluster, any subject that can read Secrets there may have it: plan a new root.',
  source: 'istio.io: tasks/security/cert-management/plugin-ca-cert (an intermediate CA for each cluster)',
});

type Own = OfCluster<ClusterCaFacts>;

/** What the CA shares: its certificate or key with another cluster's CA, or its key with the root. */
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
    const observed = `${twin.cluster.name} and ${cluster.name} have the same key in different certificates`;
    return {observed, implies: []};
  }
  const isRoot = roots.some(({spki}) => spki === certificate.spki);
  return isRoot ? {observed: `the CA of ${cluster.name} has the root key`, clusters: [cluster.name]} : undefined;
}
