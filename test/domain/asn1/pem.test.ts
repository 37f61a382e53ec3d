import {expect, it} from 'vitest';
import {parsePem} from '../../../src/domain/asn1/pem.js';

it('reads many blocks in linear time: quadratic time would hang the program', () => {
  const text = '-----BEGIN X-----\nAAAA\n-----END X-----\n'.repeat(150_000);
  const {blocks} = parsePem(text, 'many.pem');
  expect([blocks.length, blocks.at(-1)?.line]).toEqual([150_000, 449_998]);
});

it.each([
  ['no END', '-----BEGIN X-----\nAAAA\n'],
  ['the END of another label', '-----BEGIN X-----\nAAAA\n-----END Y-----\n'],
  ['another BEGIN', '-----BEGIN X-----\nAAAA\n-----BEGIN X-----\nAAAA\n-----END X-----\n'],
  ['no content', '-----BEGIN X-----\n-----END X-----\n'],
])('refuses a block with %s', (_, text) => {
  expect(() => parsePem(text, 'a.pem')).toThrow(expect.objectContaining({code: 'NOT_PEM'}) as Error);
});
