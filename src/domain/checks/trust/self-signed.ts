import {usesCacerts} from '../../mesh/signer.js';
import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable, ok} from '../check.js';
import {describeCertificate} from '../describe.js';
import {loadFix} from '../fixes.js';

/** istiod does not run with a root that it made for itself. */
export const selfSignedCheck = apiServerCheck({
  id: 'MESH304',
  title: 'istiod does not sign with a root of its own',
  appliesTo: "istiod's CA",
  requires: ['selfSignedRoot', 'bundles', 'pushedTrust', 'controlPlanes'],
  optional: ['caOrigin'],
  implies: ['MESH302', 'MESH303', 'MESH307', 'MESH308'],
  expected: 'istiod signs with the CA from Secret cacerts',
  judge: ({selfSignedRoot, bundles, pushedTrust, controlPlanes, caOrigin}, subject) => {
    const {namespace} = subject.mesh.istio;
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    if (selfSignedRoot === 'absent') return ok('istiod never made a root of its own');
    if (controlPlanes.some(({bundleName}) => bundleName === undefined)) {
      return notApplicable('istiod publishes the bundle by other means than a ConfigMap');
    }
    const own = bundles.filter((one) => one.namespace === namespace);
    const pushed = pushedTrust === 'absent' ? [] : pushedTrust.roots;
    // In cacerts on purpose: the first phase of moving from a self-signed root to a pushed one.
    const {fingerprint} = selfSignedRoot;
    if (pushed.includes(fingerprint) || !own.some(({roots}) => roots.includes(fingerprint))) {
      // One for each name that the revisions use: a bundle that is missing may be the one with this root.
      const names = new Set(controlPlanes.map(({bundleName}) => bundleName));
      const withText = own.filter(({text}) => text !== undefined);
      if (withText.length < names.size) return notApplicable(`${namespace} lacks a bundle that istiod publishes`);
      if (own.some(({roots}) => roots.length === 0)) {
        return notApplicable(`a bundle in ${namespace} cannot be read as certificates`);
      }
      return ok('the root in Secret istio-ca-secret is not in use');
    }
    return {
      observed: `istiod loaded its own root ${describeCertificate(selfSignedRoot)}`,
      // Not a bare restart: the push refuses while workloads run under the root that would go.
      // istiod was not told that somebody else issues, or not yet.
      fix: usesCacerts(subject.mesh.trust.signer)
        ? loadFix(caOrigin, subject)
        : kubectlMesh('install apply', [subject.cluster.name]),
    };
  },
  meaning:
    'The bundle that istiod published is not the root it generates when cacerts is missing at its start (Secret istio-ca-secret).',
  breaks:
    'The cluster has a root of its own: no workload of another cluster trusts its workloads. It happens when istiod starts before cacerts is there, and adding cacerts later changes nothing until a restart.',
  byHand:
    'kubectl --context "$CTX" -n istio-system logs deployment/istiod | grep -e "Use self-signed" -e "Use local CA"\nkubectl --context "$CTX" -n istio-system get secret istio-ca-secret',
  howToFix: '`kubectl mesh trust push CLUSTER --restart-istiod`. Where workloads already run, their root changes: let both roots be trusted first.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go',
});
