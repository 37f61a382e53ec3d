import {expect, it} from 'vitest';
import {isSkewed, supportedSkew} from '../../../src/domain/istio/version.js';
import {version} from './version.js';

it.each([
  ['1.30.3', '1.30.9', false],
  ['1.30.3', '1.31.0', false],
  ['1.31.0', '1.30.3', false],
  ['1.29.3', '1.31.0', true],
  ['1.31.0', '1.29.3', true],
  ['1.31.0', '2.0.0', true],
])('%s and %s are skewed: %s', (left, right, expected) => {
  expect(isSkewed(version(left), version(right))).toBe(expected);
});

it('has a source', () => {
  expect(supportedSkew.source).toContain('istio.io');
});
