/**
 * Revocation lists of CAs (RFC 5280 section 5), as far as istiod looks at them: whether it loads a chain with them. Whom
 * they revoke, and until when they are good, is the proxies' business.
 */
import {MeshError} from '../errors.js';
import {readSignatureAlgorithm, verifiesWith} from './algorithms.js';
import type {Certificate} from './certificate.js';
import {encodeDer, isTag, readBitString, readDer, readSequence, readSmallInteger, tags, type Der} from '../asn1/der.js';
import {sha256Hex} from '../keys/keys.js';
import {parsePem} from '../asn1/pem.js';

/** Its name in Secret cacerts, and in a cluster's folder (istio/istio security/pkg/pki/ca/ca.go, CACRLFile). */
export const crlFileName = 'ca-crl.pem';

interface RevocationList {
  readonly signed: Buffer;
  readonly algorithm: string;
  readonly signature: Buffer;
}

/**
 * Why istiod would not load a chain together with a text of revocation lists, as a sentence; undefined where it would.
 * It wants a list of every CA of cert-chain.pem, the root included, whose key usage allows that (istio/istio
 * security/pkg/pki/util/keycertbundle.go, Verify). An empty text is none. `what` names the text.
 */
export function crlProblem(text: string, chain: readonly Certificate[], what = crlFileName): string | undefined {
  if (text === '') return undefined;
  let lists: readonly RevocationList[];
  try {
    lists = parsePem(text, what).blocks.map(({bytes}, index) =>
      readDer(bytes, 'NOT_PEM', `${what}: list ${String(index + 1)}`, readList),
    );
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class === 'invalid') return thrown.message;
    throw thrown;
  }
  // By subject, as istiod does: of two certificates of one name, the last counts.
  const signers = [...new Map(chain.map((certificate) => [certificate.subject.text, certificate])).values()];
  const cannot = signers.find((signer) => !maySign(signer));
  if (cannot)
    return `the key usage of "${cannot.subject.text}" does not let it sign lists (cRLSign), and ${what} is there`;
  // Go (crypto/x509, CheckSignature) takes of lists signatures over SHA-1, too, unlike those of certificates; none over MD5.
  const missing = signers.filter(
    ({publicKey}) =>
      !lists.some(({algorithm, signed, signature}) => verifiesWith(algorithm, signed, publicKey, signature)),
  );
  if (missing.length === 0) return undefined;
  return `${what} has no list signed by ${missing.map(({subject}) => `"${subject.text}"`).join(', ')}`;
}

/** What tells texts of revocation lists apart: SHA-256 of each list, sorted, or of the text where it cannot be read. */
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

function readList(value: Der): RevocationList {
  const [toBeSigned, algorithm, signature] = readSequence(value, 'revocation list');
  const [version] = readSequence(toBeSigned, 'to-be-signed part');
  // Version 2 is written as 1; Go reads no other (crypto/x509, ParseRevocationList). `openssl ca` writes version 1 by default.
  if (!isTag(version, tags.integer) || readSmallInteger(version, 'version') !== 1 || !toBeSigned) {
    throw new Error('not a revocation list of version 2');
  }
  return {
    signed: encodeDer(toBeSigned),
    algorithm: readSignatureAlgorithm(algorithm),
    signature: readBitString(signature, 'signature').bytes,
  };
}

/** Go's crypto/x509, RevocationList.CheckSignatureFrom. Without a key usage extension a key may do anything (RFC 5280 4.2.1.3). */
function maySign({version, extensions: {basicConstraints, keyUsage}}: Certificate): boolean {
  const isCa = basicConstraints ? basicConstraints.ca : version !== 3;
  return isCa && (keyUsage?.usages.includes('cRLSign') ?? true);
}
