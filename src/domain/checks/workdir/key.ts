import {workDirCheck, notApplicable, ok} from '../check.js';
import {renewFix} from '../fixes.js';

/** ca-key.pem belongs to ca-cert.pem. */
export const keyCheck = workDirCheck({
  id: 'MESH104',
  title: 'The cluster CA key matches its certificate',
  about: 'cacerts',
  needs: ['caFiles'],
  implies: ['MESH301'],
  expected: 'the private key of ca-cert.pem, unencrypted, in a form that istiod reads',
  judge: ({caFiles}, subject) => {
    const fix = renewFix(subject);
    switch (caFiles.key) {
      case 'absent':
        return notApplicable('the key is not in this work directory; only pushing needs it');
      case 'matches':
        return ok('the key of ca-cert.pem');
      case 'different':
        return {observed: 'the key of another certificate', fix};
      case 'unusable':
        return {observed: caFiles.keyProblem ?? 'a key that cannot be read', fix};
    }
  },
  meaning: "ca-key.pem is the private key of ca-cert.pem and has a format that istiod's parser accepts.",
  breaks: 'istiod refuses such a cacerts at start and crash-loops; a running one keeps its old CA until it restarts.',
  byHand:
    'openssl pkey -in "$CLUSTER/ca-key.pem" -pubout | sha256sum\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum',
  mend: 'Put the right key back, or make a new pair with `kubectl mesh certs generate CLUSTER --renew`.',
  source: 'istio/istio security/pkg/pki/util/crypto.go, keycertbundle.go',
});
