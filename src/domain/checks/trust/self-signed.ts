import {usesCacerts} from '../../mesh/signer.js';
import {kubectlMesh} from '../../suggest/suggestion.js';
import {apiServerCheck, notApplicable, ok} from '../check.js';
import {describeCertificate} from '../describe.js';
import {loadCa, provideCa} from '../remedies.js';

/** istiod does not run with a self-signed root. */
export const selfSignedCheck = apiServerCheck({
  id: 'MESH304',
  title: 'istiod does not sign with a self-signed root',
  appliesTo: "istiod's CA",
  requires: ['selfSignedRoot', 'bundles', 'pushedTrust', 'controlPlanes'],
  optional: ['caOrigin'],
  implies: ['MESH302', 'MESH303', 'MESH307', 'MESH308', 'MESH6'],
  expected: 'istiod signs with the CA from Secret cacerts',
  judge: ({selfSignedRoot, bundles, pushedTrust, controlPlanes, caOrigin}, subject) => {
    const {namespace} = subject.mesh.istio;
    if (controlPlanes.length === 0) return notApplicable('no istiod runs here');
    if (selfSignedRoot === 'absent') return ok('istiod never created a self-signed root');
    if (controlPlanes.some(({bundleName}) => bundleName === undefined)) {
      return notApplicable('istiod does not publish the bundle in a ConfigMap');
    }
    const own = bundles.filter((one) => one.namespace === namespace);
    const pushed = pushedTrust === 'absent' ? [] : pushedTrust.roots;
    // The root can be in cacerts on purpose, in the first phase of the migration from a self-signed root to a pushed one.
    const {fingerprint} = selfSignedRoot;
    if (pushed.includes(fingerprint) || !own.some(({roots}) => roots.includes(fingerprint))) {
      // One bundle for each name that the revisions use: a missing one may contain this root.
      const names = new Set(controlPlanes.map(({bundleName}) => bundleName));
      const withText = own.filter(({text}) => text !== undefined);
      if (withText.length < names.size) return notApplicable(`${namespace} lacks a bundle that istiod publishes`);
      if (own.some(({roots}) => roots.length === 0)) {
        return notApplicable(`a bundle in ${namespace} contains no readable certificates`);
      }
      return ok('the root in Secret istio-ca-secret is not in use');
    }
    return {
      observed: `istiod has loaded its self-signed root ${describeCertificate(selfSignedRoot)}`,
      // Not a plain restart: the push refuses while workloads run under the root that it would remove. Without cacerts, istiod
      // is not configured for the external issuer yet.
      ...(usesCacerts(subject.mesh.trust.signer)
        ? (pushedTrust === 'absent' ? provideCa : loadCa)(caOrigin, subject)
        : {fix: kubectlMesh('install apply', [subject.cluster.name])}),
    };
  },
  meaning:
    'The bundle that istiod published does not contain the root that istiod generates when it starts without Secret cacerts (Secret istio-ca-secret).',
  breaks:
    'The cluster has a separate root, so no workload of another cluster trusts its workloads. This happens if istiod starts before Secret cacerts exists; creating the Secret later has no effect until istiod restarts.',
  byHand:
    'kubectl --context "$CTX" -n istio-system logs deployment/istiod | grep -e "Use self-signed" -e "Use local CA"\nkubectl --context "$CTX" -n istio-system get secret istio-ca-secret',
  fix: 'Run `kubectl mesh trust push CLUSTER --restart-istiod`. This changes the root of workloads that already run: first make both roots trusted.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go, security/pkg/pki/ca/ca.go',
});
