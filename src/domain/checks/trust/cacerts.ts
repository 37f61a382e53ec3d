import {externalCaReason, usesCacerts} from '../../mesh/signer.js';
import {fixWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable, ok, notApplicableReason, type ClusterSubject, type Judgement} from '../check.js';
import {shortFingerprint} from '../../keys/keys.js';
import type {Difference} from '../../trust/diff.js';
import {describeCertificate} from '../describe.js';
import {some} from '../../format.js';
import {loadFix, otherCaFix} from '../fixes.js';
import type {CacertsFacts} from '../../facts/facts.js';

/** What hangs on the CA that istiod takes from the Secret, whichever that is. */
const ofOtherCa = ['MESH302', 'MESH303', 'MESH304', 'MESH305', 'MESH307', 'MESH308'] as const;

/** The Secret that istiod reads at its next start is the one of the work directory. */
export const cacertsCheck = apiServerCheck({
  id: 'MESH301',
  title: 'Secret cacerts equals the work directory',
  needs: ['cacerts', 'restartOnPush'],
  uses: ['caOrigin'],
  // istiod that cannot load it does not start.
  implies: [...ofOtherCa, 'MESH402'],
  judge: ({cacerts, restartOnPush, caOrigin}, subject) => {
    const {cluster, mesh} = subject;
    if (!usesCacerts(mesh.trust.signer)) return leftOver(cacerts, subject);
    const isElsewhere = caOrigin?.from === 'elsewhere';
    const expected = isElsewhere
      ? 'a CA that istiod loads; the work directory has none to compare it with'
      : 'the cluster CA of the work directory';
    const fix = isElsewhere ? otherCaFix(caOrigin, subject) : loadFix(caOrigin, subject, restartOnPush);
    if (cacerts === 'absent') {
      if (cluster.role === 'remote') return notApplicable('a remote cluster runs no istiod that would need it');
      // Without it istiod starts with a CA of its own making.
      const observed = `no Secret ${mesh.istio.namespace}/cacerts`;
      return {observed, expected, fix, implies: ofOtherCa};
    }
    const problems = problemsOf(cacerts);
    const broken = [...problems, ...tellingDifferences(cacerts.differences).map(describeDifference)];
    if (broken.length === 0) {
      return ok(cacerts.certificate ? describeCertificate(cacerts.certificate) : 'equal', expected);
    }
    // Another CA that can be loaded keeps no istiod from starting.
    return {observed: broken.join('; '), expected, fix, implies: problems.length === 0 ? ofOtherCa : undefined};
  },
  meaning:
    "Secret cacerts in Istio's namespace is complete, is something istiod loads, and holds the same root bundle, cluster CA and key as CLUSTER/ in the work directory. Where CLUSTER/ holds no CA because somebody else fills the Secret (cert-manager, for example), it is complete and loadable. Where somebody else issues workload certificates (trust.signer: istio-csr, kubernetes-csr), there is none.",
  breaks:
    'At its next start istiod signs with another CA than the one that was meant, or crash-loops. A root that other clusters do not know cuts this cluster off.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -subject -fingerprint -sha256\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject -fingerprint -sha256',
  mend: '`kubectl mesh trust diff CLUSTER` shows both sides; `kubectl mesh trust push CLUSTER` makes them equal. A Secret that somebody else fills is mended by them.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go; istio.io: tasks/security/cert-management/plugin-ca-cert',
});

/** Somebody else issues workload certificates: a CA in the Secret is one more key that is worth stealing, and waits to be used. */
function leftOver(cacerts: CacertsFacts | 'absent', {cluster, mesh}: ClusterSubject): Judgement {
  const why = externalCaReason(mesh.trust.signer) ?? '';
  // istiod has a CA beside SPIRE's, for its own certificate.
  if (cacerts === 'absent' || notApplicableReason({about: "istiod's CA"}, mesh) !== undefined)
    return notApplicable(why);
  const {namespace} = mesh.istio;
  return {
    severity: 'warning',
    observed: `Secret ${namespace}/cacerts holds ${cacerts.certificate ? describeCertificate(cacerts.certificate) : 'something'}`,
    expected: `none: ${why}`,
    fix: fixWith.kubectl(cluster, words`-n ${namespace} delete secret cacerts`),
    implies: [],
  };
}

/** What istiod would not load, or not rightly, whatever the work directory holds. */
function problemsOf(cacerts: CacertsFacts): readonly string[] {
  return [
    ...(cacerts.missing.length > 0 ? [`the Secret lacks ${cacerts.missing.join(', ')}`] : []),
    ...(cacerts.key === 'different' ? ['the key in the Secret belongs to another certificate'] : []),
    ...(cacerts.key === 'unusable' ? [cacerts.keyProblem ?? 'istiod cannot read the key in the Secret'] : []),
    ...cacerts.problems.filter(({severity}) => severity === 'error').map(({message}) => message),
  ];
}

/** Another cluster CA has another key and another chain: saying so adds nothing. */
function tellingDifferences(differences: readonly Difference[]): readonly Difference[] {
  const isOther = differences.some(({part}) => part === 'clusterCa');
  return differences.filter(({part}) => !isOther || (part !== 'key' && part !== 'chain'));
}

const partNames: Readonly<Record<Difference['part'], string>> = {
  secret: 'Secret cacerts',
  clusterCa: 'cluster CA',
  roots: 'root bundle',
  chain: 'chain',
  key: 'public half of the key',
  crl: 'revocation lists',
  keys: 'keys besides the expected ones',
};

function describeDifference({part, wanted, found}: Difference): string {
  const show = (values: readonly string[]): string =>
    values.length === 0 ? 'none' : some(part === 'keys' ? values : values.map(shortFingerprint));
  return `${partNames[part]}: ${show(found)} in the cluster, ${show(wanted)} in the work directory`;
}
