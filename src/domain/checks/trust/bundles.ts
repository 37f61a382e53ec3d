import {inspectWith, sequence, words} from '../../suggest/suggestion.js';
import {apiServerCheck, findingsOr, notApplicable, ok} from '../check.js';
import {some} from '../../format.js';
import {loadFix, restartFix} from '../fixes.js';
import {namespacesWithBundle} from './bundle-namespaces.js';

/** istiod has loaded the bundle that was pushed, and workloads can get it. */
export const bundlesCheck = apiServerCheck({
  id: 'MESH302',
  title: 'istiod has loaded the pushed root bundle',
  about: 'cacerts',
  needs: ['pushedTrust', 'bundles', 'namespaces', 'controlPlanes'],
  uses: ['caOrigin'],
  implies: ['MESH303', 'MESH306', 'MESH307', 'MESH308', 'MESH310'],
  judge: ({pushedTrust, bundles, namespaces, controlPlanes, caOrigin}, subject) => {
    const {cluster, mesh} = subject;
    const own = mesh.istio.namespace;
    if (pushedTrust === 'absent') return notApplicable('nothing was pushed yet');
    const [first] = controlPlanes;
    if (!first) return notApplicable('no istiod runs here that would write it');
    const name = first.bundleName;
    if (name === undefined || controlPlanes.some(({bundleName}) => bundleName !== name)) {
      return notApplicable('istiod publishes the bundle by other means than one ConfigMap');
    }
    const required = namespacesWithBundle(namespaces, controlPlanes);
    if (required.length === 0) return notApplicable('istiod writes the bundle into no namespace here');
    const written = new Map(bundles.map((bundle) => [bundle.namespace, bundle.text]));
    const missing = required.filter((namespace) => written.get(namespace) === undefined);
    const different = required.filter((namespace) => {
      const text = written.get(namespace);
      return text !== undefined && text !== pushedTrust.bundle;
    });
    const expected = `root-cert.pem of ${pushedTrust.from}, byte for byte`;
    const restart = restartFix(subject, ...controlPlanes.map(({workload}) => workload.name));
    // istiod itself is behind: a restart changes the root under running workloads, so the push that restarts it asks about
    // them first. Elsewhere only its copies are. It may leave its own namespace out (discoverySelectors), or be kept from
    // writing there: then any copy that is right tells that it is not behind.
    const isBehind =
      different.includes(own) || (different.length > 0 && different.length + missing.length === required.length);
    const load = isBehind ? loadFix(caOrigin, subject) : restart;
    // istiod writes it within a second. Where it does not, something refuses it (a quota, a policy, a webhook): trying says
    // what, and only where nothing does a restart is of use.
    const [place = own] = missing;
    const attempt = inspectWith.kubectl(cluster, words`-n ${place} create configmap ${name} --dry-run=server`);
    const missingFix = written.has(place) ? load : sequence(attempt, load);
    // A copy that is missing or old says nothing of what istiod signs with: other checks do. Only who reads the bundle
    // itself, beside istiod or, where none is right, anywhere, has nothing to go by.
    const isUnread = missing.includes(own) || missing.length === required.length;
    const implies = isUnread ? ['MESH306', 'MESH310'] : [];
    const other = {observed: `another bundle in ConfigMap ${name} of ${some(different)}`, expected, fix: load};
    const none = {observed: `no bundle (ConfigMap ${name}) in ${some(missing)}`, expected, fix: missingFix, implies};
    return findingsOr(
      [
        different.length > 0 ? {...other, implies: isBehind ? undefined : []} : undefined,
        missing.length > 0 ? none : undefined,
      ],
      ok(`equal in ${String(required.length)} namespaces`, expected),
    );
  },
  meaning:
    'ConfigMap istio-ca-root-cert equals the pushed root-cert.pem byte for byte in every namespace that istiod serves. istiod writes there what it has loaded, so equality proves that it has.',
  breaks:
    'istiod still signs under an older root: it was not restarted, refused the change, or runs with a CA of its own. Proxies trust what this ConfigMap says.',
  byHand:
    'kubectl --context "$CTX" -n default get configmap istio-ca-root-cert -o jsonpath="{.data.root-cert\\.pem}" | openssl x509 -noout -fingerprint -sha256\nkubectl --context "$CTX" -n istio-system logs deployment/istiod | grep -i -e "root-ca" -e "CA certificate"',
  mend: 'Where the ConfigMap is missing, try to make it (`kubectl create configmap … --dry-run=server`): a quota, a policy or a webhook that refuses it to you refuses it to istiod. Otherwise restart istiod, then give it half a minute: the bundle is written by the istiod that holds the lease istio-namespace-controller-election, and a new one waits for the old lease to end. If workloads already run under the old root, read about root rotation before you do.',
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go, security/pkg/k8s/configutil.go, pilot/pkg/bootstrap/istio_ca.go',
});
