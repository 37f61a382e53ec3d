import {createPrivateKey, generateKeyPairSync, type KeyObject} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {containsKey, embeddedKeys} from '../../../src/domain/keys/embedded-keys.js';
import {publicHalf, spkiHash} from '../../../src/domain/keys/keys.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {crlOf} from '../../helpers/crl.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

const root = await tinyRoot();
const ca = await tinyClusterCa(root, 'c1');
const bundle = bundleOf(ca, [root]);

const keys: readonly (readonly [name: string, key: KeyObject, forms: readonly ('pkcs8' | 'pkcs1' | 'sec1')[]])[] = [
  ['rsa', generateKeyPairSync('rsa', {modulusLength: 2048}).privateKey, ['pkcs8', 'pkcs1']],
  ['p256', root.key, ['pkcs8', 'sec1']],
  ['p521', generateKeyPairSync('ec', {namedCurve: 'secp521r1'}).privateKey, ['pkcs8', 'sec1']],
  ['ed25519', generateKeyPairSync('ed25519').privateKey, ['pkcs8']],
  ['explicit curve', generateKeyPairSync('ec', {namedCurve: 'P-256', paramEncoding: 'explicit'}).privateKey, ['pkcs8']],
];

const encoded = (text: string | Buffer): string => Buffer.from(text).toString('base64');
const wrapped = (text: string, prefix: string): string => encoded(text).replace(/.{1,60}/g, `${prefix}$&\n`);

/** Each way in which a text can contain the key. */
const ways: Readonly<Record<string, (pem: string, der: Buffer) => string>> = {
  'as PEM': (pem) => pem,
  'after a certificate': (pem) => root.certificate.pem + pem,
  'with CR LF': (pem) => pem.replaceAll('\n', '\r\n'),
  'as UTF-16': (pem) => Buffer.from(pem, 'utf16le').toString('latin1'),
  'under another label': (pem) => pem.replaceAll(/(?:RSA |EC )?PRIVATE KEY/g, 'CERTIFICATE'),
  indented: (pem) => pem.replaceAll(/^/gm, '    '),
  'in a comment': (pem) => pem.replaceAll(/^/gm, '# '),
  'in a comment with slashes': (pem) => pem.replaceAll(/^/gm, '// '),
  'in JSON': (pem) => JSON.stringify({note: pem}),
  'in JSON in JSON': (pem) => JSON.stringify({note: JSON.stringify({note: pem})}),
  'as base64 of PEM': (pem) => `# key: ${encoded(pem)}\n${root.certificate.pem}`,
  'as base64 of a text with the PEM': (pem) => encoded(`my notes\n${pem}`),
  'as wrapped base64 in comments': (pem) => root.certificate.pem + wrapped(pem, '# '),
  'as base64 of base64': (pem) => encoded(encoded(pem)),
  'as base64 of DER': (_, der) => `note ${encoded(der)}`,
  'as wrapped base64 of DER in comments': (_, der) => `${wrapped(encoded(der), '# ')}${root.certificate.pem}`,
  'as base64 of base64 of DER': (_, der) => `data: ${encoded(encoded(der))}\nother: YWJj`,
};

describe('a private key in a text', () => {
  for (const [name, key, forms] of keys) {
    for (const form of forms) {
      it.each(Object.entries(ways))(`(${name}, ${form}) is found %s`, (_, way) => {
        const exported = (format: 'pem' | 'der') => key.export({type: form as 'pkcs8', format: format as 'der'});
        const text = way(exported('pem').toString(), exported('der'));
        expect(embeddedKeys(new Sensitive(text)).map(({spki}) => spki)).toEqual([spkiHash(publicHalf(key))]);
        expect(containsKey(text)).toBe(true);
      });
    }
  }

  it('is found as DER bytes', () => {
    const bytes = Buffer.concat([Buffer.from('x'), root.key.export({type: 'pkcs8', format: 'der'})]);
    expect(embeddedKeys(new Sensitive(bytes)).map(({spki}) => spki)).toEqual([root.certificate.spki]);
  });

  it.each(Object.entries(ways))('that is encrypted is found %s', (_, way) => {
    const options = {type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'p'} as const;
    const pem = root.key.export({...options, format: 'pem'}).toString();
    // Every export has another salt.
    const der = Buffer.from(pem.replaceAll(/-----.*-----|\s/g, ''), 'base64');
    const found = embeddedKeys(new Sensitive(way(pem, der)));
    expect(found).toMatchObject([{encryption: {cipher: 'aes-256-cbc'}}]);
    expect(found[0]?.spki).toBeUndefined();
  });

  it('with the encryption of older PEM is found, also as base64', () => {
    const pem = root.key.export({type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'p'}).toString();
    for (const text of [pem, encoded(pem), pem.replaceAll(/^/gm, '  ')]) {
      expect(embeddedKeys(new Sensitive(text))).toMatchObject([{encryption: {cipher: 'aes-128-cbc', weak: true}}]);
    }
  });

  it('that is damaged, or in a format that no reader knows, is found', () => {
    const pem = bundle.caKey.reveal();
    const lines = pem.split('\n');
    const damaged = [lines[0], ...lines.slice(2)].join('\n');
    for (const text of [damaged, pem.replaceAll('PRIVATE KEY', 'OPENSSH PRIVATE KEY').replace('MI', 'b3')]) {
      const found = embeddedKeys(new Sensitive(text));
      expect(found).toHaveLength(1);
      expect(found[0]).not.toHaveProperty('spki');
    }
  });

  it('has one identity in every form', () => {
    const {key} = root;
    const pem = (type: 'pkcs8' | 'sec1'): string => key.export({type: type, format: 'pem'}).toString();
    expect(embeddedKeys(new Sensitive(pem('pkcs8') + pem('sec1') + encoded(pem('sec1'))))).toHaveLength(1);
    expect(embeddedKeys(new Sensitive(pem('pkcs8') + bundle.caKey.reveal()))).toHaveLength(2);
  });
});

describe('a text without a private key', () => {
  it.each([
    ['certificates', bundle.certChain],
    ['a revocation list', crlOf(root)],
    ['a public key', ca.signer.publicKey.export({type: 'spki', format: 'pem'}).toString()],
    ['a public key of RSA', createRsaPublic()],
    ['a manifest of certificates', encoded(JSON.stringify({data: {'root-cert.pem': encoded(bundle.rootCert)}}))],
    ['documentation', 'starts with -----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----'],
    ['nothing', ''],
  ])('is recognized: %s', (_, text) => {
    expect(embeddedKeys(new Sensitive(text))).toEqual([]);
  });
});

it.each(['\n', '\r', '\\', '/', '\n//', '-', '0', 'MI', '-----BEGIN PRIVATE KEY-----\n', 'A: \n'])(
  'is found behind a hostile text without end: %j',
  (piece) => {
    const text = piece.repeat(Math.ceil(2 ** 18 / piece.length));
    const spkis = (content: string) => embeddedKeys(new Sensitive(content)).flatMap(({spki}) => spki ?? []);
    expect(spkis(`${text}\n${bundle.caKey.reveal()}`)).toEqual([ca.certificate.spki]);
    expect(spkis(`-----BEGIN PRIVATE KEY-----${text}\n${bundle.caKey.reveal()}`)).toEqual([ca.certificate.spki]);
  },
);

function createRsaPublic(): string {
  return generateKeyPairSync('rsa', {modulusLength: 2048}).publicKey.export({type: 'pkcs1', format: 'pem'}).toString();
}

it('computes the public half of a key itself, whatever the key claims', () => {
  const der = root.key.export({type: 'sec1', format: 'der'});
  const other = ca.key.export({type: 'sec1', format: 'der'});
  // The public half is at the end of SEC1.
  const forged = Buffer.concat([der.subarray(0, der.length - 64), other.subarray(other.length - 64)]);
  expect(embeddedKeys(new Sensitive(forged)).map(({spki}) => spki)).toEqual([root.certificate.spki]);
  expect(createPrivateKey({key: der, format: 'der', type: 'sec1'}).asymmetricKeyType).toBe('ec');
});
