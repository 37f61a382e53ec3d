import {beforeAll, describe, expect, it} from 'vitest';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import {restartReason, type IstiodObservation} from '../../../src/domain/trust/istiod.js';
import {usualSource} from '../../helpers/ca-mount.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';

let a: string;
let b: string;

beforeAll(async () => {
  [a, b] = (await Promise.all([tinyRoot(), tinyRoot()])).map(({certificate}) => certificate.pem) as [string, string];
});

const istiod = (version: string, env: Record<string, string> = {}, readyPods = 1): IstiodObservation => ({
  name: 'istiod',
  version: resolveVersion(version),
  env,
  readyPods,
  caSource: usualSource,
});
const multi = {ISTIO_MULTIROOT_MESH: 'true'};

describe('whether a running istiod needs a restart', () => {
  it.each([
    ['1.6.14', {}, 'A', 'A', true],
    ['1.13.9', {AUTO_RELOAD_PLUGIN_CERTS: 'true'}, 'A', 'A', true],
    ['1.14.2', {}, 'A', 'A', true],
    ['1.14.2', {AUTO_RELOAD_PLUGIN_CERTS: 'true'}, 'A', 'A', false],
    ['1.18.0', {}, 'A', 'A', false],
    ['1.18.0', {AUTO_RELOAD_PLUGIN_CERTS: 'false'}, 'A', 'A', true],
    ['1.19.10', multi, 'A', 'AB', true],
    ['1.20.0', {}, 'A', 'AB', true],
    ['1.20.0', multi, 'A', 'AB', false],
    ['1.29.6', multi, 'AB', 'B', false],
    ['1.29.6', multi, 'AB', 'BA', true],
    ['1.30.0', multi, 'AB', 'BA', false],
    ['1.30.0', multi, 'A', 'B', true],
    ['1.30.0', {ISTIO_MULTIROOT_MESH: '1'}, 'A', 'AB', false],
    ['1.30.0', {ISTIO_MULTIROOT_MESH: 'yes'}, 'A', 'AB', true],
    ['unknown', {}, 'A', 'A', false],
  ])('%s with %j from %s to %s: %s', (version, env, from, to, needed) => {
    const text = (roots: string): string => Array.from(roots, (root) => (root === 'A' ? a : b)).join('');
    const change = {liveBundles: [text(from)], newBundle: text(to), selfSigned: false};
    expect(restartReason(istiod(version, env), change) !== undefined).toBe(needed);
  });

  it.each([
    ['1.26.8', {}, false],
    ['1.27.0', {}, true],
    ['1.31.0', {}, true],
    ['1.31.0', {PILOT_ENABLE_CA_CRL: 'false'}, false],
    ['1.31.1', {}, false],
    ['1.32.0', {}, false],
  ])('if lists are removed under %s with %j: %s', (version, env, needed) => {
    const change = {liveBundles: [a], newBundle: a, selfSigned: false, removesLists: true};
    expect(restartReason(istiod(version, env), change) !== undefined).toBe(needed);
    expect(restartReason(istiod(version, env), {...change, removesLists: false})).toBeUndefined();
  });

  it('is true with a self-signed CA', () => {
    expect(restartReason(istiod('1.30.1', multi), {liveBundles: [a], newBundle: a, selfSigned: true})).toBeDefined();
  });

  it('depends on both ConfigMap and Secret: after a restart the ConfigMap may be outdated', () => {
    const lagging = {liveBundles: [a, b], newBundle: a, selfSigned: false};
    expect(restartReason(istiod('1.30.1'), lagging)).toBeDefined();
    expect(restartReason(istiod('1.30.1'), {...lagging, liveBundles: [a, a]})).toBeUndefined();
  });

  it('is false without ready pods: istiod reads the CA when it starts', () => {
    expect(restartReason(istiod('1.6.14', {}, 0), {liveBundles: [a], newBundle: b, selfSigned: true})).toBeUndefined();
  });
});
