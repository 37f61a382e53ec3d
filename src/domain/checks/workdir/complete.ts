import {kubectlMesh} from '../../suggest/suggestion.js';
import {workDirCheck, notApplicable, ok, type ClusterSubject} from '../check.js';
import {caFileNames} from '../../ca/ca-files.js';
import {describeSource} from '../../istio/ca-source.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {firstCa, newCa, type Remedy} from '../remedies.js';

/** Each cluster directory has the public files of the cluster CA. The key is not required. */
export const completeCheck = workDirCheck({
  id: 'MESH102',
  title: 'The cluster CA files are complete',
  appliesTo: 'cacerts',
  requires: ['caFiles', 'caOrigin'],
  // Without the files, nothing can be judged or compared with the cluster.
  implies: ['MESH103', 'MESH104', 'MESH105', 'MESH108', 'MESH109', 'MESH110', 'MESH112', 'MESH301'],
  expected: 'ca-cert.pem, root-cert.pem and cert-chain.pem',
  judge: ({caFiles, caOrigin}, subject) => {
    const {cluster} = subject;
    if (caOrigin.from === 'not read') {
      return notApplicable(
        `${cluster.name}/ holds no CA; --no-secrets: whether an external CA issues it was not checked`,
      );
    }
    if (caOrigin.from === 'external') {
      const {managedBy = 'another tool'} = caOrigin;
      return notApplicable(`Secret cacerts is managed by ${managedBy}, and ${cluster.name}/ holds no CA`);
    }
    if (caOrigin.from === 'mounted' && caOrigin.source.from !== 'nothing' && holdsNone(caFiles)) {
      return notApplicable(
        `istiod reads its CA from ${describeSource(caOrigin.source)}, and ${cluster.name}/ holds no CA`,
      );
    }
    const missing = caFiles.missing.filter((file) => file !== 'ca-key.pem');
    if (missing.length === 0) return ok('all present');
    return {observed: `${cluster.name}/ has no ${missing.join(', no ')}`, ...remedyOf(caFiles, subject)};
  },
  meaning:
    "CLUSTER/ holds the cluster CA's certificates under the file names that istiod reads from cacerts. If CLUSTER/ holds none of them and the cluster has a complete Secret cacerts that was not pushed from a work directory (from cert-manager, for example), the CA is external and no files are expected.",
  breaks:
    'An incomplete CA cannot be pushed. With an incomplete cacerts, istiod before 1.26.1 silently signs with a self-signed CA.',
  byHand: 'ls -l "$WORK_DIR/$CLUSTER"',
  fix: '`kubectl mesh certs generate CLUSTER` keeps existing files and creates the missing ones from them. Without ca-cert.pem, it creates a new CA, which you must push. In a fresh checkout, restore the certificates first: they belong in Git.',
  source: 'istio/istio pilot/pkg/bootstrap/istio_ca.go; releasenotes/notes/check-cacerts-completeness.yaml',
});

function holdsNone({missing}: ClusterCaFacts): boolean {
  return missing.length === Object.keys(caFileNames).length;
}

/** Bundle and chain are recreated from the CA. The CA itself can only be replaced, in the cluster as well. */
function remedyOf({missing}: ClusterCaFacts, subject: ClusterSubject): Remedy {
  if (!missing.includes('ca-cert.pem')) return {fix: kubectlMesh('certs generate', [subject.cluster.name])};
  // Without `--renew`, `certs generate` does not replace a key that has no certificate.
  return missing.includes('ca-key.pem') ? firstCa(subject) : newCa(subject);
}
