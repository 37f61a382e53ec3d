import {defineCheck, notApplicable, ok} from '../check.js';
import {renewFix} from '../fixes.js';

const expected = 'the private key of ca-cert.pem, unencrypted, in a form that istiod reads';

/** ca-key.pem belongs to ca-cert.pem. */
export const keyCheck = defineCheck({
  id: 'MESH104',
  title: 'The cluster CA key matches its certificate',
  severity: 'error',
  scope: 'cluster',
  vantage: 'work directory',
  about: 'cacerts',
  needs: ['caFiles'],
  waitable: false,
  implies: ['MESH301'],
  judge: ({caFiles}, {cluster, mesh}) => {
    const fix = renewFix({cluster, mesh});
    switch (caFiles.key) {
      case 'absent':
        return notApplicable('the key is not in this work directory; only pushing needs it');
      case 'matches':
        return ok('the key of ca-cert.pem', expected);
      case 'different':
        return {findings: [{observed: 'the key of another certificate', expected, fix}]};
      case 'unusable':
        return {findings: [{observed: caFiles.keyProblem ?? 'a key that cannot be read', expected, fix}]};
    }
  },
  explanation: {
    meaning: "ca-key.pem is the private key of ca-cert.pem and has a format that istiod's parser accepts.",
    breaks: 'istiod refuses such a cacerts at start and crash-loops; a running one keeps its old CA until it restarts.',
    byHand:
      'openssl pkey -in "$CLUSTER/ca-key.pem" -pubout | sha256sum\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -pubkey | sha256sum',
    mend: 'Put the right key back, or make a new pair with `kubectl mesh certs generate CLUSTER --renew`.',
    source: 'istio/istio security/pkg/pki/util/crypto.go, keycertbundle.go',
  },
});
