/** Inputs from public bug reports. `folders` states for each whether istiod loads it, and the findings. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {type CaFiles, caFilesOfSecret} from '../../../src/domain/ca/ca-files.js';
import {inspectCaFiles} from '../../../src/domain/ca/inspect-ca.js';
import {inspectSet} from '../../../src/domain/ca/inspect-parts.js';
import {rewriteCaFiles} from '../../../src/domain/ca/rewrite.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {recognize} from '../../../src/domain/x509/recognize.js';

const cases = join(import.meta.dirname, '../../fixtures/cases');
/** All of them are valid on this day. */
const now = new Date('2026-12-15T00:00:00Z');

function filesIn(folder: string): CaFiles {
  const text = (name: string): string | undefined => {
    const path = join(cases, folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const key = text('ca-key.pem');
  return {
    caCert: text('ca-cert.pem'),
    caKey: key === undefined ? undefined : new Sensitive(key),
    rootCert: text('root-cert.pem'),
    certChain: text('cert-chain.pem'),
  };
}

function inspectFolder(folder: string, istioVersion?: string) {
  return inspectCaFiles(filesIn(folder), {now, istioVersion});
}

/** Folders by the ids of their errors, and of their warnings. */
const folders: readonly (readonly [folder: string, errors: readonly string[], warnings: readonly string[]])[] = [
  ...[
    'constraints-empty',
    'ip-constraint-mask',
    'negative-serial',
    'printable-underscore',
    'san-dns-latin1',
    'san-uri-space',
  ].map((name) => [`02-ca-that-go-cannot-read/${name}`, ['unreadable'], []] as const),
  ['03-explicit-curve/root', ['unreadable'], []],
  ['03-explicit-curve/ca', ['unreadable', 'key-format'], []],
  ['03-explicit-curve/ca-named-key', ['unreadable'], []],
  ['05-critical-policies-refused/policies', [], []],
  ['05-critical-policies-refused/inhibit', [], []],
  ['16-expired-root-left-over/c1', [], ['root-expired']],
  ...['bom', 'glued', 'utf16'].map((name) => [`17-bom-and-glued-lines/${name}`, ['unreadable'], []] as const),
  ['18-chain-holds-the-ca-twice/twice', [], ['chain-order']],
  ['18-chain-holds-the-ca-twice/foreign', [], ['chain-order', 'chain-open']],
  ['19-issuer-name-encoded-otherwise/c1', ['not-trusted'], []],
  ...[
    ...['01-bag-attributes', '08-crlf-all', '145-sec1-ec-key', '147-ec-params-after-key', '15-one-line-base64'],
    ...['16-no-final-newline', '27-trailing-spaces', '29-comments-between', '35-root-twice', '36-chain-root-twice'],
    '53-key-pkcs1',
  ].map((name) => [`51-pem-forms-that-are-fine/${name}`, [], []] as const),
  ...[
    ...['05-serial-24-octets', '102-t61-latin1', '103-bmp', '109-long-subject', '110-emoji-rtl-control'],
    ...['130-notafter-9999', '131-after-2050', '141-p521-root', '143-ed25519-root', '151-pss-signature-salt32'],
    ...['165-adcs-like', '190-root-no-ski', '200-eight-levels'],
  ].map((name) => [`52-certificates-that-are-fine/${name}`, [], []] as const),
  ['53-certificates-that-are-refused/144-secp256k1-ca', ['unreadable', 'key-format'], []],
  ['53-certificates-that-are-refused/146-ec-params-before-key', ['key-format'], []],
  ['53-certificates-that-are-refused/152-pss-signature-salt20', ['not-trusted'], []],
  ['53-certificates-that-are-refused/153-pss-key-ca', ['unreadable', 'key-format'], []],
  ['53-certificates-that-are-refused/170-nc-uri-with-scheme', ['unreadable'], []],
  ['53-certificates-that-are-refused/192-root-v3-no-bc', ['not-trusted', 'root-not-a-ca'], []],
  ['53-certificates-that-are-refused/197-duplicate-ext', ['unreadable'], []],
];

it.each(folders)('%s has the errors %j and the warnings %j', (folder, errors, warnings) => {
  const {findings, loads} = inspectFolder(folder);
  const ids = (wanted: string): readonly string[] => [
    ...new Set(findings.filter(({severity}) => severity === wanted).map(({id}) => id)),
  ];
  expect([ids('error'), ids('warning'), ids('unknown')]).toEqual([errors, warnings, []]);
  expect(loads).toBe(errors.length === 0);
});

it.each([
  ['policies', '1.20', true],
  ['inhibit', '1.25', false],
  ['inhibit', '1.26', true],
])('a critical extension for policies (%s) is judged for Istio %s: %s', (name, version, loads) => {
  expect(inspectFolder(`05-critical-policies-refused/${name}`, version).loads).toBe(loads);
});

it('the reasons name what no editor shows', () => {
  const [bom, glued, utf16] = ['bom', 'glued', 'utf16'].map(
    (name) => inspectFolder(`17-bom-and-glued-lines/${name}`).findings[0]?.message,
  );
  expect([bom, glued, utf16]).toEqual([
    expect.stringContaining('byte order mark'),
    expect.stringContaining('line break'),
    expect.stringContaining('UTF-16'),
  ]);
});

it.each([
  '17-bom-and-glued-lines/bom',
  '17-bom-and-glued-lines/glued',
  '17-bom-and-glued-lines/utf16',
  '18-chain-holds-the-ca-twice/twice',
  '18-chain-holds-the-ca-twice/foreign',
])('%s has no finding after it is rewritten, and the same CA', (folder) => {
  const {files, unreadable} = rewriteCaFiles(filesIn(folder));
  expect(unreadable).toEqual([]);
  const {findings, certificate} = inspectCaFiles(files, {now});
  expect(findings).toEqual([]);
  expect(certificate?.fingerprint).toBe(inspectFolder('17-bom-and-glued-lines/glued').certificate?.fingerprint ?? '');
});

it('a key with explicit parameters is not called another key', () => {
  const {findings} = inspectFolder('03-explicit-curve/ca');
  expect(findings.map(({id}) => id)).not.toContain('key-mismatch');
});

it('in a Secret of type kubernetes.io/tls, tls.crt may be a chain', () => {
  const secret = readFileSync(join(cases, '20-tls-secret-with-intermediate/secret.json'));
  const {parts} = recognize(new Sensitive(secret), 'secret.json');
  expect(
    caFilesOfSecret(
      (name) => parts.find((one) => one.name === name)?.content.reveal(),
      () => undefined,
    ).layout,
  ).toBe('tls');
  expect(inspectSet(parts, {now, keyMayBeMissing: true})).toMatchObject({loads: true, findings: []});
});
