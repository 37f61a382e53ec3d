/**
 * Certificate revocation lists (RFC 5280 section 5), to the extent that istiod checks them when it loads a chain, and that
 * proxies find them. Which certificates they revoke, and their validity, is not checked.
 */
import {MeshError} from '../errors.js';
import {readSignatureAlgorithm, verifiesWith} from './algorithms.js';
import type {Certificate} from './certificate.js';
import {
  childrenOf,
  contentOf,
  decodeDer,
  type Der,
  encodeDer,
  isContext,
  isTag,
  OutsideProfile,
  readBitString,
  readBoolean,
  readDer,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  readSmallInteger,
  tags,
} from '../asn1/der.js';
import {readTime} from '../asn1/text.js';
import type {Extensions} from './extensions.js';
import {canonicalName, readName} from './name.js';
import {authorityKeyMatches} from './proxy-chains.js';
import {readAuthorityKeyId} from './read-extensions.js';
import {sha256Hex} from '../keys/keys.js';
import {parsePem} from '../asn1/pem.js';

/** The file's name in Secret cacerts and in a cluster's directory (istio/istio security/pkg/pki/ca/ca.go, CACRLFile). */
export const crlFileName = 'ca-crl.pem';

interface RevocationList {
  /** The encoded name. */
  readonly issuer: Buffer;
  readonly authority: Pick<Extensions, 'authorityKeyId' | 'authority'>;
  readonly signed: Buffer;
  readonly algorithm: string;
  readonly signature: Buffer;
}

/** Why revocation lists cannot be used. */
export interface CrlProblem {
  readonly message: string;
  /** Whether istiod and proxies might accept the lists nevertheless: this program does not fully understand them. */
  readonly isUnproven: boolean;
}

/**
 * Why istiod does not load a chain together with a text of revocation lists; or proxies do not find them; undefined if they do. istiod requires a list
 * from every CA in cert-chain.pem, including the root, and a key usage that permits it (istio/istio
 * security/pkg/pki/util/keycertbundle.go, Verify). An empty text counts as absent. `what` names the text.
 */
export function crlProblem(text: string, chain: readonly Certificate[], what = crlFileName): CrlProblem | undefined {
  if (text === '') return undefined;
  const refused = (message: string): CrlProblem => ({message, isUnproven: false});
  let lists: readonly RevocationList[];
  try {
    lists = parsePem(text, what).blocks.map(({label, headers, bytes}, index) =>
      readDer(bytes, 'NOT_PEM', `${what}: list ${String(index + 1)}`, (value) => {
        const list = readList(value);
        // istiod reads a block with any label; proxies, only this one (PEM_X509_INFO_read_bio).
        if (label !== 'X509 CRL' || Object.keys(headers).length > 0) {
          throw new Error('proxies read lists only in PEM blocks with the label "X509 CRL" and without headers');
        }
        return list;
      }),
    );
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class !== 'bug') {
      return {message: thrown.message, isUnproven: thrown.code === 'NOT_PROVEN'};
    }
    throw thrown;
  }
  // By subject, as in istiod: of two certificates with the same name, the last counts.
  const signers = [...new Map(chain.map((certificate) => [certificate.subject.text, certificate])).values()];
  const unable = signers.find((signer) => !maySign(signer));
  if (unable)
    return refused(
      `${what} exists, but the key usage of "${unable.subject.text}" does not permit signing lists (cRLSign)`,
    );
  // Go (crypto/x509, CheckSignature) accepts SHA-1 signatures on lists, unlike on certificates, but not MD5.
  const signedBy = ({publicKey}: Certificate): readonly RevocationList[] =>
    lists.filter(({algorithm, signed, signature}) => verifiesWith(algorithm, signed, publicKey, signature));
  const missing = signers.filter((signer) => signedBy(signer).length === 0);
  if (missing.length === 0) {
    // istiod compares no names; proxies find lists by their issuer (BoringSSL x509_vfy.cc, get_crl_score, crl_akid_check).
    const unnamed = signers.find((signer) => !signedBy(signer).some((list) => isFoundFor(list, signer)));
    if (!unnamed) return undefined;
    return refused(
      `${what} has a list signed by "${unnamed.subject.text}", but with another issuer or key identifier: proxies do not find it`,
    );
  }
  return refused(`${what} has no list signed by ${missing.map(({subject}) => `"${subject.text}"`).join(', ')}`);
}

/** Identifies a text of revocation lists: SHA-256 of each list, sorted, or of the text if it is not PEM. */
export function crlFingerprints(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return [];
  try {
    return parsePem(text, crlFileName)
      .blocks.map(({bytes}) => sha256Hex(bytes))
      .sort();
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.code === 'NOT_PEM') return [sha256Hex(Buffer.from(text))];
    throw thrown;
  }
}

/** Go's crypto/x509 parser.go, ParseRevocationList; anything beyond RFC 5280 5.1 is outside the profile. */
function readList(value: Der): RevocationList {
  const [toBeSigned, algorithm, signature, ...rest] = readSequence(value, 'revocation list');
  if (!toBeSigned || !algorithm || rest.length > 0) throw new Error('the revocation list is incomplete');
  const fields = [...readSequence(toBeSigned, 'to-be-signed part')];
  // Version 2 is encoded as 1; Go accepts no other. `openssl ca` writes 1 by default.
  const version = fields.shift();
  if (!isTag(version, tags.integer) || readSmallInteger(version, 'version') !== 1) {
    throw new Error('not a version 2 revocation list');
  }
  const [inner, issuer, thisUpdate, ...optional] = fields;
  if (!inner || !encodeDer(inner).equals(encodeDer(algorithm))) {
    throw new Error('the two signature algorithms of the revocation list differ');
  }
  const name = readName(issuer, 'issuer');
  readTime(thisUpdate, 'this update');
  if (isTag(optional[0], tags.utcTime) || isTag(optional[0], tags.generalizedTime)) {
    readTime(optional.shift(), 'next update');
  }
  if (isTag(optional[0], tags.sequence)) readSequence(optional.shift(), 'revoked certificates').forEach(readRevoked);
  const extensions = optional.shift();
  if (extensions && (!isContext(extensions, 0) || optional.length > 0)) {
    throw new OutsideProfile('the list has unknown fields');
  }
  const {bytes, unused} = readBitString(signature, 'signature');
  if (unused !== 0) throw new OutsideProfile('the signature does not end at a byte');
  return {
    issuer: name.der,
    authority: extensions ? readListExtensions(extensions) : {},
    signed: encodeDer(toBeSigned),
    algorithm: readSignatureAlgorithm(algorithm),
    signature: bytes,
  };
}

function readRevoked(entry: Der): void {
  const [serial, date, extensions, ...rest] = readSequence(entry, 'revoked certificate');
  readInteger(serial, 'serial number');
  readTime(date, 'revocation date');
  if (rest.length > 0) throw new OutsideProfile('a revoked certificate has unknown fields');
  const reason = extensions && nonCriticalExtensions(extensions).get(listExtensions.reason);
  if (!reason) return;
  const [code = 0, ...others] = contentOf(decodeDer(reason), 'reason');
  // Go's ReadASN1Enum; RFC 5280 5.3.1.
  if (!isTag(decodeDer(reason), tags.enumerated)) throw new Error('the reason of a revocation is not ENUMERATED');
  if (others.length > 0 || code > 10) throw new OutsideProfile('the reason of a revocation is unknown');
}

/** Extensions of lists and of their entries (RFC 5280 5.2, 5.3). */
const listExtensions = {
  number: '2.5.29.20',
  reason: '2.5.29.21',
  delta: '2.5.29.27',
  distributionPoint: '2.5.29.28',
  authorityKeyId: '2.5.29.35',
} as const;

/** The key identifier of a list that numbers itself and is complete: no delta, and not only for some certificates. */
function readListExtensions(wrapped: Der): RevocationList['authority'] {
  const [list, ...others] = childrenOf(wrapped, 'extensions');
  if (others.length > 0) throw new OutsideProfile('the list has unknown fields');
  const extensions = nonCriticalExtensions(list);
  if (extensions.has(listExtensions.delta) || extensions.has(listExtensions.distributionPoint)) {
    throw new OutsideProfile('the list is not complete');
  }
  const number = extensions.get(listExtensions.number);
  if (number && (readInteger(decodeDer(number), 'list number')[0] ?? 0) >= 0x80) {
    throw new OutsideProfile('the list number is negative');
  }
  const authority = extensions.get(listExtensions.authorityKeyId);
  return authority ? readAuthorityKeyId(decodeDer(authority)) : {};
}

/** The values of extensions by their identifiers, each once and none critical. */
function nonCriticalExtensions(value: Der | undefined): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const extension of readSequence(value, 'extensions')) {
    const [id, ...fields] = readSequence(extension, 'extension');
    const dotted = readOid(id, 'extension identifier');
    const content = fields.pop();
    if (fields.length > 1 || (fields[0] && readBoolean(fields[0], 'criticality'))) {
      throw new OutsideProfile(`the critical extension ${dotted} is unknown`);
    }
    if (found.has(dotted)) throw new OutsideProfile(`extension ${dotted} appears twice`);
    found.set(dotted, readOctetString(content, `extension ${dotted}`));
  }
  return found;
}

function isFoundFor({issuer, authority}: RevocationList, signer: Certificate): boolean {
  return (
    canonicalName(issuer).join('\n') === canonicalName(signer.subject.der).join('\n') &&
    authorityKeyMatches({extensions: authority}, signer)
  );
}

/** Go's crypto/x509, RevocationList.CheckSignatureFrom. Without the extension, any key usage is permitted (RFC 5280 4.2.1.3). */
function maySign({version, extensions: {basicConstraints, keyUsage}}: Certificate): boolean {
  const isCa = basicConstraints ? basicConstraints.ca : version !== 3;
  return isCa && (keyUsage?.usages.includes('cRLSign') ?? true);
}
