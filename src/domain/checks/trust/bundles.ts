import {inspectWith, words} from '../../suggest/suggestion.js';
import {
  apiServerCheck,
  type ClusterSubject,
  type Finding,
  findingsOr,
  notApplicable,
  ok,
  undecidedWithout,
} from '../check.js';
import {canonicalCertificates} from '../../ca/canonical.js';
import {some} from '../../format.js';
import type {CaOrigin, ControlPlaneFacts, PushedTrust, WrittenBundle} from '../../facts/facts.js';
import {inSequence, loadCa, type Remedy, restart} from '../remedies.js';
import {isDiscovered, namespacesWithBundle} from './bundle-namespaces.js';
import {injectedNamespaces} from './injected-namespaces.js';
import {isContested, type RivalWriter, rivalWriters, showRival} from './rival-writers.js';
import {type BundleState, undiscoveredFindings} from './undiscovered.js';

/** istiod has loaded the pushed bundle, and has published it for workloads. */
export const bundlesCheck = apiServerCheck({
  id: 'MESH302',
  title: 'istiod has loaded the pushed root bundle',
  appliesTo: 'cacerts',
  requires: ['pushedTrust', 'bundles', 'namespaces', 'controlPlanes'],
  optional: ['caOrigin', 'webhooks', 'otherControlPlanes'],
  implies: ['MESH303', 'MESH306', 'MESH307', 'MESH308', 'MESH310'],
  judge: ({pushedTrust, bundles, namespaces, controlPlanes, caOrigin, webhooks, otherControlPlanes = []}, subject) => {
    if (pushedTrust === 'absent') return notApplicable('no CA was pushed yet');
    const [first] = controlPlanes;
    if (!first) return notApplicable('no istiod runs here');
    const name = first.bundleName;
    if (name === undefined || controlPlanes.some(({bundleName}) => bundleName !== name)) {
      return notApplicable('istiod does not publish the bundle in ConfigMaps of a single name');
    }
    const required = namespacesWithBundle(namespaces, controlPlanes);
    const stateOf = bundleStates(pushedTrust, bundles);
    const rivals = rivalWriters(namespaces, controlPlanes, otherControlPlanes).filter((one) =>
      isContested(one, bundles, pushedTrust, subject.now),
    );
    const written = {required, stateOf, name, pushedTrust, bundles, controlPlanes, caOrigin, rivals};
    const injected = injectedNamespaces(namespaces, controlPlanes, webhooks);
    const isExcluded = namespaces.some(({labels}) => !controlPlanes.every((one) => isDiscovered(labels, one)));
    return findingsOr(
      [...servedFindings(written, subject), ...undiscoveredFindings(injected ?? [], controlPlanes, stateOf, subject)],
      isExcluded && !injected
        ? undecidedWithout('webhooks')
        : required.length === 0
          ? notApplicable('istiod publishes the bundle in no namespace here')
          : ok(`equal in ${String(required.length)} namespaces`, expectedBundle(pushedTrust)),
    );
  },
  meaning:
    'ConfigMap istio-ca-root-cert equals the pushed root-cert.pem byte for byte in every namespace that istiod serves. istiod writes the bundle that it has loaded, so equality proves that it has loaded the pushed one. Every namespace that Istio injects by its labels (istio-injection, istio.io/rev) is one that istiod serves: meshConfig.discoverySelectors do not exclude it.',
  breaks:
    'istiod still signs under an older root: it was not restarted, rejected the change, or runs with a self-signed CA. Proxies trust the roots in this ConfigMap. In an injected namespace outside discoverySelectors, new pods do not start without the ConfigMap, and an existing ConfigMap keeps old roots through a rotation.',
  byHand:
    'kubectl --context "$CTX" -n default get configmap istio-ca-root-cert -o jsonpath="{.data.root-cert\\.pem}" | openssl x509 -noout -fingerprint -sha256\nkubectl --context "$CTX" -n istio-system logs deployment/istiod | grep -i -e "root-ca" -e "CA certificate"',
  fix: "If the ConfigMap is missing, try to create it with `kubectl create configmap … --dry-run=server`: a quota, policy or webhook that rejects your request also rejects istiod's. Otherwise, restart istiod and wait half a minute: only the istiod that holds the lease istio-namespace-controller-election writes the bundle, and a new istiod waits until the old lease expires. If workloads already run under the old root, make both roots trusted before you restart istiod. If discoverySelectors exclude an injected namespace, label it as a selector requires, or extend the selectors where they are set (mesh.yaml or an overlay), then render install.yaml again and apply it; if the namespace does not belong to the mesh, remove its injection label.",
  source:
    'istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go, security/pkg/k8s/configutil.go, pilot/pkg/bootstrap/istio_ca.go, manifests/charts/istio-control/istio-discovery/templates/mutatingwebhook.yaml; istio/istio#48306, istio/istio#41389',
});

/** The pushed bundle, and what istiod has written. */
interface Written {
  /** The namespaces that istiod serves. */
  readonly required: readonly string[];
  readonly stateOf: (namespace: string) => BundleState;
  /** The ConfigMap's name. */
  readonly name: string;
  readonly pushedTrust: PushedTrust;
  readonly bundles: readonly WrittenBundle[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
  readonly caOrigin: CaOrigin | undefined;
  /** Other control planes that write these bundles. */
  readonly rivals: readonly RivalWriter[];
}

function bundleStates(
  {bundle, isCanonical = false}: PushedTrust,
  bundles: readonly WrittenBundle[],
): (namespace: string) => BundleState {
  const written = new Map(bundles.map((one) => [one.namespace, one.text]));
  return (namespace) => {
    const text = written.get(namespace);
    if (text === undefined) return 'missing';
    return text === bundle || (isCanonical && canonicalCertificates(text) === bundle) ? 'equal' : 'different';
  };
}

function expectedBundle({from, isCanonical = false}: PushedTrust): string {
  return `root-cert.pem of ${from}${isCanonical ? '' : ', byte for byte'}`;
}

/** Findings about the namespaces into which istiod writes the bundle. */
function servedFindings(
  {required, stateOf, name, pushedTrust, bundles, controlPlanes, caOrigin, rivals}: Written,
  subject: ClusterSubject,
): readonly Finding[] {
  const {cluster, mesh} = subject;
  const own = mesh.istio.namespace;
  const missing = required.filter((namespace) => stateOf(namespace) === 'missing');
  const different = required.filter((namespace) => stateOf(namespace) === 'different');
  const expected = expectedBundle(pushedTrust);
  const restarted = restart(caOrigin, subject, ...controlPlanes.map(({workload}) => workload.name));
  // istiod itself is behind: a restart changes the root under running workloads, so the fix is a push, which checks for them
  // before it restarts istiod. Otherwise only copies of the bundle are behind. istiod may exclude its own namespace
  // (discoverySelectors) or be prevented from writing there: then one correct copy shows that it is not behind.
  const isBehind =
    different.includes(own) || (different.length > 0 && different.length + missing.length === required.length);
  // Neither helps while another control plane writes into the same namespaces.
  const rival = rivals.find(({shared}) => different.some((namespace) => shared.includes(namespace)));
  const load: Remedy = rival ? {fix: showRival(rival, subject)} : isBehind ? loadCa(caOrigin, subject) : restarted;
  // istiod writes it within a second. Otherwise a quota, policy or webhook may reject it: a dry run shows which, and a
  // restart helps only if none does.
  const [firstMissing = own] = missing;
  const attempt = inspectWith.kubectl(cluster, words`-n ${firstMissing} create configmap ${name} --dry-run=server`);
  const exists = bundles.some(({namespace}) => namespace === firstMissing);
  const missingLoad = exists ? load : inSequence({fix: attempt}, load);
  // A missing or old copy does not show what istiod signs with; other checks do. Only checks that read the bundle itself, in
  // istiod's namespace or, if no copy is right, in any, have no evidence.
  const isUnread = missing.includes(own) || missing.length === required.length;
  const implies = isUnread ? ['MESH306', 'MESH310'] : [];
  const other = {observed: `a different bundle in ConfigMap ${name} of ${some(different)}`, expected, ...load};
  const none = {observed: `no bundle (ConfigMap ${name}) in ${some(missing)}`, expected, ...missingLoad, implies};
  return [
    ...(different.length > 0 ? [{...other, implies: isBehind ? undefined : []}] : []),
    ...(missing.length > 0 ? [none] : []),
  ];
}
