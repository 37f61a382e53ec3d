import {describe, expect, it} from 'vitest';
import {version} from './version.js';
import {compareVersions, formatVersion, parseVersion, satisfies} from '../../../src/domain/istio/version.js';
import {resolveVersion, newestKnown} from '../../../src/domain/istio/versions.js';

describe('parseVersion', () => {
  it.each([
    ['1.30', {major: 1, minor: 30}],
    ['1.30.3', {major: 1, minor: 30, patch: 3}],
    ['v1.6.14', {major: 1, minor: 6, patch: 14}],
    ['1.31.0-rc.0', {major: 1, minor: 31, patch: 0, suffix: 'rc.0'}],
    ['1.31-alpha.5a3b0c', {major: 1, minor: 31, suffix: 'alpha.5a3b0c'}],
    ['1.30.3-distroless', {major: 1, minor: 30, patch: 3, suffix: 'distroless'}],
  ])('reads %s', (text, expected) => {
    expect(parseVersion(text)).toEqual(expected);
    expect(formatVersion(version(text))).toBe(text.replace(/^v/, ''));
  });

  it.each(['unknown', 'latest', '', '1', '1.x', '1.30.3.4', 'one.two', '1.30 3', '-1.30', '1.30.3;rm'])(
    'refuses %j',
    (text) => {
      expect(parseVersion(text)).toBeUndefined();
    },
  );
});

describe('compareVersions and satisfies', () => {
  it.each([
    ['1.9', '1.10', -1],
    ['1.30.3', '1.30.12', -1],
    ['1.31.0-rc.0', '1.31.0', -1],
    ['1.30.3-distroless', '1.30.3', 0],
    ['2.0', '1.99.9', 1],
  ])('%s compared with %s', (left, right, sign) => {
    expect(Math.sign(compareVersions(version(left), version(right)))).toBe(sign);
  });

  it.each([
    ['1.30.3', '1.30', true],
    ['1.30.0-rc.1', '1.30', true],
    ['1.30.3-distroless', '1.30.3', true],
    ['1.30.4', '1.30.3', false],
    ['1.3.0', '1.30', false],
  ])('%s satisfies %s: %s', (actual, declared, expected) => {
    expect(satisfies(version(actual), version(declared))).toBe(expected);
  });
});

describe('resolveVersion', () => {
  it.each([
    ['1.30.3', 'known', {major: 1, minor: 30, patch: 3}],
    ['1.99.0', 'newer', newestKnown],
    ['unknown', 'unparsed', newestKnown],
    ['', 'unparsed', newestKnown],
    ['1.4.2', 'older', {major: 1, minor: 6}],
  ])('%s is %s', (text, status, expected) => {
    const known = resolveVersion(text);
    expect(known).toMatchObject({text, status, version: expected});
    expect(known.note === undefined).toBe(status === 'known');
  });
});
