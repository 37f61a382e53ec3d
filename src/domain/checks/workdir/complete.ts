import {kubectlMesh, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {workDirCheck, notApplicable, ok, type ClusterSubject} from '../check.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {pushFix, renewFix} from '../fixes.js';

/** Each cluster has the public files of its CA; the key may be elsewhere. */
export const completeCheck = workDirCheck({
  id: 'MESH102',
  title: 'The cluster CA files are complete',
  about: 'cacerts',
  needs: ['caFiles', 'caOrigin'],
  // Without the files there is nothing to judge, and nothing to compare with what is in the cluster.
  implies: ['MESH103', 'MESH104', 'MESH105', 'MESH108', 'MESH109', 'MESH110', 'MESH112', 'MESH301'],
  expected: 'ca-cert.pem, root-cert.pem and cert-chain.pem',
  judge: ({caFiles, caOrigin}, subject) => {
    const {cluster} = subject;
    if (caOrigin.from === 'not asked') {
      return notApplicable(
        `${cluster.name}/ holds no CA; --no-secrets: whether it is made elsewhere was not looked at`,
      );
    }
    if (caOrigin.from === 'elsewhere') {
      const {keeper = 'somebody else'} = caOrigin;
      return notApplicable(`Secret cacerts comes from ${keeper}, and ${cluster.name}/ holds no CA`);
    }
    const missing = caFiles.missing.filter((file) => file !== 'ca-key.pem');
    if (missing.length === 0) return ok('all of them');
    return {observed: `${cluster.name}/ has no ${missing.join(', no ')}`, fix: fixFor(caFiles, subject)};
  },
  meaning:
    "CLUSTER/ holds the certificates of the cluster's CA under the names that istiod reads from cacerts. Where it holds nothing at all, and the cluster has a complete Secret cacerts that was not pushed from a work directory (cert-manager's, for example), the CA is made elsewhere and nothing is missed here.",
  breaks:
    'Without them nothing can be pushed. istiod before 1.26.1 that finds an incomplete cacerts silently signs with a CA of its own.',
  byHand: 'ls -l "$WORK_DIR/$CLUSTER"',
  mend: '`kubectl mesh certs generate CLUSTER` makes what can be made of what is there, and keeps that. Without ca-cert.pem a new CA is made, and pushed: in a fresh checkout get the certificates first, they are meant to be in git.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go; releasenotes/notes/check-cacerts-completeness.yaml',
});

/** Bundle and chain are made anew from the CA; the CA itself can only be replaced, and then the cluster has another one. */
function fixFor({missing}: ClusterCaFacts, subject: ClusterSubject): Suggestion {
  const {cluster, mesh} = subject;
  const generate = kubectlMesh('certs generate', [cluster.name]);
  if (!missing.includes('ca-cert.pem')) return generate;
  // A key without its certificate is in the way of a new one.
  if (!missing.includes('ca-key.pem')) return renewFix(subject);
  if (mesh.trust.signer.type === 'csr') return kubectlMesh('certs request', [cluster.name]);
  return cluster.context === undefined ? generate : sequence(generate, pushFix(subject));
}
