import {describe, expect, it} from 'vitest';
import type {ConfigMapObject} from '../../../src/domain/kube/objects.js';
import {isProxy, proxyRules} from '../../../src/domain/facts/read/proxies.js';
import {controlPlane, now, workload} from './healthy.js';

const hour = 3_600_000;

function config(name: string, mesh: string): ConfigMapObject {
  const managedFields = [{operation: 'Apply', time: now.toISOString(), fieldsV1: {'f:data': {'f:mesh': {}}}}];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, namespace: 'istio-system', managedFields},
    data: {mesh},
  };
}

const subscribing = 'defaultConfig: {proxyMetadata: {PROXY_CONFIG_XDS_AGENT: "true"}}';
const multiRoot = {ISTIO_MULTIROOT_MESH: 'true'};
const plane = (revision: string, env: Record<string, string>, minor = 31) =>
  controlPlane('cluster1', {revision, workload: workload('istiod', {env}), version: {major: 1, minor}});

describe('how soon proxies get new roots', () => {
  it.each([
    ['of one control plane', [plane('default', multiRoot)], [config('istio', subscribing)], true],
    [
      'of two',
      [plane('default', multiRoot), plane('b', multiRoot)],
      [config('istio', subscribing), config('istio-b', subscribing)],
      true,
    ],
    [
      'of two, one without the setting',
      [plane('default', multiRoot), plane('b', {})],
      [config('istio', subscribing), config('istio-b', subscribing)],
      false,
    ],
    ['with agents that do not subscribe', [plane('default', multiRoot)], [config('istio', '{}')], false],
    ['of a version without the setting', [plane('default', multiRoot, 9)], [config('istio', subscribing)], false],
    ['without any control plane', [], [], false],
  ] as const)('at once: %s', (_, planes, configs, pushed) => {
    expect(proxyRules(planes, configs).pushedSince !== undefined).toBe(pushed);
  });

  it.each([
    ['a day', {}, '{}', 24],
    ['a day if the metadata is not text', {}, 'defaultConfig: {proxyMetadata: {SECRET_TTL: {toString: 1}}}', 24],
    ['a day if the configuration is not an object', {}, 'defaultConfig: [1]', 24],
    ['longer if proxies request more', {}, 'defaultConfig: {proxyMetadata: {SECRET_TTL: 48h}}', 48],
    [
      'at most the maximum of istiod',
      {MAX_WORKLOAD_CERT_TTL: '36h'},
      'defaultConfig: {proxyMetadata: {SECRET_TTL: 48h}}',
      36,
    ],
    [
      'a day also if the setting is shorter: a pod can override it',
      {},
      'defaultConfig: {proxyMetadata: {SECRET_TTL: 1h}}',
      24,
    ],
    ['a day if the setting is unreadable', {DEFAULT_WORKLOAD_CERT_TTL: 'long'}, '', 24],
  ])('after %s', (_, env, mesh, hours) => {
    expect(proxyRules([plane('default', env)], [config('istio', mesh)]).leafLifetimeMs).toBe(hours * hour);
  });
});

describe('a pod with the proxy label', () => {
  const labelled = (metadata: object, namespace = 'shop') => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'x', namespace, ...metadata},
  });

  it.each([
    ['with the annotation of the injector', labelled({annotations: {'sidecar.istio.io/status': '{}'}}), true],
    ['of a Gateway', labelled({labels: {'gateway.networking.k8s.io/gateway-name': 'waypoint'}}), true],
    ['of another program', labelled({}), false],
    [
      'of a gateway that restarts with istiod',
      labelled(
        {annotations: {'sidecar.istio.io/status': '{}'}, labels: {'operator.istio.io/component': 'IngressGateways'}},
        'istio-system',
      ),
      false,
    ],
  ])('%s is classified (%#)', (_, pod, expected) => {
    expect(isProxy(pod, 'istio-system')).toBe(expected);
  });
});
