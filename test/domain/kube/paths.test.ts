import {describe, expect, it} from 'vitest';
import {collectionPath, objectPath, withQuery} from '../../../src/domain/kube/paths.js';

describe('API paths', () => {
  it.each([
    [{apiVersion: 'v1', kind: 'Namespace', name: 'a'}, '/api/v1/namespaces/a'],
    [{apiVersion: 'v1', kind: 'Secret', namespace: 'n', name: 'a'}, '/api/v1/namespaces/n/secrets/a'],
    [
      {apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: 'a'},
      '/apis/apps/v1/namespaces/n/deployments/a',
    ],
    [
      {apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', name: 'a'},
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/a',
    ],
    [{apiVersion: 'v1', kind: 'Secret', namespace: 'n', name: 'a/b?c'}, '/api/v1/namespaces/n/secrets/a%2Fb%3Fc'],
  ])('%j is %s', (ref, path) => {
    expect(objectPath(ref)).toBe(path);
  });

  it('of a collection may cover all namespaces', () => {
    expect(collectionPath({apiVersion: 'v1', kind: 'Pod'})).toBe('/api/v1/pods');
    expect(collectionPath({apiVersion: 'v1', kind: 'Pod'}, 'n')).toBe('/api/v1/namespaces/n/pods');
  });

  it('of an unknown kind are an internal error', () => {
    expect(() => collectionPath({apiVersion: 'v2', kind: 'Secrets'})).toThrow(
      expect.objectContaining({code: 'INTERNAL'}) as Error,
    );
  });

  it('leave out undefined parameters', () => {
    expect(withQuery('/x', {a: undefined, limit: 500, b: 'c=d'})).toBe('/x?limit=500&b=c%3Dd');
  });
});
