import {type ErrorReport, MeshError, problem} from '../errors.js';
import type {CaFiles} from '../ca/ca-files.js';
import {publishedKeyProblem} from '../ca/istiod-rules.js';
import {sha256Hex} from '../keys/keys.js';
import {describeSource, isMentioned, type IstiodCaSource, readsCacerts} from '../istio/ca-source.js';
import {parsePem} from '../asn1/pem.js';
import type {CacertsSecret} from '../trust/cacerts.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';

/** The public half of a cluster's CA. */
export type CaCertificates = Pick<CaFiles, 'caCert' | 'rootCert' | 'certChain'>;

/** A cluster that is to be installed, and what it has. */
export interface CaToInstall {
  readonly cluster: string;
  readonly namespace: string;
  /** The work directory's certificates; `foreign`: another tool fills the Secret, and any complete CA is accepted. */
  readonly wanted: CaCertificates | 'foreign';
  readonly cacerts: CacertsSecret | 'absent';
  /** The Secret that a running istiod mounts. */
  readonly mountedCa: CacertsSecret | 'absent';
  /** Where a running istiod reads its CA. */
  readonly running: IstiodCaSource | undefined;
  readonly installYaml: string;
}

/** Returns why istiod must not be installed yet: it would sign with another CA, or with a self-signed one. */
export function refuseCa(install: CaToInstall): ErrorReport | undefined {
  const {cluster, namespace, wanted, cacerts, mountedCa, running, installYaml} = install;
  const other = running && !readsCacerts(running) ? running : undefined;
  const isKept = other !== undefined && isMentioned(other.source, installYaml);
  // What another volume than a Secret holds cannot be read.
  if (isKept && other.source.from === 'volume') return undefined;
  if (other && !isKept) {
    const refusal = refuseOtherCa(cluster, other, mountedCa, cacerts);
    if (refusal) return refusal;
  }
  const secret = isKept ? mountedCa : cacerts;
  return wanted === 'foreign'
    ? refuseForeignCacerts(cluster, namespace, secret)
    : refuseCacerts(cluster, namespace, wanted, secret);
}

/** The compared parts, with their names in messages. istiod treats the roots as a set and the chain as a sequence. */
const parts = [
  {key: 'caCert', name: 'ca-cert.pem', ordered: true},
  {key: 'rootCert', name: 'root-cert.pem', ordered: false},
  {key: 'certChain', name: 'cert-chain.pem', ordered: true},
] as const;

/**
 * Returns why istiod must not be installed yet, or undefined if the Secret contains the work directory's certificates.
 * istiod reads its CA from Secret `cacerts` when it starts, and without it creates a self-signed CA (istio/istio
 * pilot/pkg/bootstrap/istio_ca.go), which is a second root in the mesh.
 */
function refuseCacerts(
  cluster: string,
  namespace: string,
  workDirectory: CaCertificates,
  secret: CacertsSecret | 'absent',
): ErrorReport | undefined {
  const what = `Secret ${namespace}/cacerts of ${cluster}`;
  const refuse = (message: string, ...before: readonly Hint[]): ErrorReport =>
    problem('NO_CACERTS', message, ...before, advice`push the CA with: ${kubectlMesh('trust push', [cluster])}`);
  const missing = parts.find(({key}) => workDirectory[key] === undefined);
  if (missing) {
    const generate = advice`issue it with: ${kubectlMesh('certs generate', [cluster])}`;
    return refuse(`cluster ${cluster} has no CA yet: ${cluster}/${missing.name} not found`, generate);
  }
  if (secret === 'absent') {
    return refuse(`${what} not found: istiod would create a self-signed root`);
  }
  // Before 1.26.1 only the key decides whether istiod uses the Secret or a self-signed CA (pilot/pkg/bootstrap/istio_ca.go).
  if (!secret.hasKey) return refuse(`${what} has no CA key: istiod would create a self-signed root or fail to start`);
  const published = refusePublishedKey(what, secret);
  if (published) return published;
  const different = parts
    .filter(({key, ordered}) => identity(workDirectory[key], ordered) !== identity(secret.files[key], ordered))
    .map(({name}) => name);
  if (different.length === 0) return undefined;
  const diff = advice`compare them with: ${kubectlMesh('trust diff', [cluster])}`;
  return refuse(`${what} differs from the work directory: ${different.join(', ')}`, diff);
}

/**
 * Returns why applying install.yaml would give a running istiod another CA: the istiod reads it from another source, and the
 * document mounts Secret cacerts. The CA of an istiod that reads a directory without a volume is self-signed; to correct its
 * installation is the way to Secret cacerts.
 */
function refuseOtherCa(
  cluster: string,
  {istiod, source}: IstiodCaSource,
  mounted: CacertsSecret | 'absent',
  cacerts: CacertsSecret | 'absent',
): ErrorReport | undefined {
  if (source.from === 'nothing') return undefined;
  const [running, wanted] = [mounted, cacerts].map((secret) =>
    secret === 'absent' ? undefined : secret.inspection.certificate?.fingerprint,
  );
  if (running !== undefined && running === wanted) return undefined;
  const [held, change] =
    source.from === 'secret'
      ? [
          'holds another CA',
          advice`to change to Secret cacerts, write the CA there first: ${kubectlMesh('trust push', words`${cluster} --allow-unmounted`)}`,
        ]
      : [
          'may hold another CA',
          `to change to Secret cacerts, write the CA there, then mount it in Deployment ${istiod} with the tool that installed it`,
        ];
  return problem(
    'CACERTS_NOT_MOUNTED',
    `${istiod} of ${cluster} reads its CA from ${describeSource(source)}; install.yaml would make it read Secret cacerts, which ${held}`,
    'to keep it, mount it with an overlay in mesh.yaml (overlays)',
    change,
  );
}

/** istiod would publish a private key in the Secret's public files to every namespace. */
function refusePublishedKey(what: string, {files, misplacedKeys}: CacertsSecret): ErrorReport | undefined {
  const published = publishedKeyProblem(files);
  if (published === undefined && misplacedKeys.length === 0) return undefined;
  const message = published ?? `there are private keys besides the CA key in ${misplacedKeys.join(', ')}`;
  return problem(
    'PRIVATE_KEY_PUBLISHED',
    `${what}: ${message}`,
    'replace the key, and the Secret; if it is the key of the root, replace the root',
  );
}

/** Returns why istiod must not be installed yet if another tool fills the Secret, which must be complete; any CA is accepted. */
function refuseForeignCacerts(
  cluster: string,
  namespace: string,
  secret: CacertsSecret | 'absent',
): ErrorReport | undefined {
  const refuse = (message: string): ErrorReport =>
    problem(
      'NO_CACERTS',
      `Secret ${namespace}/cacerts of ${cluster} ${message}`,
      advice`print the Certificate that creates it with: ${kubectlMesh('certs request', words`${cluster} --cert-manager --issuer ISSUER`)}`,
    );
  if (secret === 'absent') return refuse('does not exist yet: istiod would create a self-signed root');
  const missing = [
    ...parts.filter(({key}) => (secret.files[key] ?? '').trim() === '').map(({name}) => name),
    ...(secret.hasKey ? [] : ['the CA key']),
  ];
  if (missing.length > 0) return refuse(`is not complete yet: ${missing.join(', ')} missing`);
  return refusePublishedKey(`Secret ${namespace}/cacerts of ${cluster}`, secret);
}

/** Returns the fingerprints of the certificates in a text. An unreadable text equals only itself. */
function identity(text: string | undefined, ordered: boolean): string {
  if (text === undefined) return 'missing';
  try {
    const fingerprints = parsePem(text, 'PEM').blocks.map(({bytes}) => sha256Hex(bytes));
    return (ordered ? fingerprints : [...new Set(fingerprints)].sort()).join(' ');
  } catch (thrown) {
    if (thrown instanceof MeshError) return `unreadable ${text}`;
    throw thrown;
  }
}
