/**
 * The chains that proxies build (BoringSSL x509_vfy.cc, X509_verify_cert). Unlike Go, they do not try another issuer when a
 * chain turns out to be invalid: they decide by name, key identifier and key usage alone (v3_purp.cc, X509_check_issued),
 * and prefer their own roots, in no defined order (x509_lu.cc, X509_STORE_CTX_get1_issuer). Envoy accepts a chain that ends
 * at any of its roots, self-signed or not (X509_V_FLAG_PARTIAL_CHAIN).
 */
import {groupBy} from '../group-by.js';
import type {Certificate} from './certificate.js';
import type {Extensions} from './extensions.js';
import {canonicalName} from './name.js';

/** The part of a certificate that selects its issuer. */
export type Issued = Pick<Certificate, 'issuer' | 'extensions' | 'signedBy'>;

/** A chain above a certificate, from its issuer upward. */
export interface ProxyChain {
  readonly chain: readonly Certificate[];
  /** Whether it ends at a root. */
  readonly isTrusted: boolean;
}

/** The roots that a proxy trusts, and the certificates that its peer presents after its own, in order. */
export interface ProxyCertificates {
  readonly roots: readonly Certificate[];
  readonly presented: readonly Certificate[];
}

/** BoringSSL's limit (x509_vpm.cc, the default depth). */
const maxLength = 100;
/** More candidates are an attack on this function; the first ones suffice to find a fault. */
const maxChains = 256;

/** Every chain that a proxy can build above a certificate; at least one, which can be empty. */
export function proxyChains(certificate: Issued, {roots, presented}: ProxyCertificates): readonly ProxyChain[] {
  const nameOf = (encoded: Buffer): string => canonicalName(encoded).join('\n');
  const rootsByName = groupBy(roots, ({subject}) => nameOf(subject.der));
  const presentedByName = groupBy(presented, ({subject}) => nameOf(subject.der));
  const chains: ProxyChain[] = [];
  const walk = (chain: readonly Certificate[], child: Issued, isTrusted: boolean): void => {
    if (chains.length >= maxChains) return;
    const issuer = nameOf(child.issuer.der);
    const isUsed = (one: Certificate): boolean => chain.some(({fingerprint}) => fingerprint === one.fingerprint);
    const last = chain.at(-1);
    // Without verifying the signature (EXFLAG_SS).
    const isSelfSigned = last && nameOf(last.subject.der) === issuer && mayIssue(last, last);
    const isEnd = isSelfSigned === true || chain.length >= maxLength;
    const anchors = isEnd ? [] : (rootsByName.get(issuer) ?? []).filter((one) => mayIssue(one, child) && !isUsed(one));
    for (const anchor of anchors) walk([...chain, anchor], anchor, true);
    if (anchors.length > 0) return;
    // Once there is a root in the chain, the presented certificates do not count.
    const isOpen = !isEnd && !isTrusted;
    const next = isOpen ? presentedByName.get(issuer)?.find((one) => mayIssue(one, child) && !isUsed(one)) : undefined;
    if (next) walk([...chain, next], next, false);
    else chains.push({chain, isTrusted});
  };
  walk([], certificate, false);
  return chains;
}

/** Whether a certificate with the right name may be the issuer. */
function mayIssue(parent: Certificate, child: Issued): boolean {
  return authorityKeyMatches(child, parent) && parent.extensions.keyUsage?.usages.includes('keyCertSign') !== false;
}

/** Whether an authority key identifier fits the parent, or lacks what it could be compared with (X509_check_akid). */
export function authorityKeyMatches(
  {extensions: {authorityKeyId, authority}}: {readonly extensions: Pick<Extensions, 'authorityKeyId' | 'authority'>},
  parent: Certificate,
): boolean {
  const differs = (stated: string | undefined, actual: string | undefined): boolean =>
    stated !== undefined && actual !== undefined && stated !== actual;
  return !(
    differs(authorityKeyId, parent.extensions.subjectKeyId) ||
    differs(authority?.serial, parent.serial) ||
    (authority?.issuer !== undefined &&
      canonicalName(authority.issuer).join() !== canonicalName(parent.issuer.der).join())
  );
}
