import {clusterLayout} from '../../mesh/layout.js';
import {fixWith, inWorkDir} from '../../suggest/suggestion.js';
import {workDirCheck, ok, undecidedWithout} from '../check.js';
import {pushFix} from '../fixes.js';

/** `trust.keepClusterKeys: false` is met. */
export const retainedKeyCheck = workDirCheck({
  id: 'MESH115',
  title: 'Cluster CA keys are retained only where mesh.yaml permits it',
  severity: 'warning',
  requires: ['caFiles'],
  // Only the cluster shows whether a key that should not be retained was pushed.
  optional: ['cacerts'],
  expected: 'no copy of a cluster CA key that its cluster already holds',
  judge: ({caFiles, cacerts}, {mesh, cluster, otherSources}) => {
    if (mesh.trust.keepClusterKeys) return ok('retained, as set in mesh.yaml (trust.keepClusterKeys)');
    if (caFiles.key === 'absent') return ok('no key in the work directory');
    if (cacerts === undefined) return undecidedWithout('cacerts');
    const holds =
      cacerts !== 'absent' &&
      cacerts.key === 'matches' &&
      caFiles.key === 'matches' &&
      cacerts.certificate?.fingerprint === caFiles.certificate?.fingerprint;
    if (!holds) return ok('the key has not been pushed yet');
    const {caKey} = clusterLayout(cluster.name);
    return {
      observed: `${caKey} is still present, and Secret ${cacerts.name} holds the same key`,
      // A push is refused where istiod does not read Secret cacerts.
      fix: otherSources?.has(cluster.name) === true ? fixWith.run('rm', [inWorkDir(caKey)]) : pushFix({cluster}),
    };
  },
  meaning:
    'With `trust.keepClusterKeys: false` in mesh.yaml, CLUSTER/ca-key.pem exists only until the cluster has the key. It is required until the push.',
  breaks:
    'Each copy of a CA key can be stolen: from a laptop, from a backup, or by any account that can read the directory.',
  byHand:
    'ls -l "$CLUSTER/ca-key.pem"\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath=\'{.data.ca-cert\\.pem}\' | base64 -d | openssl x509 -noout -fingerprint -sha256\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256',
  fix: '`kubectl mesh trust push CLUSTER` removes the key from the work directory after it has verified that the cluster has the key, and changes nothing else. Backups of the directory still contain the key.',
  source: 'docs/certificates.md (retention); NIST SP 800-57 part 1, 8.3.4 (destroy keys that are no longer needed)',
});
