import {inspectWith, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import {canonicalCertificates} from '../../ca/canonical.js';
import {some} from '../../format.js';
import {restartFix} from '../fixes.js';
import {inSequence, loadCa} from '../remedies.js';
import {namespacesWithBundle} from './bundle-namespaces.js';

/** istiod has loaded the pushed bundle, and has published it for workloads. */
export const bundlesCheck = apiServerCheck({
  id: 'MESH302',
  title: 'istiod has loaded the pushed root bundle',
  appliesTo: 'cacerts',
  requires: ['pushedTrust', 'bundles', 'namespaces', 'controlPlanes'],
  optional: ['caOrigin'],
  implies: ['MESH303', 'MESH306', 'MESH307', 'MESH308', 'MESH310'],
  judge: ({pushedTrust, bundles, namespaces, controlPlanes, caOrigin}, subject) => {
    const {cluster, mesh} = subject;
    const own = mesh.istio.namespace;
    if (pushedTrust === 'absent') return notApplicable('no CA was pushed yet');
    const {bundle, isCanonical = false} = pushedTrust;
    const [first] = controlPlanes;
    if (!first) return notApplicable('no istiod runs here');
    const name = first.bundleName;
    if (name === undefined || controlPlanes.some(({bundleName}) => bundleName !== name)) {
      return notApplicable('istiod does not publish the bundle in ConfigMaps of a single name');
    }
    const required = namespacesWithBundle(namespaces, controlPlanes);
    if (required.length === 0) return notApplicable('istiod publishes the bundle in no namespace here');
    const written = new Map(bundles.map((bundle) => [bundle.namespace, bundle.text]));
    const missing = required.filter((namespace) => written.get(namespace) === undefined);
    const different = required.filter((namespace) => {
      const text = written.get(namespace);
      return text !== undefined && text !== bundle && !(isCanonical && canonicalCertificates(text) === bundle);
    });
    const expected = `root-cert.pem of ${pushedTrust.from}${isCanonical ? '' : ', byte for byte'}`;
    const restart = restartFix(subject, ...controlPlanes.map(({workload}) => workload.name));
    // istiod itself is behind: a restart changes the root under running workloads, so the fix is a push, which checks for them
    // before it restarts istiod. Otherwise only copies of the bundle are behind. istiod may exclude its own namespace
    // (discoverySelectors) or be prevented from writing there: then one correct copy shows that it is not behind.
    const isBehind =
      different.includes(own) || (different.length > 0 && different.length + missing.length === required.length);
    const load = isBehind ? loadCa(caOrigin, subject) : {fix: restart};
    // istiod writes it within a second. Otherwise a quota, policy or webhook may reject it: a dry run shows which, and a
    // restart helps only if none does.
    const [firstMissing = own] = missing;
    const attempt = inspectWith.kubectl(cluster, words`-n ${firstMissing} create configmap ${name} --dry-run=server`);
    const missingLoad = written.has(firstMissing) ? load : inSequence({fix: attempt}, load);
    // A missing or old copy does not show what istiod signs with; other checks do. Only checks that read the bundle itself, in
    // istiod's namespace or, if no copy is right, in any, have no evidence.
    const isUnread = missing.includes(own) || missing.length === required.length;
    const implies = isUnread ? ['MESH306', 'MESH310'] : [];
    const other = {observed: `a different bundle in ConfigMap ${name} of ${some(different)}`, expected, ...load};
    const none = {observed: `no bundle (ConfigMap ${name}) in ${some(missing)}`, expected, ...missingLoad, implies};
    return findingsOr(
      [
        different.length > 0 ? {...other, implies: isBehind ? undefined : []} : undefined,
        missing.length > 0 ? none : undefined,
      ],
      ok(`equal in ${String(required.length)} namespaces`, expected),
    );
  },
  meaning:
    'ConfigMap istio-ca-root-cert equals the pushed root-cert.pem byte for byte in every namespace that istiod serves. istiod writes the bundle that it has loaded, so equality proves that it has loaded the pushed one.',
  breaks:
    'istiod still signs under an older root: it was not restarted, rejected the change, or runs with a self-signed CA. Proxies trust the roots in this ConfigMap.',
  byHand:
    'kubectl --context "$CTX" -n default get configmap istio-ca-root-cert -o jsonpath="{.data.root-cert\\.pem}" | openssl x509 -noout -fingerprint -sha256\nkubectl --context "$CTX" -n istio-system logs deployment/istiod | grep -i -e "root-ca" -e "CA certificate"',
  fix: "If the ConfigMap is missing, try to create it with `kubectl create configmap … --dry-run=server`: a quota, policy or webhook that rejects your request also rejects istiod's. Otherwise, restart istiod and wait half a minute: only the istiod that holds the lease istio-namespace-controller-election writes the bundle, and a new istiod waits until the old lease expires. If workloads already run under the old root, make both roots trusted before you restart istiod.",
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go, security/pkg/k8s/configutil.go, pilot/pkg/bootstrap/istio_ca.go',
});
