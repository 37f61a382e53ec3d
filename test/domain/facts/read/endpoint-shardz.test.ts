import {describe, expect, it} from 'vitest';
import {readEndpointShardz} from '../../../../src/domain/facts/read/endpoint-shardz.js';

const endpoint = {Addresses: ['10.0.0.1'], EndpointPort: 443};
/** A response as a real istiod 1.30 or 1.31 returns it: shards by service and namespace. */
const shardz = (shards: Record<string, Record<string, unknown>>): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(shards).map(([key, Shards]) => {
        const [namespace = '', service = ''] = key.split('/');
        const host = `${service}.${namespace}.svc.cluster.local`;
        return [host, {[namespace]: {Shards, ServiceAccounts: {}}}];
      }),
    ),
  );
const rejection: unknown = expect.objectContaining({code: 'API_ERROR'});

describe('the endpoints that istiod has', () => {
  it('are counted as services for each cluster', () => {
    const text = shardz({
      'shop/cart': {'Kubernetes/one': [endpoint, endpoint], 'Kubernetes/two': [endpoint]},
      'default/kubernetes': {'Kubernetes/one': [endpoint]},
    });
    expect(readEndpointShardz(text, 'istiod-1')).toEqual([
      {cluster: 'one', services: 2, names: new Set(['shop/cart', 'default/kubernetes']), hasApiServer: true},
      {cluster: 'two', services: 1, names: new Set(['shop/cart']), hasApiServer: false},
    ]);
  });

  it('do not include empty shards, and endpoints of ServiceEntries', () => {
    const text = shardz({'shop/cart': {'Kubernetes/one': [], 'Kubernetes/two': null, 'External/one': [endpoint]}});
    expect(readEndpointShardz(text, 'istiod-1')).toEqual([]);
  });

  it('of a service named kubernetes in another namespace are not those of the API server', () => {
    const text = shardz({'shop/kubernetes': {'Kubernetes/one': [endpoint]}});
    expect(readEndpointShardz(text, 'istiod-1')).toEqual([
      {cluster: 'one', services: 1, names: new Set(['shop/kubernetes']), hasApiServer: false},
    ]);
  });

  it('may be of a cluster whose name contains a slash', () => {
    const text = shardz({'shop/cart': {'Kubernetes/eu/one': [endpoint]}});
    expect(readEndpointShardz(text, 'istiod-1')).toMatchObject([{cluster: 'eu/one'}]);
  });

  it('may be of services with names that JavaScript objects have', () => {
    const text = '{"constructor":{"toString":{"Shards":{"Kubernetes/one":[{}]}}}}';
    expect(readEndpointShardz(text, 'istiod-1')).toMatchObject([{cluster: 'one', services: 1}]);
  });

  it.each(['null', '{}', '{"cart":{"shop":{"Shards":null}}}'])('are none in %s', (text) => {
    expect(readEndpointShardz(text, 'istiod-1')).toEqual([]);
  });

  it('cannot contain terminal control sequences', () => {
    const text = shardz({'shop/cart': {'Kubernetes/a\u001b[2J\nb': [endpoint]}});
    expect(readEndpointShardz(text, 'istiod-1')).toMatchObject([{cluster: 'a b'}]);
  });

  it('are rejected if the name of a cluster is too long', () => {
    const text = shardz({'shop/cart': {[`Kubernetes/${'x'.repeat(10_000)}`]: [endpoint]}});
    expect(() => readEndpointShardz(text, 'istiod-1')).toThrow(rejection);
  });

  it.each([
    '',
    '{',
    '[]',
    '"x"',
    '{"cart":[]}',
    '{"cart":{"shop":{}}}',
    '{"cart":{"shop":{"Shards":[]}}}',
    '{"cart":{"shop":{"Shards":{"Kubernetes/one":7}}}}',
    '<html>',
  ])('are rejected in %j', (text) => {
    expect(() => readEndpointShardz(text, 'istiod-1')).toThrow(rejection);
  });

  it('are one object where several istiods list the same services', () => {
    const list = (...services: readonly string[]) =>
      readEndpointShardz(
        shardz(Object.fromEntries(services.map((name) => [name, {'Kubernetes/one': [endpoint]}]))),
        'p',
      );
    const [first, second, other] = [list('shop/a', 'shop/b'), list('shop/a', 'shop/b'), list('shop/a')];
    expect(second[0]?.names).toBe(first[0]?.names);
    expect(other[0]?.names).not.toBe(first[0]?.names);
  });

  it('count for a service only if one is ready, where istiod lists others as well', () => {
    const text = shardz({
      'shop/ready': {'Kubernetes/one': [{HealthStatus: 2}, {HealthStatus: 1}]},
      'shop/unready': {'Kubernetes/one': [{HealthStatus: 2}, {HealthStatus: 4}]},
    });
    expect(readEndpointShardz(text, 'istiod-1')).toEqual([
      {cluster: 'one', services: 2, names: new Set(['shop/ready']), hasApiServer: false},
    ]);
  });
});
