import {externalCaReason, usesCacerts} from '../../mesh/signer.js';
import {fixWith, inspectWith, words} from '../../suggest/suggestion.js';
import {
  apiServerCheck,
  notApplicable,
  ok,
  notApplicableReason,
  type ClusterSubject,
  type Judgement,
  problemFinding,
} from '../check.js';
import {shortFingerprint} from '../../keys/keys.js';
import {type Difference, namedParts} from '../../trust/diff.js';
import {describeCertificate} from '../describe.js';
import {some} from '../../format.js';
import {caDependents, judgeSources} from './ca-sources.js';
import {caSecretOf} from '../../istio/ca-source.js';
import {cacertsName} from '../../istio/names.js';
import {newCa, overwrittenBy, provideCa, type Remedy, replaceCa} from '../remedies.js';
import type {CacertsFacts, ClusterCaFacts} from '../../facts/facts.js';

/** The Secret that istiod reads at its next start matches the work directory. */
export const cacertsCheck = apiServerCheck({
  id: 'MESH301',
  title: 'The CA that istiod mounts matches the work directory',
  requires: ['caSources', 'cacerts', 'restartOnPush'],
  optional: ['caOrigin', 'caFiles'],
  // An istiod that cannot load it does not start.
  implies: [...caDependents, 'MESH402'],
  judge: ({caSources, cacerts, restartOnPush, caOrigin, caFiles}, subject) => {
    const {cluster, mesh} = subject;
    if (!usesCacerts(mesh.trust.signer)) return judgeUnusedSecret(cacerts, subject);
    const notCompared = judgeSources(caSources, subject);
    if (notCompared) return notCompared;
    const {name: secretName = cacertsName} = caSecretOf(caSources) ?? {};
    const isExternal = caOrigin?.from === 'external';
    const expected = isExternal
      ? 'a CA that istiod can load; the work directory holds none to compare with'
      : 'the cluster CA in the work directory';
    const push = canPush(caFiles, cacerts) ? provideCa(caOrigin, subject, restartOnPush) : newCa(subject);
    const remedy =
      isExternal || caOrigin?.from === 'mounted'
        ? replaceCa(caOrigin, subject)
        : (changeAtManager(secretName, cacerts, subject) ?? push);
    if (cacerts === 'absent') {
      if (cluster.role === 'remote') return notApplicable('a remote cluster runs no istiod');
      // Without it istiod starts with a self-signed CA.
      const observed = `no Secret ${mesh.istio.namespace}/${secretName}`;
      return {observed, expected, ...remedy, implies: caDependents};
    }
    const problems = problemsOf(cacerts);
    const differences = relevantDifferences(cacerts.differences);
    const broken = [...problems, ...differences.map(({part, found}) => describePart(part, found))];
    const [unproven] = cacerts.problems.filter(({severity}) => severity === 'unknown');
    if (broken.length === 0 && unproven) return {...problemFinding(unproven), expected, ...remedy};
    if (broken.length === 0) {
      const ca = cacerts.certificate ? describeCertificate(cacerts.certificate) : 'equal';
      return ok(secretName === cacertsName ? ca : `Secret ${secretName}: ${ca}`, expected);
    }
    const wanted = differences.map(({part, wanted: values}) => describePart(part, values)).join('; ');
    // Where the work directory holds the CA, nothing else reports that a push will not last.
    const manager = isExternal || cacerts.managedBy === undefined ? [] : [`managed by ${cacerts.managedBy}`];
    const finding = {
      observed: [...broken, ...manager].join('; '),
      expected: differences.length === 0 ? expected : `${wanted}, as in the work directory`,
    };
    const unread = differences.flatMap(({part, found}) => (part === 'keys' ? found.filter(isUnread(cacerts)) : []));
    const isHarmless = ({part, wanted: own, found}: Difference): boolean =>
      part === 'keys' ? own.length === 0 && found.every(isUnread(cacerts)) : isOrder({part, wanted: own, found});
    if (problems.length === 0 && differences.every(isHarmless)) {
      const isOnlyUnread = differences.every(({part}) => part === 'keys');
      const removal =
        isOnlyUnread && !isExternal && cacerts.managedBy === undefined
          ? removeKeys(secretName, unread, subject)
          : remedy;
      return {...finding, severity: 'warning', ...removal, implies: []};
    }
    // A different, loadable CA does not prevent istiod from starting.
    return {...finding, severity: 'error', ...remedy, implies: problems.length === 0 ? caDependents : undefined};
  },
  meaning:
    "The Secret that istiod's Deployment mounts as its CA directory (ROOT_CA_DIR), usually Secret cacerts in Istio's namespace, is complete, can be loaded by istiod, and contains the same root bundle, cluster CA and key as CLUSTER/ in the work directory. If CLUSTER/ contains no CA because another tool (such as cert-manager) manages the Secret, the check requires only that the Secret is complete and can be loaded. If another issuer signs workload certificates (trust.signer with issuer istio-csr or kubernetes-csr), the Secret does not exist. A CA from another volume, such as a CSI driver's, cannot be read: MESH304 and MESH307 check what istiod has loaded.",
  breaks:
    'At its next start, istiod signs with the wrong CA or crash-loops. A root that the other clusters do not trust isolates this cluster.',
  byHand:
    'kubectl --context "$CTX" -n istio-system describe deployment -l app=istiod   # ROOT_CA_DIR, Mounts, Volumes\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -subject -fingerprint -sha256\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject -fingerprint -sha256',
  fix: '`kubectl mesh trust diff CLUSTER` shows both sides; `kubectl mesh trust push CLUSTER` writes the CA in the work directory to the Secret. If another tool manages the Secret (the finding names it), change it there: that tool overwrites what a push writes. If istiod mounts another Secret, or reads another directory than the one at which the Secret is mounted, change that Secret or the installation (values, overlays): no push reaches such an istiod. Data keys that istiod does not read, such as those of a Secret that was created from a whole directory, are a warning: remove them with kubectl.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go; istio.io: tasks/security/cert-management/plugin-ca-cert',
});

/** Another issuer signs workload certificates: a CA in the Secret is an unused key that can be stolen. */
function judgeUnusedSecret(cacerts: CacertsFacts | 'absent', {cluster, mesh}: ClusterSubject): Judgement {
  const reason = externalCaReason(mesh.trust.signer) ?? '';
  // With SPIRE, istiod still has a CA for its own certificate.
  if (cacerts === 'absent' || notApplicableReason({appliesTo: "istiod's CA"}, mesh) !== undefined)
    return notApplicable(reason);
  const {namespace} = mesh.istio;
  return {
    severity: 'warning',
    observed: `Secret ${namespace}/cacerts holds ${cacerts.certificate ? describeCertificate(cacerts.certificate) : 'no readable CA certificate'}`,
    expected: `no Secret cacerts: ${reason}`,
    fix: fixWith.kubectl(cluster, words`-n ${namespace} delete secret cacerts`),
    implies: [],
  };
}

/** Why istiod would not load the Secret, or not correctly, regardless of the work directory. */
function problemsOf(cacerts: CacertsFacts): readonly string[] {
  return [
    ...(cacerts.missing.length > 0 ? [`the Secret lacks ${cacerts.missing.join(', ')}`] : []),
    ...(cacerts.key === 'different' ? ['the key in the Secret belongs to another certificate'] : []),
    ...(cacerts.key === 'unusable' ? [cacerts.keyProblem ?? 'istiod cannot read the key in the Secret'] : []),
    ...cacerts.problems.filter(({severity}) => severity === 'error').map(({message}) => message),
  ];
}

/** Leaves out key and chain if the cluster CA differs: a different CA always has a different key and chain. */
function relevantDifferences(differences: readonly Difference[]): readonly Difference[] {
  const isOther = differences.some(({part}) => part === 'clusterCa');
  return differences.filter(({part}) => !isOther || (part !== 'key' && part !== 'chain'));
}

/**
 * Whether a push has the CA key: from the work directory, or from the Secret, if that is the key of the same CA. Unknown files
 * count as complete: the push reports what it lacks.
 */
function canPush(caFiles: ClusterCaFacts | undefined, cacerts: CacertsFacts | 'absent'): boolean {
  if (caFiles?.key !== 'absent' || !caFiles.certificate) return true;
  return cacerts !== 'absent' && cacerts.key === 'matches' && cacerts.certificate?.spki === caFiles.certificate.spki;
}

/**
 * Data keys that change what istiod reads or does (domain/trust/cacerts.ts, `caFilesOfSecret` and `isGenerated`), or may contain
 * a private key under the name of a CA key. Without tls.crt, ca.crt is not read.
 */
const readByIstiod: readonly string[] = ['tls.crt', 'tls.key', 'istio-generated'];

/**
 * Whether istiod does not read a data key that is not part of the layout, such as the request that `kubectl create secret
 * generic --from-file=DIRECTORY` includes. Private keys in it are a difference of their own. With tls.crt, the four *.pem keys
 * are not read either, although the work directory's CA is meant to be.
 */
function isUnread({layout}: CacertsFacts): (key: string) => boolean {
  return (key) => layout === 'pem' && !readByIstiod.includes(key);
}

/** Another tool overwrites what a push writes: the CA has to change there. */
function changeAtManager(
  secret: string,
  cacerts: CacertsFacts | 'absent',
  {cluster, mesh}: ClusterSubject,
): Remedy | undefined {
  if (cacerts === 'absent' || cacerts.managedBy === undefined) return undefined;
  return {
    fix: inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe secret/${secret}`),
    note: overwrittenBy(cacerts.managedBy, secret),
  };
}

/** Removes exactly these data keys: a push would remove them without naming them, and may have to restart istiod. */
function removeKeys(secret: string, keys: readonly string[], {cluster, mesh}: ClusterSubject): Remedy {
  const patch = JSON.stringify(keys.map((key) => ({op: 'remove', path: `/data/${key}`})));
  return {
    fix: fixWith.kubectl(cluster, words`-n ${mesh.istio.namespace} patch secret ${secret} --type=json -p ${patch}`),
    note: 'istiod does not read these data keys; save what is needed of them before you remove them',
  };
}

/** Whether only the order of the chain differs: istiod and proxies accept every order. */
function isOrder({part, wanted, found}: Difference): boolean {
  return part === 'chain' && JSON.stringify(wanted.toSorted()) === JSON.stringify(found.toSorted());
}

const partNames: Readonly<Record<Difference['part'], string>> = {
  secret: 'Secret cacerts',
  clusterCa: 'cluster CA',
  roots: 'root bundle',
  chain: 'chain',
  key: 'public half of the key',
  crl: 'revocation lists',
  keys: 'unexpected data keys',
  privateKeys: 'private keys besides the CA key',
};

/** `cluster CA: AA:BB`: a part that differs, as it is on one side. */
function describePart(part: Difference['part'], values: readonly string[]): string {
  return `${partNames[part]}: ${values.length === 0 ? 'none' : some(namedParts.includes(part) ? values : values.map(shortFingerprint))}`;
}
