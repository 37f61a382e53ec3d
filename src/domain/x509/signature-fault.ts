/** What is wrong with bytes that should be a signature: the mistakes that programs in front of a KMS or HSM make. */
import {constants, createHash, type KeyObject, verify} from 'node:crypto';
import {type SignatureAlgorithm, signatureAlgorithms} from './algorithms.js';

/** A signature as it came, and what it should be one of. */
export interface GivenSignature {
  readonly message: Uint8Array;
  readonly signature: Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
}

/**
 * Why it is no signature of the message by that key; undefined when it is one. The sentence goes on from "it". Signatures
 * are RSASSA-PKCS1-v1_5 (RFC 8017 8.2), or ECDSA as DER (RFC 3279 2.2.3, Ecdsa-Sig-Value).
 */
export function signatureFault(given: GivenSignature): string | undefined {
  const {signature, algorithm} = given;
  if (verifies(given)) return undefined;
  if (signature.length === 0) return 'printed nothing where the signature should be';
  return (
    textFault(given) ??
    (signature.at(-1) === 0x0a && verifies({...given, signature: signature.subarray(0, -1)})
      ? 'printed a line end after the signature: bytes are expected, and nothing else'
      : undefined) ??
    hashFault(given) ??
    (algorithm === 'sha256WithRSAEncryption' ? rsaFault(given) : ecdsaFault(given)) ??
    'printed a signature that its public key does not verify: another key signed, or something else than the message'
  );
}

interface VerifyOptions {
  readonly hash?: string;
  readonly padding?: number;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
}

function verifies({message, signature, algorithm, publicKey}: GivenSignature, ways: VerifyOptions = {}): boolean {
  const {hash = signatureAlgorithms[algorithm].hashes[0], ...more} = ways;
  try {
    return verify(hash, message, {key: publicKey, ...more}, signature);
  } catch {
    // OpenSSL throws instead of answering no where a signature has not even the form of one.
    return false;
  }
}

function textFault(given: GivenSignature): string | undefined {
  const text = given.signature.toString('latin1').trim();
  const decoded = [
    {name: 'base64', bytes: Buffer.from(text, 'base64'), form: /^[A-Za-z0-9+/_=\s-]+$/},
    {name: 'hexadecimal digits', bytes: Buffer.from(text, 'hex'), form: /^[0-9a-fA-F]+$/},
  ].find(({bytes, form}) => form.test(text) && verifies({...given, signature: bytes}));
  if (decoded) return `printed the signature as ${decoded.name}: it has to print its bytes`;
  return /^[\t\n\r -~]+$/.test(text) ? 'printed text where the bytes of the signature should be' : undefined;
}

function hashFault(given: GivenSignature): string | undefined {
  const [hash] = signatureAlgorithms[given.algorithm].hashes;
  const digest = createHash(hash).update(given.message).digest();
  if (verifies({...given, message: digest})) {
    return `signed the ${hash} digest of the message as if it were the message: it has to be hashed once`;
  }
  const other = ['sha1', 'sha256', 'sha384', 'sha512'].find((one) => one !== hash && verifies(given, {hash: one}));
  return other === undefined ? undefined : `signed with ${other}, and ${given.algorithm} is asked for`;
}

function rsaFault(given: GivenSignature): string | undefined {
  const {signature, publicKey} = given;
  const expected = Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (signature.length !== expected) {
    return `printed ${String(signature.length)} bytes: a signature of this RSA key has ${String(expected)}`;
  }
  return verifies(given, {padding: constants.RSA_PKCS1_PSS_PADDING})
    ? 'printed an RSA-PSS signature: PKCS#1 v1.5 is asked for'
    : undefined;
}

function ecdsaFault(given: GivenSignature): string | undefined {
  return verifies(given, {dsaEncoding: 'ieee-p1363'})
    ? 'printed r and s side by side: an ECDSA signature has to be DER (SEQUENCE of two INTEGERs)'
    : undefined;
}
