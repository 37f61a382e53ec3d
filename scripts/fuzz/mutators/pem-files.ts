/** What a PEM file contains besides its certificates or key: comments, other blocks, other encodings of the text. */
import {pem} from '../sets.js';
import {certificateFiles, type Mutator, textMutator} from './mutator.js';
import {begin, body, text} from './pem.js';

export const pemFileMutators: readonly Mutator[] = [
  text('comment-before', (all) => `# Root of the mesh\n${all}`),
  text('comment-latin1', (all) => `# M\xfcller\n${all}`),
  text('comment-utf8', (all) => `# M\xc3\xbcller\n${all}`),
  text('comment-dashes', (all) => `-----\n${all}`),
  text('comment-begin', (all) => `see -----BEGIN CERTIFICATE----- below\n${all}`),
  text('comment-between', (all) => all.replaceAll('-----\n-----', '-----\n# next\n-----')),
  text('comment-after', (all) => `${all}# end\n`),
  text(
    'comment-in-base64',
    body((lines) => lines.replace('\n', '\n# comment\n')),
  ),
  text(
    'bag-attributes',
    begin((line) => `Bag Attributes\n    localKeyID: 01\nsubject=CN = CA\n${line}`),
  ),
  text('garbage-after', (all) => `${all}\xff\xfe\x00\x01`),
  text('control-z-after', (all) => `${all}\x1a`),
  text('unfinished-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\nAAAA\n`),
  text('bad-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`),
  text(
    'bad-block-before',
    (all) => `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${all}`,
    certificateFiles,
  ),
  text('empty-block-after', (all) => `${all}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n`),
  text(
    'empty-block-before',
    (all) => `-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n${all}`,
    certificateFiles,
  ),
  text('crl-block-after', (all) => `${all}${pem('X509 CRL', Buffer.from([0x30, 0]))}`),
  text('parameters-block-before', (all) => `${pem('EC PARAMETERS', Buffer.from([0x06, 1, 1]))}${all}`),
  textMutator(
    'pem/key-block-after',
    (bytes, _, files) => Buffer.concat([bytes, files['ca-key.pem']]),
    certificateFiles,
  ),
  textMutator(
    'pem/key-block-before',
    (bytes, _, files) => Buffer.concat([files['ca-key.pem'], bytes]),
    certificateFiles,
  ),
  textMutator('pem/utf-16', (bytes) => Buffer.from(bytes.toString('latin1'), 'utf16le')),
  textMutator('pem/utf-16-bom', (bytes) => Buffer.from(`\ufeff${bytes.toString('latin1')}`, 'utf16le')),
  textMutator('pem/der', (bytes) =>
    Buffer.from((/-----\n([^-]+)-----/.exec(bytes.toString('latin1')) ?? [])[1] ?? '', 'base64'),
  ),
  textMutator('pem/base64-of-pem', (bytes) => bytes.toString('base64')),
  textMutator('pem/empty', () => ''),
  textMutator('pem/blank', () => '\n\n'),
  textMutator('pem/random-byte', (bytes, random) => {
    const changed = Buffer.from(bytes);
    changed[random.below(changed.length)] = random.below(256);
    return changed;
  }),
  textMutator('pem/random-insertion', (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from([random.pick([9, 10, 11, 12, 13, 32, 45, 58, 61, 0, 160])]),
      bytes.subarray(at),
    ]);
  }),
  textMutator('pem/random-deletion', (bytes, random) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(3))]);
  }),
];
