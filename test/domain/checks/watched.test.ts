import {describe, expect, it} from 'vitest';
import {factOrigins} from '../../../src/domain/checks/facts.js';
import type {FactKey} from '../../../src/domain/checks/facts.js';
import {bundleNamesIn, objectsBehind, shownBy} from '../../../src/domain/checks/watched.js';

const keys = Object.keys(factOrigins) as FactKey[];
const place = {istioNamespace: 'istio-system', bundleNames: ['istio-ca-root-cert']};
const all = {noSecrets: false, noLive: false, offline: false, access: true};
const kindsOf = (key: FactKey, limits = all): readonly string[] =>
  objectsBehind(key, limits, place).map(({kind, name}) => (name === undefined ? kind : `${kind} ${name}`));

describe('what tells of changes', () => {
  it('is known for every fact of the API server that is read from objects: a new one needs a line in the table', () => {
    const others = keys.filter((key) => ['API server', 'Secret'].includes(factOrigins[key].from));
    expect(others.filter((key) => objectsBehind(key, all, place).length === 0)).toEqual(['apiVersion', 'access']);
  });

  it('of files are files, of running istiods nothing, though their pods say when to ask again', () => {
    expect(shownBy('installFile')).toBe('files');
    expect(shownBy('servedChains')).toBe('nothing');
    expect(kindsOf('servedChains')).toEqual(['Deployment', 'Pod']);
    expect(shownBy('apiVersion')).toBe('nothing');
  });

  it('is watched by name where it is a Secret, and not at all with --no-secrets', () => {
    expect(kindsOf('cacerts')).toEqual(['Secret cacerts']);
    const secrets = keys.flatMap((key) => objectsBehind(key, {...all, noSecrets: true}, place));
    expect(secrets.filter(({kind}) => kind === 'Secret')).toEqual([]);
  });

  it('is nothing of a cluster with --offline', () => {
    expect(keys.flatMap((key) => kindsOf(key, {...all, offline: true}))).toEqual([]);
  });

  it('is the bundle by the name that the control planes give it', () => {
    expect(bundleNamesIn({})).toEqual(['istio-ca-root-cert']);
    const planes = [{bundleName: 'ours'}, {bundleName: 'ours'}, {}];
    expect(bundleNamesIn({controlPlanes: {value: planes as never}})).toEqual(['ours']);
  });
});
