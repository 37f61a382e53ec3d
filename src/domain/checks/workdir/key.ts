import {advice} from '../../suggest/suggestion.js';
import {type ClusterSubject, workDirCheck, notApplicable, ok} from '../check.js';
import {newCa, type Remedy, remedyFor} from '../remedies.js';

/** ca-key.pem matches ca-cert.pem. */
export const keyCheck = workDirCheck({
  id: 'MESH104',
  title: 'The cluster CA key matches its certificate',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  implies: ['MESH301'],
  expected: 'the private key of ca-cert.pem, unencrypted, in a format that istiod reads',
  judge: ({caFiles}, subject) => {
    switch (caFiles.key) {
      case 'absent':
        return notApplicable('the key is not in this work directory; only a push requires it');
      case 'matches':
        return ok('the key of ca-cert.pem');
      case 'different':
        return {observed: 'the key of another certificate', ...restoreOrReplace(subject)};
      case 'unusable':
        return {
          observed: caFiles.keyProblem ?? 'an unreadable key',
          ...remedyFor(caFiles.keyReason ?? 'cluster CA', subject),
        };
    }
  },
  meaning: "ca-key.pem is the private key of ca-cert.pem, in a format that istiod's parser accepts.",
  breaks:
    'istiod crash-loops if it starts with such a Secret cacerts; a running istiod keeps its old CA until it restarts.',
  byHand:
    'openssl pkey -in "$CLUSTER/ca-key.pem" -pubout | sha256sum\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum',
  fix: 'Restore the matching key. If only the form of the file is wrong, write it again with `kubectl mesh certs rewrite CLUSTER`. Otherwise create a new key and certificate with `kubectl mesh certs generate CLUSTER --renew`.',
  source: 'istio/istio security/pkg/pki/util/crypto.go, keycertbundle.go',
});

/** Where no new CA can be issued, only the user can find the right key. */
function restoreOrReplace(subject: ClusterSubject): Remedy {
  const {fix, note} = newCa(subject);
  return note === undefined
    ? {fix}
    : {fix, note: advice`restore the key of ca-cert.pem to ca-key.pem; otherwise, ${note}`};
}
