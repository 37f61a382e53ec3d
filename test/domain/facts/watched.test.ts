import {describe, expect, it} from 'vitest';
import {factKeys, readsFiles, readsOf, type FactKey} from '../../../src/domain/facts/facts.js';
import {bundleNamesIn, isWatchable, objectsBehind} from '../../../src/domain/facts/watched.js';

const place = {istioNamespace: 'istio-system', bundleNames: ['istio-ca-root-cert']};
const all = {noSecrets: false, noLive: false, offline: false, access: true};
const kindsOf = (key: FactKey, limits = all): readonly string[] =>
  objectsBehind(key, limits, place).map(({kind, name}) => (name === undefined ? kind : `${kind} ${name}`));

describe('what tells of changes', () => {
  it('are objects for every fact that is read from objects, by the requests of its row', () => {
    const others = factKeys.filter((key) => readsOf(key).length > 0 || !readsFiles(key));
    expect(others.filter((key) => objectsBehind(key, all, place).length === 0)).toEqual(['apiVersion', 'access']);
  });

  it('of files are files, of running istiods nothing, though their Deployments and pods say when to ask again', () => {
    expect([isWatchable('installFile'), readsFiles('installFile'), kindsOf('installFile')]).toEqual([true, true, []]);
    expect(isWatchable('servedChains')).toBe(false);
    expect(kindsOf('servedChains')).toEqual(['Deployment', 'Pod', 'ConfigMap']);
    expect(isWatchable('apiVersion')).toBe(false);
  });

  it('are no pods of workloads, which change all the time: what rests on them is asked again', () => {
    expect(factKeys.filter((key) => !isWatchable(key))).toEqual([
      'apiVersion',
      'access',
      'proxyRoots',
      'networkGateways',
      'servedChains',
      'istiodMetrics',
      'istiodClusters',
    ]);
  });

  it('are all namespaces where one of them is read: one watch for both', () => {
    expect(objectsBehind('clusterUid', all, place)).toEqual(objectsBehind('namespaces', all, place));
  });

  it('is watched by name where it is a Secret, and not at all with --no-secrets', () => {
    expect(kindsOf('cacerts')).toEqual(['Secret cacerts']);
    const secrets = factKeys.flatMap((key) => objectsBehind(key, {...all, noSecrets: true}, place));
    expect(secrets.filter(({kind}) => kind === 'Secret')).toEqual([]);
  });

  it('is nothing of a cluster with --offline', () => {
    expect(factKeys.flatMap((key) => kindsOf(key, {...all, offline: true}))).toEqual([]);
  });

  it('is the bundle by the name that the control planes give it', () => {
    expect(bundleNamesIn({})).toEqual(['istio-ca-root-cert']);
    const planes = [{bundleName: 'ours'}, {bundleName: 'ours'}, {}];
    expect(bundleNamesIn({controlPlanes: {value: planes as never}})).toEqual(['ours']);
  });
});
