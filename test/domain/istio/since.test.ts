import {describe, expect, it} from 'vitest';
import {factFor, hasReached, type FirstReleases} from '../../../src/domain/istio/since.js';
import {version} from './version.js';

describe('hasReached', () => {
  const backported = ['1.28.7', '1.29.3', '1.30.0'] as const;
  it.each<[string, FirstReleases, boolean]>([
    ['1.9.9', '1.10', false],
    ['1.10.0-rc.1', '1.10', true],
    ['1.10.6', '1.10', true],
    ['1.14.1', '1.14.2', false],
    ['1.14.2-rc.0', '1.14.2', false],
    ['1.14.2', '1.14.2', true],
    ['1.14.2-distroless', '1.14.2', true],
    ['1.14', '1.14.2', true],
    ['1.15.0', '1.14.2', true],
    ['1.13.9', '1.14.2', false],
    ['1.27.99', backported, false],
    ['1.28.6', backported, false],
    ['1.28.7', backported, true],
    ['1.29.2', backported, false],
    ['1.29.3', backported, true],
    ['1.30.0', backported, true],
    ['1.31.0', backported, true],
    ['2.0.0', backported, true],
    ['1.29.9', ['1.28.7', '1.30.0'], false],
  ])('%s of %j: %s', (text, releases, expected) => {
    expect(hasReached(version(text), releases)).toBe(expected);
  });
});

describe('factFor', () => {
  interface Entry {
    readonly from: string;
  }
  const facts: readonly [Entry, ...Entry[]] = [{from: '1.6'}, {from: '1.14.2'}, {from: '1.20'}];
  it.each([
    ['1.5.9', '1.6'],
    ['1.14.1', '1.6'],
    ['1.14.2', '1.14.2'],
    ['1.19.9', '1.14.2'],
    ['1.20.0-beta.1', '1.20'],
    ['1.99', '1.20'],
  ])('returns for %s the entry from %s', (text, from) => {
    expect(factFor(facts, version(text)).from).toBe(from);
  });
});
