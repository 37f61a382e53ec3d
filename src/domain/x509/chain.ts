/**
 * Chains: writing cert-chain.pem, and verifying the way istiod does, which is Go's `x509.Certificate.Verify` with the
 * default extended key usage serverAuth (istio/istio security/pkg/pki/util/keycertbundle.go, Verify; golang/go
 * src/crypto/x509/verify.go). Signatures are checked by node:crypto.
 */
import {formatMinute} from '../format.js';
import {algorithmInGo} from './algorithms.js';
import type {Certificate} from './certificate.js';
import {firstForbiddenName} from './name-constraints.js';

/**
 * The text of cert-chain.pem: the cluster CA, further intermediates upward, the root last. istiod sends it to workloads
 * behind their leaf in exactly this order (istio/istio security/pkg/server/ca/server.go).
 */
export function chainPem(upward: readonly Certificate[]): string {
  return upward.map((certificate) => certificate.pem).join('');
}

/** Why no chain was found. */
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

/** A chain from the certificate to a root, or why there is none. */
export type ChainResult = {readonly chain: readonly Certificate[]} | Failure;

/** What a chain may be built from. */
export interface ChainOptions {
  readonly roots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly now: Date;
}

interface Failure {
  readonly failure: ChainFailure;
  readonly message: string;
}

/** Go gives up after this many signature checks (verify.go, maxChainSignatureChecks). */
const maxSignatureChecks = 100;

/** Verifies a certificate as istiod would. The failure of the most promising path is reported. */
export function verifyChain(certificate: Certificate, options: ChainOptions): ChainResult {
  const own = invalidity(certificate, 'leaf', [], options.now);
  if (own) return own;
  const isRoot = options.roots.some((root) => root.fingerprint === certificate.fingerprint);
  const search = new Search(options);
  const chains = isRoot ? [[certificate]] : search.from([certificate]);
  if (chains.length === 0) {
    const names = `"${certificate.subject.text}" is not signed by any of these roots (issuer: "${certificate.issuer.text}")`;
    return search.failure ?? fail('unknown-authority', names);
  }
  const usable = chains.find((chain) => allowsUsage(chain, 'serverAuth'));
  if (usable) return {chain: usable};
  return fail('incompatible-usage', 'a certificate in the chain has an extended key usage list without serverAuth');
}

function fail(failure: ChainFailure, message: string): Failure {
  return {failure, message};
}

/** One depth-first search for chains; remembers the first reason why a matching issuer did not do. */
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
    const problem = notSignedBy(child, parent) ?? invalidity(parent, role, chain, this.options.now);
    if (problem) this.failure ??= problem;
    return problem === undefined;
  }
}

/** Go: the same subject and key is the same entity, and must not appear twice in a chain. */
export function sameEntity(one: Certificate, other: Certificate): boolean {
  return one.subject.der.equals(other.subject.der) && one.spki === other.spki;
}

/** Go's CheckSignatureFrom: may the parent sign certificates, and did it sign this one. */
function notSignedBy(child: Certificate, parent: Certificate): Failure | undefined {
  const {basicConstraints, keyUsage} = parent.extensions;
  const name = `"${parent.subject.text}"`;
  if ((parent.version === 3 && !basicConstraints) || basicConstraints?.ca === false) {
    return fail('not-a-ca', `${name} is not a CA`);
  }
  if (keyUsage && keyUsage.usages.length > 0 && !keyUsage.usages.includes('keyCertSign')) {
    return fail('not-a-ca', `the key usage of ${name} does not allow signing certificates`);
  }
  const inGo = algorithmInGo(child.signatureAlgorithm);
  if (inGo !== 'secure') {
    const verdict = inGo === 'insecure' ? 'refuses' : 'does not know';
    const message = `"${child.subject.text}" is signed with ${child.signatureAlgorithm}, which istiod ${verdict}`;
    return fail('insecure-algorithm', message);
  }
  if (!child.signedBy(parent.publicKey)) {
    const message = `"${child.subject.text}" names ${name} as its issuer, but that key did not sign it`;
    return fail('unknown-authority', message);
  }
  return undefined;
}

/** Go's isValid: what is wrong with a certificate in its place of a chain. `below` is the chain so far, leaf first. */
function invalidity(
  certificate: Certificate,
  role: 'leaf' | 'intermediate' | 'root',
  below: readonly Certificate[],
  now: Date,
): Failure | undefined {
  const {extensions} = certificate;
  const name = `"${certificate.subject.text}"`;
  if (extensions.unhandledCritical.length > 0) {
    const ids = extensions.unhandledCritical.join(', ');
    return fail('unhandled-extension', `${name} has critical extensions istiod does not know: ${ids}`);
  }
  if (now < certificate.notBefore) {
    return fail('not-yet-valid', `${name} is not valid before ${formatMinute(certificate.notBefore)}`);
  }
  if (now > certificate.notAfter) {
    return fail('expired', `${name} expired on ${formatMinute(certificate.notAfter)}`);
  }
  if (role === 'leaf') return undefined;
  const constraints = extensions.nameConstraints;
  if (constraints) {
    const names = below.flatMap((link) => link.extensions.subjectAltNames ?? []);
    const forbidden = firstForbiddenName(constraints, names);
    if (forbidden) return fail('name-constraints', `the name constraints of ${name} forbid ${forbidden.value}`);
  }
  if (role === 'intermediate' && extensions.basicConstraints?.ca !== true) {
    return fail('not-a-ca', `${name} is not a CA`);
  }
  if (!exceedsPathLength(certificate, below.length - 1)) return undefined;
  const allowed = String(extensions.basicConstraints?.pathLength);
  return fail('path-length', `${name} allows only ${allowed} CAs below it (pathlen:${allowed})`);
}

/** Whether so many CA certificates between this one and the leaf are too many for its path length. */
export function exceedsPathLength(certificate: Certificate, intermediates: number): boolean {
  const limit = certificate.extensions.basicConstraints?.pathLength;
  return limit !== undefined && intermediates > limit;
}

/** Whether every certificate of a chain that restricts its extended key usage allows this one. */
function allowsUsage(chain: readonly Certificate[], usage: 'serverAuth' | 'clientAuth'): boolean {
  return chain.every(({extensions: {extendedKeyUsage}}) => {
    if (!extendedKeyUsage || extendedKeyUsage.length === 0) return true;
    return extendedKeyUsage.includes(usage) || extendedKeyUsage.includes('any');
  });
}

/** The same of proxies: OpenSSL and BoringSSL (xku_reject in v3_purp) do not take anyExtendedKeyUsage for a usage, Go does. */
export function namesUsage(chain: readonly Certificate[], usage: 'serverAuth' | 'clientAuth'): boolean {
  return chain.every(
    ({extensions: {extendedKeyUsage = []}}) => extendedKeyUsage.length === 0 || extendedKeyUsage.includes(usage),
  );
}

/** Whether the name and the key of one certificate are those of another one's issuer. */
export function issued(parent: Certificate, child: Certificate): boolean {
  return parent.subject.der.equals(child.issuer.der) && child.signedBy(parent.publicKey);
}

/** The first certificate of a set that issued none of the others; undefined where all are self-signed. */
export function lowestOf(certificates: readonly Certificate[]): Certificate | undefined {
  return certificates.find(
    (one) => !one.selfSigned && !certificates.some((other) => other !== one && issued(one, other)),
  );
}

/** The certificates of a set that stand between `certificate` and its root, in order upward, with the root last. */
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
