import {expect, it} from 'vitest';
import {parsePem} from '../../../src/domain/asn1/pem.js';

it('reads many blocks in linear time: quadratic time would hang the program', () => {
  const text = '-----BEGIN X-----\nAAAA\n-----END X-----\n'.repeat(150_000);
  const {blocks} = parsePem(text, 'many.pem');
  expect([blocks.length, blocks.at(-1)?.line]).toEqual([150_000, 449_998]);
});

const block = (content: string): string => `-----BEGIN X-----\n${content}\n-----END X-----\n`;

it.each([252, 256, 1000])('reads lines of %i characters', (length) => {
  const {blocks} = parsePem(`# ${'x'.repeat(251)}\n${block('A'.repeat(length))}`, 'long.pem');
  expect(blocks[0]?.bytes).toHaveLength((length * 3) / 4);
});

it.each([
  ['no END', '-----BEGIN X-----\nAAAA\n'],
  ['the END of another label', '-----BEGIN X-----\nAAAA\n-----END Y-----\n'],
  ['another BEGIN', '-----BEGIN X-----\nAAAA\n-----BEGIN X-----\nAAAA\n-----END X-----\n'],
  ['no content', '-----BEGIN X-----\n-----END X-----\n'],
  ['a byte order mark', '\u{feff}-----BEGIN X-----\nAAAA\n-----END X-----\n'],
  ['a no-break space after a marker', '-----BEGIN X-----\u{a0}\nAAAA\n-----END X-----\n'],
  ['a form feed in the content', '-----BEGIN X-----\nAAAA\f\n-----END X-----\n'],
  ['a vertical tab after END', '-----BEGIN X-----\nAAAA\n-----END X-----\v\n'],
  ['a space before BEGIN', ' -----BEGIN X-----\nAAAA\n-----END X-----\n'],
  ['a space within a line', '-----BEGIN X-----\nAA AA\n-----END X-----\n'],
  ['an empty line', '-----BEGIN X-----\nAAAA\n\nAAAA\n-----END X-----\n'],
  [
    'its END and the next BEGIN on one line',
    '-----BEGIN X-----\nAAAA\n-----END X----------BEGIN X-----\nAAAA\n-----END X-----\n',
  ],
  ['a line of 253 characters, which BoringSSL reads without its end', block(`${'A'.repeat(252)}A\n${'A'.repeat(3)}`)],
  ['spaces from character 253 on', block(`${'A'.repeat(160)}${' '.repeat(94)}\nAAAA`)],
  ['carriage returns alone', '-----BEGIN X-----\rAAAA\r-----END X-----\r'],
  ['UTF-16', Buffer.from('-----BEGIN X-----\nAAAA\n-----END X-----\n', 'utf16le').toString('utf8')],
])('refuses a block with %s', (_, text) => {
  expect(() => parsePem(text, 'a.pem')).toThrow(expect.objectContaining({code: 'NOT_PEM'}) as Error);
});
