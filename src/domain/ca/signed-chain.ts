/**
 * What a CA returned for a cluster's request: which of its certificates is the answer, how it stands below the mesh's root,
 * and why it does not do. Pure.
 */
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import {formatFingerprint} from '../keys/keys.js';
import type {Certificate} from '../x509/certificate.js';
import {issued, lowestOf, sameEntity} from '../x509/chain.js';
import {chainFaults, type ChainFaultId, type ChainPurpose} from './chain-faults.js';
import {distinctRoots, isAmong} from './trust-store.js';

/** Why an answer is refused. Stable: stands in JSON. */
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

/** One reason against an answer, and what to do about it. */
export interface Refusal {
  readonly id: RefusalId;
  readonly message: string;
  readonly hint: Hint;
}

/** What came, and what it must fit. */
export interface SignedChainFacts extends ChainPurpose {
  readonly cluster: string;
  /** SHA-256 of the public keys that wait for a certificate: the request's first, then the cluster CA's own. */
  readonly keys: readonly string[];
  /** Every certificate that was handed in, in whatever order. */
  readonly certificates: readonly Certificate[];
  /** Certificates of the mesh's other chains, for a CA that returns its own certificate alone. */
  readonly known: readonly Certificate[];
  /** The mesh's roots; empty where there is none yet. */
  readonly roots: readonly Certificate[];
  /** Which other cluster of the mesh a public key belongs to. */
  readonly others: ReadonlyMap<string, string>;
}

/** The verdict. */
export type SignedChainResult =
  | {
      readonly kind: 'accepted';
      /** The cluster CA, then what stands above it; the root last. */
      readonly chain: readonly Certificate[];
      /** The root came with the answer: the mesh had none. */
      readonly newRoot: boolean;
    }
  | {readonly kind: 'refused'; readonly refusals: readonly Refusal[]};

/** Judges. */
export function validateSignedChain(facts: SignedChainFacts): SignedChainResult {
  const {certificates, keys, cluster, roots, known, others} = facts;
  const own = keys.map((key) => certificates.filter(({spki}) => spki === key)).find(({length}) => length > 0) ?? [];
  const keyOwner = own[0] && others.get(own[0].spki);
  if (keyOwner !== undefined) {
    const hint = advice`each cluster has a key of its own: ${kubectlMesh('certs request', words`${cluster} --renew`)}`;
    const reused = refusal('key-used-twice', `the key of ${cluster} is the key of ${keyOwner}, too`, hint);
    return {kind: 'refused', refusals: [reused]};
  }
  const issuersOf = issuersAmong(distinctRoots([...roots, ...certificates, ...known]));
  // Renewals and old certificates of one key may come together: the one that lasts longest of those that do.
  const [best] = own
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

/** Lower is better: nothing against it; else as near to the root as it gets, with as little against it. */
function rank({chain, refusals}: {readonly chain: Chain; readonly refusals: readonly Refusal[]}, roots: Chain): number {
  if (refusals.length === 0) return 0;
  const top = chain.at(-1);
  const ends = top && isAmong(top, roots) ? 1 : top?.selfSigned ? 2 : 3;
  return ends * 1000 + refusals.length;
}

/** Deeper than any hierarchy of CAs; each level costs those below it again. */
const maxDepth = 32;
/** More chains than this mean certificates that were made to be many; the first ones are as good as any. */
const maxChains = 32;

type IssuersOf = (certificate: Certificate) => Chain;

/** Who issued a certificate, looked for once each: chains through foreign certificates share most of their links. */
function issuersAmong(pool: Chain): IssuersOf {
  const found = new Map<string, Chain>();
  return (certificate) => {
    const issuers = found.get(certificate.fingerprint) ?? pool.filter((one) => issued(one, certificate));
    found.set(certificate.fingerprint, issuers);
    return issuers;
  };
}

/** Every chain upward that the certificates at hand allow, each as far as it goes. Throws nothing. */
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

/** What is wrong with a chain that ends at no root of the mesh. */
function untrustedEnd(top: Certificate, isAlone: boolean, facts: SignedChainFacts): Refusal | undefined {
  const {roots, cluster} = facts;
  if (!top.selfSigned) return missingIssuer(top, facts);
  if (isAlone) {
    return refusal(
      'self-signed',
      `the certificate of ${cluster} ("${top.subject.text}") is self-signed: no CA has signed the request`,
      'hand the request to the CA; "openssl req -x509" signs it with its own key',
    );
  }
  if (roots.length === 0) return undefined;
  const sha256 = ({fingerprint}: Certificate): string => `SHA-256 ${formatFingerprint(fingerprint)}`;
  const wanted = roots.map((root) => `"${root.subject.text}", ${sha256(root)}`).join('; ');
  return refusal(
    'other-root',
    `the chain ends at "${top.subject.text}" (${sha256(top)}), which is not the mesh's root (${wanted})`,
    "have the request signed below the mesh's root; another root is a change of root for every workload: see docs/trust.md",
  );
}

function missingIssuer(top: Certificate, {roots, certificates, known}: SignedChainFacts): Refusal {
  const {authorityKeyId} = top.extensions;
  const key = authorityKeyId === undefined ? '' : `, key identifier ${formatFingerprint(authorityKeyId)}`;
  const message = `"${top.subject.text}" was issued by "${top.issuer.text}"${key}, whose certificate is missing`;
  const named = [...roots, ...certificates, ...known].find((one) => one.subject.text === top.issuer.text);
  if (named) {
    const why = named.subject.der.equals(top.issuer.der)
      ? 'another key signed it: perhaps an older or newer certificate of that CA'
      : 'its name is encoded in another way, and istiod compares the bytes';
    return refusal(
      'missing-issuer',
      `${message}; a certificate of that name is there, but ${why}`,
      'ask the CA for the certificate that issued this one, and name its file, too',
    );
  }
  if (roots.length > 0) return refusal('missing-issuer', message, 'name the file with that certificate, too');
  const hint = 'name the root with --root FILE, and the files of all CAs in between';
  return refusal('no-root', `${message}, and the mesh has no root yet`, hint);
}

/** None of the certificates is for a key of this cluster. */
function noMatchingKey({cluster, certificates, others, keys}: SignedChainFacts): Refusal {
  const answered = certificates.flatMap(({spki}) => others.get(spki) ?? [])[0];
  if (answered !== undefined) {
    return refusal(
      'other-cluster',
      `these certificates answer the request of ${answered}, not of ${cluster}`,
      advice`${kubectlMesh('certs import', words`${answered} FILE...`)}`,
    );
  }
  // The lowest one is what the CA made; what stands above it is known to be of other keys.
  const lowest = lowestOf(certificates) ?? certificates[0];
  const found = lowest ? `: "${lowest.subject.text}" is for another one (${lowest.key.name})` : '';
  return refusal(
    'other-key',
    `no certificate is for the key of ${cluster}${found}`,
    keys.length > 0
      ? `the CA must sign ${cluster}/request/ca.csr as it is, with the key in it (a later certs request --renew makes another)`
      : advice`make a request first: ${kubectlMesh('certs request', [cluster])}`,
  );
}

const signAgainWithout = 'have the CA sign the same request again without that';
const useOtherParent = 'the CA above decides this: ask for a cluster CA under one without it';

/** What to do about a fault of the chain. */
const hints: Readonly<Record<ChainFaultId, (facts: SignedChainFacts) => string>> = {
  expired: () => 'have the CA sign the same request again',
  'not-yet-valid': () => 'wait, or look at the clocks of this machine and of the CA',
  'not-a-ca': () => 'have it signed with the profile of a subordinate CA: basicConstraints=critical,CA:TRUE,pathlen:0',
  'no-cert-sign': () => 'have it signed with keyUsage=critical,digitalSignature,keyCertSign,cRLSign',
  'path-length': () => 'have it signed by a CA one level higher, or by one whose path length allows it',
  'no-server-auth': () => `${signAgainWithout}, or with serverAuth and clientAuth; or ${useOtherParent}`,
  'no-client-auth': () => `${signAgainWithout}, or with serverAuth and clientAuth; or ${useOtherParent}`,
  'serving-names': ({servingNames}) =>
    `permit ${servingNames.map((name) => `DNS:${name}`).join(', ')} there, or ask for a cluster CA under one without it`,
  'workload-names': ({trustDomain}) => `permit URI:${trustDomain} there, or ask for a cluster CA under one without it`,
  'subject-names': () => `have it signed with a subject that is allowed there; or ${useOtherParent}`,
  'insecure-signature': () => 'have it signed with SHA-256 or better',
  'unknown-signature': () => 'have it signed with SHA-256 or better, by an RSA or ECDSA key',
  'weak-key': () => 'take a CA with a key of at least 2048 bits, better P-256 or RSA 3072',
  'unsupported-key': () => 'take RSA, ECDSA P-256 or ECDSA P-384',
  'critical-extension': () => signAgainWithout,
  'authority-key': () => 'ask the CA for the certificate that issued this one: there is another one of the same name',
};
