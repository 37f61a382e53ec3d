/**
 * Validates the certificates that an external CA returned for a cluster's request: finds the one for the cluster's key and
 * its chain to the mesh's root, or the reasons for refusing it. Pure.
 */
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {formatFingerprint} from '../keys/keys.js';
import type {Certificate} from '../x509/certificate.js';
import {issued, lowestOf, sameEntity} from '../x509/chain.js';
import {chainFaults, type ChainFaultId, type ChainPurpose} from './chain-faults.js';
import {distinctRoots, isAmong} from './trust-store.js';

/** Why the certificates are refused. Stable: it appears in JSON. */
export type RefusalId =
  | ChainFaultId
  | 'other-key'
  | 'other-cluster'
  | 'key-used-twice'
  | 'self-signed'
  | 'missing-issuer'
  | 'other-root'
  | 'no-root'
  | 'bundle';

/** A reason for refusing the certificates, and how to fix it. */
export interface Refusal {
  readonly id: RefusalId;
  readonly message: string;
  readonly hint: Hint;
}

/** The returned certificates, and what they must match. */
export interface SignedChainFacts extends ChainPurpose {
  readonly cluster: string;
  /** SHA-256 of the expected public keys: the request's first, then the current cluster CA's. */
  readonly keys: readonly string[];
  /** The returned certificates, in any order. */
  readonly certificates: readonly Certificate[];
  /** Certificates of the mesh's other chains, for a CA that returns only the new certificate. */
  readonly known: readonly Certificate[];
  /** The mesh's roots; empty if there is none yet. */
  readonly roots: readonly Certificate[];
  /** The other clusters of the mesh, by the SHA-256 of their public keys. */
  readonly keyOwners: ReadonlyMap<string, string>;
}

/** The result of the validation. */
export type SignedChainResult =
  | {
      readonly kind: 'accepted';
      /** The cluster CA, then the certificates above it, the root last. */
      readonly chain: readonly Certificate[];
      /** Whether the root is among the returned certificates, because the mesh has none yet. */
      readonly newRoot: boolean;
    }
  | {readonly kind: 'refused'; readonly refusals: readonly Refusal[]};

/** Validates the returned certificates. */
export function validateSignedChain(facts: SignedChainFacts): SignedChainResult {
  const {certificates, keys, cluster, roots, known, keyOwners} = facts;
  const matching =
    keys.map((key) => certificates.filter(({spki}) => spki === key)).find(({length}) => length > 0) ?? [];
  const owner = matching[0] && keyOwners.get(matching[0].spki);
  if (owner !== undefined) {
    const hint = advice`create a separate key with: ${kubectlMesh('certs request', words`${cluster} --renew`)}`;
    const reused = refusal('key-used-twice', `${cluster} and ${owner} use the same key`, hint);
    return {kind: 'refused', refusals: [reused]};
  }
  const issuersOf = issuersAmong(distinctRoots([...roots, ...certificates, ...known]));
  // There can be several certificates for one key, such as renewals: prefer a valid one, then the latest expiry.
  const [best] = matching
    .toSorted((one, other) => other.notAfter.getTime() - one.notAfter.getTime())
    .flatMap((certificate) => chainsFrom(certificate, roots, issuersOf))
    .map((chain) => ({chain, refusals: refusalsOf(chain, facts)}))
    .toSorted((one, other) => rank(one, roots) - rank(other, roots));
  if (!best) return {kind: 'refused', refusals: [noMatchingKey(facts)]};
  const {chain, refusals} = best;
  return refusals.length > 0 ? {kind: 'refused', refusals} : {kind: 'accepted', chain, newRoot: roots.length === 0};
}

function refusal(id: RefusalId, message: string, hint: Hint): Refusal {
  return {id, message, hint};
}

type Chain = readonly Certificate[];

/** Ranks chains, lower is better: without refusals, then by how close to a root the chain ends, then by refusals. */
function rank({chain, refusals}: {readonly chain: Chain; readonly refusals: readonly Refusal[]}, roots: Chain): number {
  if (refusals.length === 0) return 0;
  const top = chain.at(-1);
  const endRank = top && isAmong(top, roots) ? 1 : top?.selfSigned ? 2 : 3;
  return endRank * 1000 + refusals.length;
}

/** Deeper than any real CA hierarchy; the cost grows with each level. */
const maxDepth = 32;
/** More chains than this are an attack on this function; the first ones suffice. */
const maxChains = 32;

type IssuersOf = (certificate: Certificate) => Chain;

/** Finds the issuers of a certificate. Memoized: the chains of foreign certificates share most of their links. */
function issuersAmong(pool: Chain): IssuersOf {
  const cache = new Map<string, Chain>();
  return (certificate) => {
    const issuers = cache.get(certificate.fingerprint) ?? pool.filter((one) => issued(one, certificate));
    cache.set(certificate.fingerprint, issuers);
    return issuers;
  };
}

/** Every chain upward from a certificate, each as far as the available certificates allow. */
function chainsFrom(certificate: Certificate, roots: Chain, issuersOf: IssuersOf): readonly Chain[] {
  const chains: Chain[] = [];
  const walk = (chain: Chain, last: Certificate): void => {
    if (chains.length >= maxChains) return;
    const isEnd = isAmong(last, roots) || last.selfSigned || chain.length >= maxDepth;
    const parents = isEnd ? [] : issuersOf(last).filter((one) => !chain.some((link) => sameEntity(link, one)));
    if (parents.length === 0) chains.push(chain);
    for (const parent of parents) walk([...chain, parent], parent);
  };
  walk([certificate], certificate);
  return chains;
}

function refusalsOf(chain: Chain, facts: SignedChainFacts): readonly Refusal[] {
  const faults = chainFaults(chain, facts).map(({id, message}) => refusal(id, message, hints[id](facts)));
  const top = chain.at(-1);
  const end = top && !isAmong(top, facts.roots) ? untrustedEnd(top, chain.length === 1, facts) : undefined;
  return [...(end ? [end] : []), ...faults];
}

/** Why a chain that does not end at a root of the mesh is refused. */
function untrustedEnd(top: Certificate, isSingle: boolean, facts: SignedChainFacts): Refusal | undefined {
  const {roots, cluster} = facts;
  if (!top.selfSigned) return missingIssuer(top, facts);
  if (isSingle) {
    return refusal(
      'self-signed',
      `the certificate of ${cluster} ("${top.subject.text}") is self-signed: no CA signed the request`,
      'send the request to the CA; "openssl req -x509" signs it with its own key',
    );
  }
  if (roots.length === 0) return undefined;
  const sha256 = ({fingerprint}: Certificate): string => `SHA-256 ${formatFingerprint(fingerprint)}`;
  const expected = roots.map((root) => `"${root.subject.text}", ${sha256(root)}`).join('; ');
  return refusal(
    'other-root',
    `the chain ends at "${top.subject.text}" (${sha256(top)}), which is not the mesh's root (${expected})`,
    "have the request signed below the mesh's root; for a root rotation, which affects every workload, see docs/trust.md",
  );
}

function missingIssuer(top: Certificate, {roots, certificates, known}: SignedChainFacts): Refusal {
  const {authorityKeyId} = top.extensions;
  const key = authorityKeyId === undefined ? '' : `, key identifier ${formatFingerprint(authorityKeyId)}`;
  const message = `"${top.subject.text}" was issued by "${top.issuer.text}"${key}, whose certificate is missing`;
  const named = [...roots, ...certificates, ...known].find((one) => one.subject.text === top.issuer.text);
  if (named) {
    const why = named.subject.der.equals(top.issuer.der)
      ? 'its key did not sign this one: it may be an older or newer certificate of that CA'
      : 'its name is encoded differently, and istiod compares the bytes';
    return refusal(
      'missing-issuer',
      `${message}; there is a certificate with that name, but ${why}`,
      'ask the CA for the certificate that issued this one, and add its file to the command',
    );
  }
  if (roots.length > 0) return refusal('missing-issuer', message, 'add the file with that certificate to the command');
  const hint = 'specify the root with --root FILE, and add the files of all intermediate CAs';
  return refusal('no-root', `${message}, and the mesh has no root yet`, hint);
}

/** The refusal if no certificate is for a key of this cluster. */
function noMatchingKey({cluster, certificates, keyOwners, keys}: SignedChainFacts): Refusal {
  const other = certificates.flatMap(({spki}) => keyOwners.get(spki) ?? [])[0];
  if (other !== undefined) {
    return refusal(
      'other-cluster',
      `these certificates are for the request of ${other}, not of ${cluster}`,
      advice`import them with: ${kubectlMesh('certs import', words`${other} FILE...`)}`,
    );
  }
  // The lowest certificate is the new one; those above it are for the CAs' own keys.
  const lowest = lowestOf(certificates) ?? certificates[0];
  const found = lowest ? `: "${lowest.subject.text}" is for another key (${lowest.key.name})` : '';
  return refusal(
    'other-key',
    `no certificate is for the key of ${cluster}${found}`,
    keys.length > 0
      ? `the CA must sign ${cluster}/request/ca.csr unchanged, with its key (certs request --renew replaces that key)`
      : advice`create a request first: ${kubectlMesh('certs request', [cluster])}`,
  );
}

const signAgain = 'have the CA sign the same request again';
const useOtherParent = 'use a parent CA without this restriction';
const withBothUsages = `${signAgain}, with serverAuth and clientAuth or without extended key usage, or ${useOtherParent}`;

/** How to fix each fault of a chain. */
const hints: Readonly<Record<ChainFaultId, (facts: SignedChainFacts) => string>> = {
  expired: () => signAgain,
  'not-yet-valid': () => 'wait, or check the clocks of this machine and of the CA',
  'not-a-ca': () => 'have it signed with a subordinate CA profile: basicConstraints=critical,CA:TRUE,pathlen:0',
  'no-cert-sign': () => 'have it signed with keyUsage=critical,digitalSignature,keyCertSign,cRLSign',
  'path-length': () => 'have it signed by a CA one level higher, or by one with a sufficient path length',
  'no-server-auth': () => withBothUsages,
  'no-client-auth': () => withBothUsages,
  'serving-names': ({servingNames}) =>
    `permit ${servingNames.map((name) => `DNS:${name}`).join(', ')} in that CA, or ${useOtherParent}`,
  'workload-names': ({trustDomain}) => `permit URI:${trustDomain ?? 'cluster.local'} in that CA, or ${useOtherParent}`,
  'subject-names': () => `have it signed with a subject that the name constraints permit, or ${useOtherParent}`,
  'ca-names': () => `have it signed without this name, or ${useOtherParent}`,
  'ca-names-unproven': () => `have it signed without this name, or ${useOtherParent}`,
  'insecure-signature': () => 'have it signed with SHA-256 or better',
  'unknown-signature': () => 'have it signed with SHA-256 or better, using an RSA or ECDSA key',
  'weak-key': () => 'use a key of at least 2048 bits, preferably P-256 or RSA 3072',
  'unsupported-key': () => 'use RSA, ECDSA P-256 or ECDSA P-384',
  'critical-extension': () => `${signAgain} without these extensions`,
  'proxy-extension': () => `${signAgain} without these extensions, or with them not critical`,
  'required-policy': () => `${signAgain} without requireExplicitPolicy, or ${useOtherParent}`,
  'authority-key': () => 'ask the CA for the certificate that issued this one: there is another one with the same name',
};
