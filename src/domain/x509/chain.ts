/**
 * Certificate chains: writes cert-chain.pem, and verifies chains like istiod, with Go's `x509.Certificate.Verify` and its
 * default extended key usage serverAuth (istio/istio security/pkg/pki/util/keycertbundle.go, Verify; golang/go
 * src/crypto/x509/verify.go). Signatures are checked by node:crypto.
 */
import {defined} from '../defined.js';
import {formatMinute} from '../format.js';
import {goSupportOf} from './algorithms.js';
import type {Certificate} from './certificate.js';
import {unsupportedByIstiod} from './critical-extensions.js';
import {firstForbiddenName} from './name-constraints.js';

/**
 * The text of cert-chain.pem: the cluster CA, then any intermediates upward, the root last. istiod sends it to workloads
 * after their leaf certificate in exactly this order (istio/istio security/pkg/server/ca/server.go).
 */
export function chainPem(upward: readonly Certificate[]): string {
  return upward.map((certificate) => certificate.pem).join('');
}

/** Why a certificate does not verify. */
export type ChainFailure =
  | 'unknown-authority'
  | 'expired'
  | 'not-yet-valid'
  | 'incompatible-usage'
  | 'path-length'
  | 'not-a-ca'
  | 'name-constraints'
  | 'unhandled-extension'
  | 'insecure-algorithm';

/** A chain from the certificate to a root, or why there is no valid one. */
export type ChainResult = {readonly chain: readonly Certificate[]} | Failure;

/** The certificates from which to build a chain, and the time of verification. */
export interface ChainOptions {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly now: Date;
  /** Whether istiod is built with Go 1.24 or later, which validates policies; default: true. */
  readonly hasPolicyValidation?: boolean;
}

interface Failure {
  readonly failure: ChainFailure;
  readonly message: string;
  /** The certificate at fault; absent: the chain as a whole. */
  readonly certificate?: Certificate;
}

/** Go's limit on signature checks (verify.go, maxChainSignatureChecks). */
const maxSignatureChecks = 100;

/** Verifies a certificate like istiod. Reports the first failure with a matching issuer. */
export function verifyChain(certificate: Certificate, options: ChainOptions): ChainResult {
  const invalid = invalidity(certificate, 'leaf', [], options);
  if (invalid) return invalid;
  const isRoot = options.roots.some((root) => root.fingerprint === certificate.fingerprint);
  const search = new Search(options);
  const chains = isRoot ? [[certificate]] : search.from([certificate]);
  if (chains.length === 0) {
    return search.failure ?? failed('unknown-authority', unknownAuthority(certificate, options));
  }
  const usable = chains.find((chain) => allowsUsage(chain, 'serverAuth'));
  if (usable) return {chain: usable};
  return failed('incompatible-usage', 'the extended key usage of a certificate in the chain lacks serverAuth');
}

/** istiod compares the bytes of names (Go verify.go, findPotentialParents); openssl also compares their texts. */
function unknownAuthority({subject, issuer}: Certificate, {roots, intermediates}: ChainOptions): string {
  const named = [...roots, ...intermediates].filter((one) => one.subject.text === issuer.text);
  const isOnlyText = named.length > 0 && named.every((one) => !one.subject.der.equals(issuer.der));
  return isOnlyText
    ? `the issuer's name in "${subject.text}" ("${issuer.text}") is encoded differently from the name in the issuer's own certificate, and istiod compares the bytes`
    : `"${subject.text}" is not signed by any of these roots (issuer: "${issuer.text}")`;
}

function failed(failure: ChainFailure, message: string, certificate?: Certificate): Failure {
  return defined({failure, message, certificate});
}

/** A depth-first search for chains, which records the first reason for rejecting a matching issuer. */
class Search {
  failure: Failure | undefined;
  #checks = 0;

  constructor(private readonly options: ChainOptions) {}

  from(chain: readonly Certificate[]): Certificate[][] {
    const {roots, intermediates} = this.options;
    const child = chain.at(-1);
    if (!child) return [];
    const issues = (parent: Certificate): boolean =>
      parent.subject.der.equals(child.issuer.der) && !chain.some((link) => sameEntity(link, parent));
    return [
      ...roots.filter(issues).flatMap((root) => (this.#accepts(root, 'root', chain) ? [[...chain, root]] : [])),
      ...intermediates
        .filter(issues)
        .flatMap((parent) => (this.#accepts(parent, 'intermediate', chain) ? this.from([...chain, parent]) : [])),
    ];
  }

  #accepts(parent: Certificate, role: 'root' | 'intermediate', chain: readonly Certificate[]): boolean {
    const child = chain.at(-1);
    this.#checks += 1;
    if (!child || this.#checks > maxSignatureChecks) return false;
    const problem = notSignedBy(child, parent) ?? invalidity(parent, role, chain, this.options);
    if (problem) this.failure ??= problem;
    return problem === undefined;
  }
}

/** Whether two certificates have the same subject and key. Go does not accept both in one chain. */
export function sameEntity(one: Certificate, other: Certificate): boolean {
  return one.subject.der.equals(other.subject.der) && one.spki === other.spki;
}

/** Go 1.24 and later refuse signatures by smaller RSA keys (crypto/rsa, rsa1024min). */
const minRsaBits = 1024;

/** Go's CheckSignatureFrom: whether the parent may sign certificates, and signed this one. */
function notSignedBy(child: Certificate, parent: Certificate): Failure | undefined {
  const {basicConstraints, keyUsage} = parent.extensions;
  const name = `"${parent.subject.text}"`;
  if ((parent.version === 3 && !basicConstraints) || basicConstraints?.ca === false) {
    return failed('not-a-ca', `${name} is not a CA`, parent);
  }
  if (keyUsage && keyUsage.usages.length > 0 && !keyUsage.usages.includes('keyCertSign')) {
    return failed('not-a-ca', `the key usage of ${name} does not allow signing certificates`, parent);
  }
  const support = goSupportOf(child.signatureAlgorithm);
  if (support !== 'secure') {
    const verdict = support === 'insecure' ? 'refuses' : 'does not support';
    const message = `"${child.subject.text}" is signed with ${child.signatureAlgorithm}, which istiod ${verdict}`;
    return failed('insecure-algorithm', message, child);
  }
  if (parent.key.bits !== undefined && parent.key.bits < minRsaBits) {
    return failed('insecure-algorithm', `the key of ${name} is ${parent.key.name}, which istiod refuses`, parent);
  }
  if (!child.signedBy(parent.publicKey)) {
    const message = `"${child.subject.text}" names ${name} as its issuer, but is not signed with that issuer's key`;
    return failed('unknown-authority', message, child);
  }
  return undefined;
}

/** Go's isValid: why a certificate is invalid at its position in a chain. `below` is the chain so far, leaf first. */
function invalidity(
  certificate: Certificate,
  role: 'leaf' | 'intermediate' | 'root',
  below: readonly Certificate[],
  {now, hasPolicyValidation}: ChainOptions,
): Failure | undefined {
  const {extensions} = certificate;
  const name = `"${certificate.subject.text}"`;
  const unsupported = unsupportedByIstiod(extensions, hasPolicyValidation);
  if (unsupported.length > 0) {
    const ids = unsupported.join(', ');
    return failed(
      'unhandled-extension',
      `${name} has critical extensions that istiod does not support: ${ids}`,
      certificate,
    );
  }
  if (now < certificate.notBefore) {
    return failed('not-yet-valid', `${name} is not valid before ${formatMinute(certificate.notBefore)}`, certificate);
  }
  if (now > certificate.notAfter) {
    return failed('expired', `${name} expired on ${formatMinute(certificate.notAfter)}`, certificate);
  }
  if (role === 'leaf') return undefined;
  const constraints = extensions.nameConstraints;
  if (constraints) {
    const names = below.flatMap((link) => link.extensions.subjectAltNames ?? []);
    const forbidden = firstForbiddenName(constraints, names);
    if (forbidden)
      return failed('name-constraints', `the name constraints of ${name} forbid ${forbidden.value}`, certificate);
  }
  if (role === 'intermediate' && extensions.basicConstraints?.ca !== true) {
    return failed('not-a-ca', `${name} is not a CA`, certificate);
  }
  if (!exceedsPathLength(certificate, below.length - 1)) return undefined;
  const allowed = String(extensions.basicConstraints?.pathLength);
  return failed('path-length', `the chain exceeds the path length of ${name} (pathlen:${allowed})`, certificate);
}

/** Whether this number of CA certificates between a CA and the leaf exceeds the CA's path length. */
export function exceedsPathLength(certificate: Certificate, intermediates: number): boolean {
  const limit = certificate.extensions.basicConstraints?.pathLength;
  return limit !== undefined && intermediates > limit;
}

/** Whether every certificate of a chain allows an extended key usage; one without the extension allows all. */
function allowsUsage(chain: readonly Certificate[], usage: 'serverAuth' | 'clientAuth'): boolean {
  return chain.every(({extensions: {extendedKeyUsage}}) => {
    if (!extendedKeyUsage || extendedKeyUsage.length === 0) return true;
    return extendedKeyUsage.includes(usage) || extendedKeyUsage.includes('any');
  });
}

/** The same for proxies: unlike Go, OpenSSL and BoringSSL (xku_reject in v3_purp) ignore anyExtendedKeyUsage. */
export function proxiesAllowUsage(chain: readonly Certificate[], usage: 'serverAuth' | 'clientAuth'): boolean {
  return chain.every(
    ({extensions: {extendedKeyUsage = []}}) => extendedKeyUsage.length === 0 || extendedKeyUsage.includes(usage),
  );
}

/** Whether `parent` has the name of the child's issuer, and its key signed the child. */
export function issued(parent: Certificate, child: Certificate): boolean {
  return parent.subject.der.equals(child.issuer.der) && child.signedBy(parent.publicKey);
}

/** The first certificate of a set that is not self-signed and issued none of the others. */
export function lowestOf(certificates: readonly Certificate[]): Certificate | undefined {
  return certificates.find(
    (one) => !one.selfSigned && !certificates.some((other) => other !== one && issued(one, other)),
  );
}

/** The chain from `certificate` upward, as far as the candidates allow, the root last. */
export function orderUpward(certificate: Certificate, candidates: readonly Certificate[]): readonly Certificate[] {
  const chain = [certificate];
  for (;;) {
    const last = chain.at(-1);
    if (!last || last.selfSigned) return chain;
    const parent = candidates.find((one) => issued(one, last) && !chain.includes(one));
    if (!parent) return chain;
    chain.push(parent);
  }
}
