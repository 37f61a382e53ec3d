import {workDirCheck, findingsOr, notApplicable, ok, problemFinding} from '../check.js';
import {describeCertificate} from '../describe.js';
import {remedyFor, withRemedy} from '../remedies.js';

/** istiod and every peer accept the cluster CA's chain in the work directory. */
export const chainCheck = workDirCheck({
  id: 'MESH103',
  title: 'The cluster CA chain is valid',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  // A CA that is unreadable or expired also fails the expiry checks; `trust push` refuses it.
  implies: ['MESH108', 'MESH109', 'MESH301'],
  expected: 'a CA certificate that istiod loads and every verifier accepts',
  judge: ({caFiles: {certificate, problems}}, subject) =>
    findingsOr(
      problems.map((one) => withRemedy(problemFinding(one), remedyFor(one.reason, subject))),
      certificate === undefined ? notApplicable('no readable ca-cert.pem') : ok(describeCertificate(certificate)),
    ),
  meaning:
    'ca-cert.pem is a currently valid CA certificate whose chain ends in a root of root-cert.pem. cert-chain.pem starts with ca-cert.pem, followed by its issuers. Its path length and key usage allow it to sign workload certificates.',
  breaks:
    'istiod does not start with a CA that it cannot verify. It does not check the chain order, path length and key usage: errors there break TLS handshakes between workloads later.',
  byHand:
    'openssl verify -x509_strict -CAfile "$CLUSTER/root-cert.pem" -untrusted "$CLUSTER/cert-chain.pem" "$CLUSTER/ca-cert.pem"\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject -issuer -dates -ext basicConstraints,keyUsage',
  fix: 'If only the form of a file is wrong (a byte order mark, UTF-16, lines without a break, a chain in another order), write the same key and certificates again with `kubectl mesh certs rewrite CLUSTER`. Remove expired roots that a rotation left over from the mesh and all clusters with `kubectl mesh certs rewrite --remove-expired-roots`. For a fault in the cluster CA, create a new key and certificate with `kubectl mesh certs generate CLUSTER --renew` where the root key is. For a fault in a CA above it, replace that CA. Then push the files.',
  source:
    'istio/istio security/pkg/pki/util/keycertbundle.go (Verify), security/pkg/pki/ca/ca.go; RFC 5280 4.2.1.9, 6.1',
});
