import {describe, expect, it} from 'vitest';
import {losingServices, servicesByCluster} from '../../../src/domain/discovery/lost-endpoints.js';
import {readServiceShards} from '../../../src/domain/facts/read/service-shards.js';

const endpoint = {Address: '10.0.0.1'};

/** The response of an istiod: endpoints by service and cluster. */
function shardz(services: Readonly<Record<string, Readonly<Record<string, number>>>>): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(services).map(([service, clusters]) => {
        const [, namespace = ''] = service.split('.');
        const shards = Object.entries(clusters).map(([cluster, count]) => [
          `Kubernetes/${cluster}`,
          Array<object>(count).fill(endpoint),
        ]);
        return [`${service}.svc.cluster.local`, {[namespace]: {Shards: Object.fromEntries(shards) as object}}];
      }),
    ),
  );
}

const read = (...services: Parameters<typeof shardz>) => readServiceShards(shardz(...services), 'istiod-1');

describe('the services of a response', () => {
  it('have the endpoints of each cluster, empty shards left out', () => {
    const [cart] = read({'cart.shop': {c1: 2, c2: 1, c3: 0}});
    expect(cart?.namespace).toBe('shop');
    expect(Object.fromEntries(cart?.endpoints ?? [])).toEqual({c1: 2, c2: 1});
  });

  it('count the endpoints of ServiceEntries and those without shards', () => {
    const text = JSON.stringify({
      a: {x: {Shards: {'External/c1': [endpoint], 'Kubernetes/c1': [endpoint]}}},
      b: {x: {Shards: null}},
    });
    expect(readServiceShards(text, 'p').map(({endpoints}) => Object.fromEntries(endpoints))).toEqual([{c1: 2}, {}]);
    expect(readServiceShards('null', 'p')).toEqual([]);
  });

  it.each(['[]', '{"a": 1}', 'no JSON', `{"${'x'.repeat(600)}": {}}`])('are unknown for %s', (text) => {
    expect(() => readServiceShards(text, 'p')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });
});

describe('what a reader loses', () => {
  it('names each service with its lost and remaining endpoints, the last ones first', () => {
    const services = read({'cart.shop': {c1: 2, c2: 1}, 'pay.shop': {c2: 3}, 'only.shop': {c1: 1}});
    expect(losingServices(services, 'c2', 'istio-system')).toEqual([
      {host: 'pay.shop.svc.cluster.local', lost: 3, left: 0},
      {host: 'cart.shop.svc.cluster.local', lost: 1, left: 2},
    ]);
  });

  it('is nothing for services that are used in their own cluster only', () => {
    const local = read({
      'kubernetes.default': {c2: 1},
      'dns.kube-system': {c2: 2},
      'istiod.istio-system': {c2: 1},
      'istiod-1-30.istio-system': {c2: 1},
    });
    expect(losingServices(local, 'c2', 'istio-system')).toEqual([]);
    const others = read({'kubernetes.shop': {c2: 1}, 'istiod.shop': {c2: 1}, 'gateway.istio-system': {c2: 1}});
    expect(losingServices(others, 'c2', 'istio-system')).toHaveLength(3);
  });

  it('is compared with the services of each cluster', () => {
    const services = read({'kubernetes.default': {c1: 1, c2: 1, c3: 1}, 'cart.shop': {c2: 1, c3: 1}});
    expect(servicesByCluster(services)).toEqual([
      {cluster: 'c1', services: 1},
      {cluster: 'c2', services: 2},
      {cluster: 'c3', services: 2},
    ]);
  });
});
