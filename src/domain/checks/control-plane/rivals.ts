import {apiServerCheck, type Finding, findingsOr, notApplicable, ok} from '../check.js';
import {some} from '../../format.js';
import {isContested, rivalWriters, showRival} from '../trust/rival-writers.js';

/** No control plane of another namespace writes the bundles of this one. */
export const rivalsCheck = apiServerCheck({
  id: 'MESH416',
  title: 'No other control plane writes the same trust bundles',
  requires: ['controlPlanes', 'otherControlPlanes', 'namespaces', 'bundles'],
  optional: ['pushedTrust'],
  implies: ['MESH302', 'MESH304', 'MESH306', 'MESH307', 'MESH310'],
  expected: 'each namespace is served by the control plane of one namespace',
  judge: ({controlPlanes, otherControlPlanes, namespaces, bundles, pushedTrust}, subject) => {
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    const rivals = rivalWriters(namespaces, controlPlanes, otherControlPlanes);
    const expected = pushedTrust === 'absent' ? undefined : pushedTrust;
    const findings = rivals.map((rival): Finding | undefined => {
      const changesHands = isContested(rival, bundles, expected, subject.now);
      // A Deployment alone does not show that its istiod writes into this cluster.
      if (!changesHands && !rival.other.isWriting) return undefined;
      const {namespace, evidence} = rival.other;
      const consequence = changesHands ? 'the bundle changes hands' : 'the bundles are equal only while the roots are';
      return {
        severity: changesHands ? 'error' : 'warning',
        observed: `a control plane in namespace ${namespace} (${evidence}) also serves ${some(rival.shared)}: ${consequence}`,
        fix: showRival(rival, subject),
        ...(!changesHands && {implies: []}),
      };
    });
    const others = [...new Set(otherControlPlanes.map(({namespace}) => namespace))];
    return findingsOr(
      findings,
      ok(others.length === 0 ? 'no other control plane' : `the control plane in ${some(others)} does not write them`),
    );
  },
  meaning:
    'No istiod in another namespace of the cluster writes ConfigMap istio-ca-root-cert into namespaces that the istiod of this mesh serves. Several control planes in one cluster are fine if their meshConfig.discoverySelectors select different namespaces, or if their bundles have different names (PILOT_CA_CERT_CONFIGMAP). If both have the same roots, the finding is a warning.',
  breaks:
    'Both replace the ConfigMap each time the other one has written it. Which roots new pods trust changes within seconds, in other namespaces at each observation, and the API server may not trust the webhooks. Restarting istiod or pushing the CA again changes nothing.',
  byHand:
    'kubectl --context "$CTX" get deployments -A -l app=istiod\nkubectl --context "$CTX" get configmaps -A --field-selector metadata.name=istio-namespace-controller-election -o yaml | grep -e " namespace:" -e leader\nkubectl --context "$CTX" get configmaps -A --field-selector metadata.name=istio-ca-root-cert -o jsonpath="{range .items[*]}{.metadata.namespace} {.metadata.resourceVersion}{\'\\n\'}{end}"   # twice: must not change',
  fix: 'Determine whether the other control plane is still needed. If it is not, uninstall it. If it is, set meshConfig.discoverySelectors in both so that each namespace is selected by one of them only; istiod applies a changed mesh config at once. The suggested command shows the other namespace.',
  source:
    'istio/istio pilot/pkg/leaderelection/leaderelection.go, pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go; istio.io: setup/install/multiple-controlplanes; istio/istio#32778',
});
