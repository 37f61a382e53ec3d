import {workDirCheck, findingsOr, notApplicable, ok} from '../check.js';
import {describeCertificate} from '../describe.js';
import {renewFix} from '../fixes.js';

/** The chain in the work directory is one that istiod and its peers accept. */
export const chainCheck = workDirCheck({
  id: 'MESH103',
  title: 'The cluster CA chain is valid',
  about: 'cacerts',
  needs: ['caFiles'],
  // A CA that cannot be read or has expired has no time left; a push refuses such a CA.
  implies: ['MESH108', 'MESH109', 'MESH301'],
  expected: 'a CA certificate that istiod loads and every verifier accepts',
  judge: ({caFiles: {certificate, problems}}, subject) =>
    findingsOr(
      problems.map(({severity, message}) => ({severity, observed: message, fix: renewFix(subject)})),
      certificate === undefined
        ? notApplicable('there is no ca-cert.pem that can be read')
        : ok(describeCertificate(certificate)),
    ),
  meaning:
    "ca-cert.pem is a CA certificate, valid now, whose chain ends in a root of root-cert.pem; cert-chain.pem has it first and its issuers after it; path length and key usage allow it to sign the workloads' certificates.",
  breaks:
    'istiod does not start with a CA it cannot verify. What istiod does not look at (order of the chain, path length, key usage) breaks the handshakes of workloads later.',
  byHand:
    'openssl verify -x509_strict -CAfile "$CLUSTER/root-cert.pem" -untrusted "$CLUSTER/cert-chain.pem" "$CLUSTER/ca-cert.pem"\nopenssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject -issuer -dates -ext basicConstraints,keyUsage',
  mend: '`kubectl mesh certs generate CLUSTER --renew` makes a new key and certificate under the same root; push it afterwards.',
  source:
    'istio/istio security/pkg/pki/util/keycertbundle.go (Verify), security/pkg/pki/ca/ca.go; RFC 5280 4.2.1.9, 6.1',
});
