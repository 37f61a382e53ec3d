import {workDirCheck, notApplicable, ok} from '../check.js';
import {pushFix} from '../fixes.js';

/** `trust.keepClusterKeys: false` holds. */
export const keptKeyCheck = workDirCheck({
  id: 'MESH115',
  title: 'Cluster CA keys are not kept where they need not be',
  severity: 'warning',
  needs: ['caFiles'],
  // Whether the key has done its work is the cluster's to say; without it there is nothing to hold against the file.
  uses: ['cacerts'],
  expected: "no copy of a cluster's CA key beside the one that its cluster holds",
  judge: ({caFiles, cacerts}, {mesh, cluster}) => {
    if (mesh.trust.keepClusterKeys) return ok('kept, as mesh.yaml wants it (trust.keepClusterKeys)');
    if (caFiles.key === 'absent') return ok('the key is not here');
    if (cacerts === undefined) return notApplicable('whether the cluster holds the key already is not known');
    const holds =
      cacerts !== 'absent' &&
      cacerts.key === 'matches' &&
      caFiles.key === 'matches' &&
      cacerts.certificate?.fingerprint === caFiles.certificate?.fingerprint;
    if (!holds) return ok('the key is still to be pushed');
    return {
      observed: `${cluster.name}/ca-key.pem is here, and Secret cacerts holds the same key`,
      fix: pushFix({cluster}),
    };
  },
  meaning:
    'Where mesh.yaml says `trust.keepClusterKeys: false`, CLUSTER/ca-key.pem is gone once the cluster holds the key. Before the push it has to be here.',
  breaks:
    'Each copy of a CA key is one more place from which it can be taken: a laptop, its backup, whoever reads the directory.',
  byHand:
    'ls -l "$CLUSTER/ca-key.pem"\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath=\'{.data.ca-cert\\.pem}\' | base64 -d | openssl x509 -noout -fingerprint -sha256\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -fingerprint -sha256',
  mend: '`trust push` removes the key once it has confirmed that the cluster holds it; it changes nothing else there. Backups of the directory still have it.',
  source:
    'docs/certificates.md (retention); NIST SP 800-57 part 1, 8.3.4 (keys are destroyed where they are no longer needed)',
});
