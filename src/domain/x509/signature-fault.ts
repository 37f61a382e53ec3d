/** Diagnoses invalid signatures: the typical mistakes of programs that sign with a KMS or HSM. */
import {constants, createHash, type KeyObject, verify} from 'node:crypto';
import {type SignatureAlgorithm, signatureAlgorithms} from './algorithms.js';

/** A signature, and the message and key that it should match. */
export interface GivenSignature {
  readonly message: Uint8Array;
  readonly signature: Buffer;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: KeyObject;
}

/**
 * Why a signature is invalid, as a phrase that completes "it"; undefined if it is valid. Signatures are RSASSA-PKCS1-v1_5
 * (RFC 8017 8.2), or ECDSA as DER (RFC 3279 2.2.3, Ecdsa-Sig-Value).
 */
export function signatureFault(given: GivenSignature): string | undefined {
  const {signature, algorithm} = given;
  if (verifies(given)) return undefined;
  if (signature.length === 0) return 'printed nothing instead of a signature';
  return (
    textFault(given) ??
    (signature.at(-1) === 0x0a && verifies({...given, signature: signature.subarray(0, -1)})
      ? 'printed a newline after the signature: must be the signature bytes only'
      : undefined) ??
    hashFault(given) ??
    (algorithm === 'sha256WithRSAEncryption' ? rsaFault(given) : ecdsaFault(given)) ??
    'printed a signature that its public key does not verify: it was made with another key or for another message'
  );
}

interface VerifyOptions {
  readonly hash?: string;
  readonly padding?: number;
  readonly dsaEncoding?: 'der' | 'ieee-p1363';
}

function verifies({message, signature, algorithm, publicKey}: GivenSignature, options: VerifyOptions = {}): boolean {
  const {hash = signatureAlgorithms[algorithm].hashes[0], ...keyOptions} = options;
  try {
    return verify(hash, message, {key: publicKey, ...keyOptions}, signature);
  } catch {
    // OpenSSL throws, instead of returning false, if the bytes are not formatted as a signature.
    return false;
  }
}

function textFault(given: GivenSignature): string | undefined {
  const text = given.signature.toString('latin1').trim();
  const decoded = [
    {name: 'base64', bytes: Buffer.from(text, 'base64'), form: /^[A-Za-z0-9+/_=\s-]+$/},
    {name: 'hexadecimal digits', bytes: Buffer.from(text, 'hex'), form: /^[0-9a-fA-F]+$/},
  ].find(({bytes, form}) => form.test(text) && verifies({...given, signature: bytes}));
  if (decoded) return `printed the signature as ${decoded.name}: must be the raw bytes`;
  return /^[\t\n\r -~]+$/.test(text) ? 'printed text instead of the signature bytes' : undefined;
}

function hashFault(given: GivenSignature): string | undefined {
  const [hash] = signatureAlgorithms[given.algorithm].hashes;
  const digest = createHash(hash).update(given.message).digest();
  if (verifies({...given, message: digest})) {
    return `hashed the message twice: it signed the ${hash} digest as if that were the message`;
  }
  const other = ['sha1', 'sha256', 'sha384', 'sha512'].find((one) => one !== hash && verifies(given, {hash: one}));
  return other === undefined ? undefined : `signed with ${other}: must be ${given.algorithm}`;
}

function rsaFault(given: GivenSignature): string | undefined {
  const {signature, publicKey} = given;
  const expected = Math.ceil((publicKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
  if (signature.length !== expected) {
    return `printed ${String(signature.length)} bytes: a signature by this RSA key has ${String(expected)}`;
  }
  return verifies(given, {padding: constants.RSA_PKCS1_PSS_PADDING})
    ? 'printed an RSA-PSS signature: must be PKCS#1 v1.5'
    : undefined;
}

function ecdsaFault(given: GivenSignature): string | undefined {
  return verifies(given, {dsaEncoding: 'ieee-p1363'})
    ? 'printed r and s concatenated: an ECDSA signature must be DER (SEQUENCE of two INTEGERs)'
    : undefined;
}
