import {X509Certificate} from 'node:crypto';
import {beforeAll, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {isPkcs7, readPkcs7} from '../../../src/domain/x509/certificate-blocks.js';
import {decodeDer, encodeDer, explicit, octetString, sequence, tagClasses, tags} from '../../../src/domain/asn1/der.js';
import {CorporateCa, pkcs7} from '../../helpers/corporate-ca.js';

let certificates: readonly Buffer[];
let bundle: Buffer;
beforeAll(() => {
  const root = CorporateCa.root();
  const pems = [root.below('/CN=Policy CA').pem, root.pem];
  certificates = pems.map((pem) => new X509Certificate(pem).raw);
  bundle = pkcs7(pems, 'DER');
});

/** A value with indefinite lengths (X.690 8.1.3.6) in this many levels of constructed values. */
function indefinite(value: Buffer, levels: number): Buffer {
  const long = (value[1] ?? 0) >= 0x80;
  const start = long ? 2 + ((value[1] ?? 0) & 0x7f) : 2;
  const first = value.subarray(0, 1);
  const content =
    levels > 1 ? children(value.subarray(start)).map((one) => nested(one, levels)) : [value.subarray(start)];
  return Buffer.concat([first, Buffer.from([0x80]), ...content, Buffer.alloc(2)]);
}

function nested(value: Buffer, levels: number): Buffer {
  // Certificates are signed, so their bytes must not change.
  const isCertificate = certificates.some((one) => one.equals(value));
  return ((value[0] ?? 0) & 0x20) !== 0 && !isCertificate ? indefinite(value, levels - 1) : value;
}

function children(content: Buffer): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < content.length;) {
    const length = content[at + 1] ?? 0;
    const octets = length >= 0x80 ? length & 0x7f : 0;
    const size = octets > 0 ? content.readUIntBE(at + 2, octets) : length;
    const end = at + 2 + octets + size;
    found.push(content.subarray(at, end));
    at = end;
  }
  return found;
}

it('returns each certificate byte for byte', () => {
  expect(isPkcs7(bundle)).toBe(true);
  expect(readPkcs7(bundle, 'p7b')).toEqual(certificates);
});

it.each([1, 2, 3, 4, 5])('reads indefinite lengths down to level %i', (levels) => {
  const ber = indefinite(bundle, levels);
  expect(ber[1]).toBe(0x80);
  expect(readPkcs7(ber, 'p7b')).toEqual(certificates);
});

it('reads signed content in a constructed octet string of indefinite length', () => {
  const [type, wrapped] = decodeDer(bundle).children!;
  const [version, digests, info, ...rest] = wrapped!.children![0]!.children!;
  const parts = [octetString(Buffer.from('a')), octetString(Buffer.from('b'))];
  const content = explicit(0, {tagClass: tagClasses.universal, tag: tags.octetString, children: parts});
  const signed = sequence(version!, digests!, sequence(info!.children![0]!, content), ...rest);
  const ber = indefinite(encodeDer(sequence(type!, explicit(0, signed))), 6);
  expect(ber.includes(Buffer.from('2480040161040162' + '0000', 'hex'))).toBe(true);
  expect(readPkcs7(ber, 'p7b')).toEqual(certificates);
});

it('refuses a certificate that is not DER instead of re-encoding it', () => {
  const [first] = certificates;
  const at = bundle.indexOf(first!);
  const ber = Buffer.concat([bundle.subarray(0, at), Buffer.from([0x30, 0x80]), first!.subarray(4), Buffer.alloc(2)]);
  // Two bytes fewer for the length and two more at the end: the enclosing lengths stay valid.
  const modified = Buffer.concat([ber, bundle.subarray(at + first!.length)]);
  expect(modified).toHaveLength(bundle.length);
  expect(() => readPkcs7(modified, 'p7b')).toThrow(expect.objectContaining({code: 'NOT_A_CERTIFICATE'}));
});

it('does not mistake a certificate for PKCS#7', () => {
  expect(certificates.map((one) => isPkcs7(one))).toEqual([false, false]);
});

it('reports truncated input and unterminated nesting as errors', () => {
  const invalid = [
    ...Array.from({length: bundle.length - 1}, (_, length) => bundle.subarray(0, length)),
    Buffer.from('3080'.repeat(10_000), 'hex'),
    Buffer.from('30ffffffffffffffff', 'hex'),
  ];
  for (const bytes of invalid) {
    expect(() => readPkcs7(bytes, 'p7b'), String(bytes.length)).toThrow(MeshError);
    expect(() => isPkcs7(bytes)).not.toThrow();
  }
});
