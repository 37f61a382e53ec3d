/** Requests that OpenSSL or a text editor changed. */
import {beforeAll, expect, it} from 'vitest';
import {
  bitString,
  childrenOf,
  decodeDer,
  type Der,
  encodeDer,
  explicit,
  integer,
  oid,
  sequence,
  set,
  utf8String,
} from '../../../src/domain/asn1/der.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {encodeSignatureAlgorithm} from '../../../src/domain/x509/algorithms.js';
import {clusterCaRequest, parseRequest, requestPem} from '../../../src/domain/x509/csr.js';
import {type TinyCa, tinyRoot} from '../../helpers/tiny-ca.js';

let ca: TinyCa;
beforeAll(async () => {
  ca = await tinyRoot();
});

const extensionRequest = oid('1.2.840.113549.1.9.14');
const challenge = sequence(oid('1.2.840.113549.1.9.7'), set(utf8String('x')));

/** A request with these attributes, signed with its own key. */
async function requestWith(attributes: readonly Der[], unusedBits = 0): Promise<string> {
  const [info] = childrenOf(decodeDer(await clusterCaRequest('c1', ca.signer)), 'request');
  const fields = childrenOf(info, 'request information').slice(0, 3);
  const changed = sequence(...fields, {...explicit(0, challenge), children: attributes});
  const signature = await ca.signer.sign(encodeDer(changed));
  const algorithm = encodeSignatureAlgorithm(ca.signer.algorithm);
  return encodePem('CERTIFICATE REQUEST', encodeDer(sequence(changed, algorithm, bitString(signature, unusedBits))));
}

it('reads its own request, and one with other attributes', async () => {
  const own = requestPem(await clusterCaRequest('c1', ca.signer));
  expect(parseRequest(own, 'ca.csr')).toMatchObject({spki: ca.certificate.spki});
  expect(parseRequest(await requestWith([challenge]), 'ca.csr')).toMatchObject({spki: ca.certificate.spki});
});

it.each<[string, readonly Der[]]>([
  ['an attribute that is not a SEQUENCE', [integer(1)]],
  ['an attribute without values', [sequence(extensionRequest)]],
  ['requested extensions that are none', [sequence(extensionRequest, set(integer(1)))]],
  ['two lists of requested extensions', [sequence(extensionRequest, set(sequence(), sequence()))]],
])('refuses %s', async (_, attributes) => {
  const text = await requestWith(attributes);
  expect(() => parseRequest(text, 'ca.csr')).toThrow(expect.objectContaining({code: 'NOT_A_CERTIFICATE'}) as Error);
});

it('refuses PEM headers, and a signature that does not end at a byte', async () => {
  const own = requestPem(await clusterCaRequest('c1', ca.signer)).replace('-----\n', '-----\nA: b\n\n');
  const refusal = expect.objectContaining({code: 'NOT_A_CERTIFICATE'}) as Error;
  expect(() => parseRequest(own, 'ca.csr')).toThrow(refusal);
  const unfinished = await requestWith([challenge], 1);
  expect(() => parseRequest(unfinished, 'ca.csr')).toThrow(refusal);
});
