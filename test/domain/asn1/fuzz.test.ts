import {beforeAll, describe, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {parseCertificate} from '../../../src/domain/x509/certificate.js';
import {decodeDer, encodeDer, readDer} from '../../../src/domain/asn1/der.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {encodePem} from '../../../src/domain/asn1/pem.js';
import {readPart, recognize} from '../../../src/domain/x509/recognize.js';
import {readPrivateKey} from '../../../src/domain/keys/private-key.js';
import {encryptKey} from '../../../src/signers/keys.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

/** A small seeded generator (mulberry32), so that every run makes the same mutations. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Replaces, truncates, repeats or inserts bytes. */
function mutate(bytes: Buffer, next: () => number): Buffer {
  const at = Math.floor(next() * bytes.length);
  const value = Math.floor(next() * 256);
  switch (Math.floor(next() * 4)) {
    case 0: {
      const copy = Buffer.from(bytes);
      copy[at] = value;
      return copy;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes, bytes.subarray(at)]);
  }
}

const rounds = 1500;
let root: TinyCa;
let ca: TinyCa;
beforeAll(async () => {
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'cluster1');
});

/** The MeshError that a function throws, if any; another error fails the test. */
function meshErrorOf(run: () => unknown): MeshError | undefined {
  try {
    run();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class !== 'bug') return thrown;
    throw thrown;
  }
}

describe('mutated input only ever throws errors with a code', () => {
  it('certificates', () => {
    const next = random(1);
    let rejected = 0;
    for (let round = 0; round < rounds; round += 1) {
      const bytes = mutate(ca.certificate.der, next);
      if (bytes.equals(ca.certificate.der)) continue;
      if (meshErrorOf(() => parseCertificate(bytes, 'fuzz'))) rejected += 1;
    }
    expect(rejected).toBeGreaterThan(rounds / 2);
  });

  it('sets of CA files: every change to a certificate or its signature is detected', () => {
    const next = random(2);
    const good = bundleOf(ca, [root]);
    for (let round = 0; round < 300; round += 1) {
      const bytes = mutate(ca.certificate.der, next);
      if (bytes.equals(ca.certificate.der)) continue;
      const files = {...good, caCert: encodePem('CERTIFICATE', bytes)};
      const {loads} = inspectCaFiles(files, {now: new Date()});
      expect(loads, `mutation ${String(round)}`).toBe(false);
    }
  });

  it('encrypted keys', async () => {
    const pem = (await encryptKey(ca.key, new Sensitive('passphrase'))).reveal();
    const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
    const next = random(3);
    for (let round = 0; round < rounds; round += 1) {
      const text = encodePem('ENCRYPTED PRIVATE KEY', mutate(der, next));
      meshErrorOf(() => readPrivateKey(new Sensitive(text), 'fuzz'));
    }
    expect(meshErrorOf(() => readPrivateKey(new Sensitive(pem), 'fuzz'))).toBeUndefined();
  });

  it('unencrypted keys and PEM texts', () => {
    const key = ca.key.export({type: 'pkcs8', format: 'der'});
    const next = random(4);
    for (let round = 0; round < rounds; round += 1) {
      const text = encodePem('PRIVATE KEY', mutate(key, next));
      meshErrorOf(() => readPrivateKey(new Sensitive(text), 'fuzz'));
      const broken = mutate(Buffer.from(text), next).toString('latin1');
      meshErrorOf(() => readPart({name: 'fuzz', content: new Sensitive(broken)}));
    }
    expect(meshErrorOf(() => readPrivateKey(new Sensitive(encodePem('PRIVATE KEY', key)), 'fuzz'))).toBeUndefined();
  });

  it('random garbage', () => {
    const next = random(5);
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(Array.from({length: Math.floor(next() * 200)}, () => Math.floor(next() * 256)));
      expect(meshErrorOf(() => recognize(new Sensitive(bytes), 'fuzz').parts.map(readPart))).toSatisfy(
        (error: MeshError | undefined) => error === undefined || error.code === 'NOT_PEM',
      );
    }
  });
});

describe('DER', () => {
  it('re-encodes to the same bytes', () => {
    for (const {certificate} of [root, ca]) {
      expect(encodeDer(decodeDer(certificate.der)).equals(certificate.der)).toBe(true);
    }
  });

  it.each([
    ['trailing bytes', '0500ff'],
    ['an indefinite length', '30800500' + '0000'],
    ['a length with a leading zero', '3082000205 00'.replace(' ', '')],
    ['a long-form length that fits the short form', '30810205 00'.replace(' ', '')],
    ['a padded integer', '02020001'],
    ['a length beyond the end', '3005020100'],
    ['empty input', ''],
    ['unterminated nesting', '30'.repeat(3) + '00'],
    ['a thousand levels of nesting', Buffer.from(nested(1000)).toString('hex')],
  ])('refuses %s', (_what, hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'), 'NOT_A_CERTIFICATE', 'x', (value) => value)).toThrow(
      expect.objectContaining({code: 'NOT_A_CERTIFICATE'}),
    );
  });
});

function nested(levels: number): Uint8Array {
  let bytes = Buffer.from([0x05, 0x00]);
  for (let level = 0; level < levels; level += 1) {
    const length =
      bytes.length < 128
        ? [bytes.length]
        : bytes.length < 256
          ? [0x81, bytes.length]
          : [0x82, bytes.length >> 8, bytes.length & 0xff];
    bytes = Buffer.concat([Buffer.from([0x30, ...length]), bytes]);
  }
  return bytes;
}
