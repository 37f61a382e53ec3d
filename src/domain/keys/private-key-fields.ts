/**
 * Reads unencrypted private keys: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017 A.1.2) and SEC1 (RFC 5915), as strictly as
 * Go's crypto/x509 (pkcs8.go, pkcs1.go, sec1.go), which istiod uses. OpenSSL gets a key only after it has been read here,
 * and encoded again: it also reads keys under another label, and believes the public half that a key contains.
 */
import {createPrivateKey, type KeyObject} from 'node:crypto';
import {
  childrenOf,
  decodeDer,
  type Der,
  derNull,
  encodeDer,
  integer,
  isContext,
  isTag,
  octetString,
  oid,
  readBitString,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  readSmallInteger,
  sequence,
  tags,
} from '../asn1/der.js';
import {bigintOf, curves} from './curves.js';
import {keyOids, otherCurves, refusedKeys, rsaExponent, rsaModulus} from './public-key.js';

/** The encodings of unencrypted keys, by the PEM types under which istiod reads them. */
export type PlainForm = 'pkcs8' | 'pkcs1' | 'sec1';

const readers: Readonly<Record<PlainForm, (value: Der) => Der>> = {
  pkcs8: readPkcs8,
  pkcs1: (value) => pkcs8(sequence(oid(keyOids.rsa), derNull), readPkcs1(value)),
  sec1: (value) => {
    const {curve, key} = readSec1(value, undefined);
    return pkcs8(sequence(oid(keyOids.ec), oid(curve)), key);
  },
};

const formNames: Readonly<Record<PlainForm, string>> = {
  pkcs8: 'PKCS#8 ("PRIVATE KEY")',
  pkcs1: 'PKCS#1 ("RSA PRIVATE KEY")',
  sec1: 'SEC1 ("EC PRIVATE KEY")',
};

/** A key that is complete, but that istiod refuses; the message says why. */
export class RefusedKey extends Error {}

/** The key of decoded bytes in this form. Throws {@link RefusedKey}, and a plain Error if the bytes are not a key. */
export function readPrivateKeyFields(value: Der, form: PlainForm): KeyObject {
  let key: Der;
  try {
    key = readers[form](value);
  } catch (thrown) {
    if (thrown instanceof RefusedKey) throw thrown;
    const other = (Object.keys(readers) as PlainForm[]).find((one) => one !== form && isReadable(value, one));
    if (other === undefined) throw thrown;
    const message = `the key is ${formNames[other]}, but its label is for ${formNames[form]}`;
    throw new RefusedKey(message, {cause: thrown});
  }
  return createPrivateKey({key: encodeDer(key), format: 'der', type: 'pkcs8'});
}

function isReadable(value: Der, form: PlainForm): boolean {
  try {
    readers[form](value);
    return true;
  } catch (thrown) {
    return thrown instanceof RefusedKey;
  }
}

function pkcs8(algorithm: Der, key: Der): Der {
  return sequence(integer(0), algorithm, octetString(encodeDer(key)));
}

/** PrivateKeyInfo. Attributes and the public half after the key are ignored, as in Go. */
function readPkcs8(value: Der): Der {
  const [version, algorithm, key, ...rest] = readSequence(value, 'private key');
  const isKnown = readSmallInteger(version, 'version') <= 1 && rest.every((one) => isContext(one, one.tag));
  const [identifier, parameters, ...others] = readSequence(algorithm, 'key algorithm');
  if (!isKnown || others.length > 0) throw new Error('the private key is not valid PKCS#8');
  const inner = decodeDer(readOctetString(key, 'private key'));
  const id = readOid(identifier, 'key algorithm');
  switch (id) {
    case keyOids.rsa:
      if (!isTag(parameters, tags.null)) throw new RefusedKey('the parameters of the RSA key are not NULL');
      return readers.pkcs1(inner);
    case keyOids.ec: {
      if (isTag(parameters, tags.sequence)) throw new RefusedKey(explicitParameters);
      const {curve, key: read} = readSec1(inner, readOid(parameters, 'curve'));
      return pkcs8(sequence(oid(keyOids.ec), oid(curve)), read);
    }
    case keyOids.ed25519: {
      const seed = readOctetString(inner, 'Ed25519 key');
      if (parameters || seed.length !== 32) throw new RefusedKey('the Ed25519 key is not valid');
      return pkcs8(sequence(oid(keyOids.ed25519)), octetString(seed));
    }
    default:
      throw new RefusedKey(`istiod does not support keys of type ${refusedKeys[id] ?? id}`);
  }
}

const explicitParameters =
  'the key has explicit curve parameters, which istiod cannot read; to name the curve: openssl pkey -ec_param_enc named_curve -in KEY -out NEW-KEY';

/** ECPrivateKey of a named curve: of the one in PKCS#8 if there is one. Its public half is left out, and computed again. */
function readSec1(value: Der, given: string | undefined): {readonly curve: string; readonly key: Der} {
  const [version, secret, ...optional] = readSequence(value, 'EC key');
  if (readSmallInteger(version, 'version') !== 1) throw new Error('the version of the EC key is not 1');
  // Go's encoding/asn1 requires each optional field at its place, around one value.
  const fields = optional.map((one) => ({tag: one.tag, values: childrenOf(one, 'field of the EC key')}));
  const order = optional.map((one) => (isContext(one, one.tag) ? one.tag : -1)).join();
  if (!['', '0', '1', '0,1'].includes(order) || fields.some(({values}) => values.length !== 1)) {
    throw new Error('the fields of the EC key are not valid');
  }
  const [named, point] = [0, 1].map((tag) => fields.find((one) => one.tag === tag)?.values[0]);
  if (point && readBitString(point, 'public half of the EC key').unused !== 0) {
    throw new Error('the public half of the EC key is not valid');
  }
  if (named?.tag === tags.sequence) throw new RefusedKey(explicitParameters);
  const id = given ?? readOid(named, 'curve');
  if (named && readOid(named, 'curve') !== id) throw new RefusedKey('the EC key names two curves');
  const curve = curves.get(id);
  if (!curve) throw new RefusedKey(`istiod does not support keys of the curve ${otherCurves[id] ?? id}`);
  const bytes = readOctetString(secret, 'EC key');
  const number = bigintOf(bytes);
  if (number === 0n || number >= curve.n) throw new RefusedKey('the EC key is not in the range of its curve');
  // Go accepts leading zeros, and their absence (sec1.go); OpenSSL 3 requires the size of the curve.
  const padded = Buffer.from(number.toString(16).padStart(2 * Math.ceil(curve.n.toString(16).length / 2), '0'), 'hex');
  return {curve: id, key: sequence(integer(1), octetString(padded))};
}

/** RSAPrivateKey with two primes, all of whose numbers belong together (crypto/rsa, PrivateKey.Validate). */
function readPkcs1(value: Der): Der {
  const fields = readSequence(value, 'RSA key');
  const [version, ...rest] = fields;
  if (readSmallInteger(version, 'version') !== 0 || rest.length !== 8) {
    throw new Error('the RSA key does not have two primes');
  }
  const bytes = rest.map((field) => readInteger(field, 'RSA key'));
  const [modulus = Buffer.alloc(1), exponent = Buffer.alloc(1)] = bytes;
  rsaModulus(modulus);
  rsaExponent(exponent);
  if (bytes.some((one) => (one[0] ?? 0) >= 0x80)) throw new RefusedKey('the RSA key contains a negative number');
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, inverse = 0n] = bytes.map(bigintOf);
  const isConsistent =
    p > 1n &&
    q > 1n &&
    p !== q &&
    p * q === n &&
    d < n &&
    (e * d) % (p - 1n) === 1n &&
    (e * d) % (q - 1n) === 1n &&
    dp === d % (p - 1n) &&
    dq === d % (q - 1n) &&
    inverse < p &&
    (inverse * q) % p === 1n;
  if (!isConsistent) throw new RefusedKey('the numbers of the RSA key do not belong together');
  return value;
}
