import {
  type CheckSubject,
  workDirCheck,
  findingsOr,
  notApplicable,
  ok,
  type Finding,
  type OfCluster,
} from '../check.js';
import {describeCertificate} from '../describe.js';
import type {CertificateFacts, ClusterCaFacts} from '../../facts/facts.js';
import {newCa, remedyOfIssuer} from '../remedies.js';

/** Each cluster has its own CA. */
export const usedTwiceCheck = workDirCheck({
  id: 'MESH110',
  title: 'Each cluster has its own CA',
  scope: 'mesh',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  // These also report a CA with the root's key: in the files, and in Secret cacerts.
  implies: ['MESH103', 'MESH312'],
  expected: 'a separate CA key for each cluster',
  judge: ({caFiles}, subject) => {
    const findings = caFiles.map((one, index): Finding | undefined => {
      const shared = sharedWith(one, caFiles.slice(0, index));
      return shared && {...shared, ...newCa({...subject, cluster: one.cluster})};
    });
    const serials = serialsUsedTwice(caFiles).map((one): Finding => ofSerial(one, subject));
    const count = caFiles.filter(({value}) => value.certificate !== undefined).length;
    return findingsOr(
      [...findings, ...serials],
      count === 0 ? notApplicable('no cluster CA yet') : ok(`${String(count)} cluster CAs checked`),
    );
  },
  meaning:
    'No two clusters sign with the same certificate or with the same key, and none signs with the root key. No two certificates of one issuer (cluster CAs, the CAs between, and roots) have the same serial number, which is a warning.',
  breaks:
    'One stolen or renewed key then affects several clusters, and a certificate no longer identifies the cluster whose istiod signed it. If it is the root key, each of these clusters holds the root key of the whole mesh in a Secret. Revoking a certificate revokes every other certificate of the issuer with the same serial number, and verifiers that identify an issuer by name and serial number can use the wrong one.',
  byHand:
    'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256   # for each cluster\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum   # for each cluster, and for root-cert.pem\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -issuer -serial   # for each cluster',
  fix: 'Create a separate CA for the second cluster with `kubectl mesh certs generate CLUSTER --renew`, then push it. If the root key was in a cluster, any subject that can read Secrets there may have it: plan a new root. Renew one of two CAs with the same serial number; some Makefiles of Istio 1.6 use the number of a process (istio/istio#24367).',
  source:
    'istio.io: tasks/security/cert-management/plugin-ca-cert (an intermediate CA for each cluster); RFC 5280 4.1.2.2 (serial numbers)',
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

/** A certificate with the serial number of an earlier one of the same issuer. */
interface SerialTwin {
  readonly certificate: CertificateFacts;
  readonly earlier: CertificateFacts;
  /** The cluster whose CA it is; absent for a CA above the cluster CAs. */
  readonly owner?: Own['cluster'];
}

/** First the certificates above, so that the finding is about a cluster CA where possible: it can be replaced. */
function serialsUsedTwice(all: readonly Own[]): readonly SerialTwin[] {
  const above = all.flatMap(({value: {roots, between = []}}) => [...roots, ...between]);
  const own = all.flatMap(({cluster, value: {certificate}}) => (certificate ? [{certificate, owner: cluster}] : []));
  const distinct = new Map<string, Omit<SerialTwin, 'earlier'>>(
    [...above.map((certificate) => ({certificate})), ...own].map((one) => [one.certificate.fingerprint, one]),
  );
  const firsts = new Map<string, CertificateFacts>();
  return [...distinct.values()].flatMap((one): readonly SerialTwin[] => {
    const {issuer, serial} = one.certificate;
    const id = `${serial} ${issuer}`;
    const earlier = firsts.get(id);
    if (earlier) return [{...one, earlier}];
    firsts.set(id, one.certificate);
    return [];
  });
}

function ofSerial({certificate, earlier, owner}: SerialTwin, subject: CheckSubject): Finding {
  const clusters = owner ? [owner.name] : undefined;
  const observed = `${describeCertificate(earlier)} and ${describeCertificate(certificate)} have the same issuer and serial number ${certificate.serial}`;
  const finding = {
    severity: 'warning',
    observed,
    expected: 'a separate serial number for each certificate',
    implies: [],
    clusters,
  } as const;
  return {...finding, ...(owner ? newCa({...subject, cluster: owner}) : remedyOfIssuer)};
}
