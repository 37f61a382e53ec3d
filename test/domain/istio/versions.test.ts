import {describe, expect, it} from 'vitest';
import {compareVersions, formatVersion, parseVersion, satisfies} from '../../../src/domain/istio/version.js';
import type {IstioVersion} from '../../../src/domain/istio/version.js';
import {
  applyCommand,
  features,
  hasFeature,
  knowVersion,
  kubernetesRange,
  newestKnown,
  reloadRule,
} from '../../../src/domain/istio/versions.js';
import type {Feature} from '../../../src/domain/istio/versions.js';

function version(text: string): IstioVersion {
  const parsed = parseVersion(text);
  if (!parsed) throw new Error(`${text} should parse`);
  return parsed;
}

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

describe('comparing', () => {
  it.each([
    ['1.9', '1.10', -1],
    ['1.30.3', '1.30.12', -1],
    ['1.31.0-rc.0', '1.31.0', -1],
    ['1.30.3-distroless', '1.30.3', 0],
    ['2.0', '1.99.9', 1],
  ])('%s against %s', (left, right, sign) => {
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

describe('knowVersion', () => {
  it.each([
    ['1.30.3', 'known', {major: 1, minor: 30, patch: 3}],
    ['1.99.0', 'newer', newestKnown],
    ['unknown', 'unsaid', newestKnown],
    ['1.4.2', 'older', {major: 1, minor: 6}],
  ])('%s is %s', (said, status, expected) => {
    const known = knowVersion(said);
    expect(known).toMatchObject({said, status, version: expected});
    expect(known.note === undefined).toBe(status === 'known');
  });
});

describe('what a version can do', () => {
  it.each([
    ['1.6', 'never', 'never'],
    ['1.11', 'never', 'never'],
    ['1.13', 'never', 'never'],
    ['1.14', {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, 'never'],
    ['1.17', {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: false}, 'never'],
    ['1.18', {env: 'AUTO_RELOAD_PLUGIN_CERTS', unset: true}, 'never'],
    ['1.19', 'always', 'never'],
    ['1.20', 'always', 'byte-substring'],
    ['1.29.6', 'always', 'byte-substring'],
    ['1.30', 'always', 'certificate-subset'],
    ['1.31.0', 'always', 'certificate-subset'],
  ])('%s reloads a cluster CA: %j, a root: %s', (text, clusterCa, root) => {
    expect(reloadRule(version(text))).toEqual({clusterCa, root});
  });

  it.each<[Feature, string, string | undefined]>([
    ['multiRootMesh', '1.9', '1.10'],
    ['proxyConfigXdsAgent', '1.9', '1.10'],
    ['networkLabel', '1.7', '1.8'],
    ['tlsCacerts', '1.13', '1.14'],
    ['rootCertInKubeSystem', '1.20', '1.21'],
  ])('%s is not in %s and is in %s', (feature, without, first) => {
    expect(hasFeature(version(without), feature)).toBe(false);
    expect(hasFeature(version(first ?? ''), feature)).toBe(true);
    expect(hasFeature(newestKnown, feature)).toBe(true);
  });

  it.each<[Feature, string, string]>([
    ['meshExpansion', '1.8', '1.9'],
    ['globalTrustDomain', '1.9', '1.10'],
  ])('%s ends with %s', (feature, last, gone) => {
    expect(hasFeature(version('1.6'), feature)).toBe(true);
    expect(hasFeature(version(last), feature)).toBe(true);
    expect(hasFeature(version(gone), feature)).toBe(false);
  });

  it('names a source for every feature', () => {
    for (const feature of Object.values(features)) expect(feature.source).not.toBe('');
  });

  it.each([
    ['1.6.14', 'manifest apply', ['--wait']],
    ['1.7.0', 'install', []],
    ['1.31.0', 'install', []],
  ])('%s installs with %s', (text, words, flags) => {
    expect(applyCommand(version(text))).toEqual({words: words.split(' '), flags});
  });

  it.each([
    ['1.6', {min: 16, max: 21}],
    ['1.9', {min: 17, max: 21}],
    ['1.10', {min: 17}],
    ['1.24', {min: 28}],
    ['1.29', {min: 30}],
    ['1.31', {min: 32}],
  ])('%s runs on Kubernetes %j', (text, range) => {
    expect(kubernetesRange(version(text))).toEqual(range);
  });
});
