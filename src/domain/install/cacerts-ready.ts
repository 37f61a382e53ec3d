import {type ErrorReport, MeshError, problem} from '../errors.js';
import type {CaFiles} from '../ca/ca-files.js';
import {sha256Hex} from '../keys/keys.js';
import {parsePem} from '../asn1/pem.js';
import type {CacertsSecret} from '../trust/cacerts.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';

/** The public half of a cluster's CA. */
export type CaCertificates = Pick<CaFiles, 'caCert' | 'rootCert' | 'certChain'>;

/** What is compared, as messages call it. Roots are a set to istiod, the chain is a sequence. */
const parts = [
  {key: 'caCert', name: 'ca-cert.pem', ordered: true},
  {key: 'rootCert', name: 'root-cert.pem', ordered: false},
  {key: 'certChain', name: 'cert-chain.pem', ordered: true},
] as const;

/**
 * Why istiod must not be installed yet: it takes its CA from Secret `cacerts` when it starts, and makes one of its own
 * when there is none (istio/istio pilot/pkg/bootstrap/istio_ca.go), which is a second root in the mesh. Undefined when
 * the secret holds the certificates of the work directory.
 */
export function refuseCacerts(
  cluster: string,
  namespace: string,
  workDirectory: CaCertificates,
  secret: CacertsSecret | 'absent',
): ErrorReport | undefined {
  const what = `Secret ${namespace}/cacerts of ${cluster}`;
  const refuse = (message: string, ...before: readonly Hint[]): ErrorReport =>
    problem('NO_CACERTS', message, ...before, advice`${kubectlMesh('trust push', [cluster])}`);
  const missing = parts.find(({key}) => workDirectory[key] === undefined);
  if (missing) {
    const generate = advice`${kubectlMesh('certs generate', [cluster])}`;
    return refuse(`${cluster} has no CA yet: ${cluster}/${missing.name} is missing`, generate);
  }
  if (secret === 'absent') {
    return refuse(`${cluster} has no Secret ${namespace}/cacerts: istiod would make a root of its own`);
  }
  // Before 1.26.1 that alone decides between the Secret and a CA of istiod's own (pilot/pkg/bootstrap/istio_ca.go).
  if (!secret.hasKey) return refuse(`${what} holds no CA key: istiod would make a root of its own, or not start`);
  const different = parts
    .filter(({key, ordered}) => identity(workDirectory[key], ordered) !== identity(secret.files[key], ordered))
    .map(({name}) => name);
  if (different.length === 0) return undefined;
  const diff = advice`${kubectlMesh('trust diff', [cluster])}`;
  return refuse(`${what} is not what the work directory holds: ${different.join(', ')}`, diff);
}

/** The same where somebody else fills the Secret: it must be there and complete, whatever CA it holds. */
export function refuseForeignCacerts(
  cluster: string,
  namespace: string,
  secret: CacertsSecret | 'absent',
): ErrorReport | undefined {
  const refuse = (message: string): ErrorReport =>
    problem(
      'NO_CACERTS',
      `Secret ${namespace}/cacerts of ${cluster} is ${message}`,
      advice`${kubectlMesh('certs request', words`${cluster} --cert-manager --issuer ISSUER`)} prints the Certificate that makes it`,
    );
  if (secret === 'absent') return refuse('not there yet: istiod would make a root of its own');
  const missing = [
    ...parts.filter(({key}) => (secret.files[key] ?? '').trim() === '').map(({name}) => name),
    ...(secret.hasKey ? [] : ['the CA key']),
  ];
  return missing.length === 0 ? undefined : refuse(`not complete yet: ${missing.join(', ')} missing`);
}

/** The certificates of a text by fingerprint; a text that cannot be read is like no other. */
function identity(text: string | undefined, ordered: boolean): string {
  if (text === undefined) return 'missing';
  try {
    const prints = parsePem(text, 'PEM').blocks.map(({bytes}) => sha256Hex(bytes));
    return (ordered ? prints : [...new Set(prints)].sort()).join(' ');
  } catch (thrown) {
    if (thrown instanceof MeshError) return `unreadable ${text}`;
    throw thrown;
  }
}
