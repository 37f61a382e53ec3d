import {describe, expect, it} from 'vitest';
import {readControlPlanes, readGateways} from '../../../../src/domain/facts/read/control-plane.js';
import type {ConfigMapObject, DeploymentObject} from '../../../../src/domain/kube/objects.js';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

function deployment(labels: Readonly<Record<string, string>>, ...env: readonly Variable[]): DeploymentObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'istiod', namespace: 'istio-system', labels},
    spec: {selector: {}, template: {spec: {containers: [{name: 'discovery', env: [...env]}]}}},
  };
}

function names(env: readonly Variable[], values?: unknown): readonly (string | undefined)[] {
  const configMaps: readonly ConfigMapObject[] =
    values === undefined
      ? []
      : [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: {name: 'istio-sidecar-injector', namespace: 'istio-system'},
            data: {values: JSON.stringify(values)},
          },
        ];
  const [one] = readControlPlanes({deployments: [deployment({app: 'istiod'}, ...env)], configMaps, podsOf: () => []});
  return [one?.clusterID, one?.proxyClusterID];
}

const global = (multiCluster: unknown) => ({global: {multiCluster}});

describe('the clusterName', () => {
  it.each<readonly [what: string, env: readonly Variable[], values: unknown, expected: readonly unknown[]]>([
    ['is set', [{name: 'CLUSTER_ID', value: 'c1'}], global({clusterName: 'c1'}), ['c1', 'c1']],
    ["is Istio's default if it is not set", [], global({}), ['Kubernetes', 'Kubernetes']],
    [
      "is Istio's default if it is empty",
      [{name: 'CLUSTER_ID', value: ''}],
      global({clusterName: ''}),
      ['Kubernetes', 'Kubernetes'],
    ],
    [
      'is unknown if another object has it',
      [{name: 'CLUSTER_ID', valueFrom: {configMapKeyRef: {name: 'x', key: 'y'}}}],
      undefined,
      [undefined, undefined],
    ],
    ['of proxies is unknown if the values do not have the field', [], {global: {}}, ['Kubernetes', undefined]],
    ['of proxies is unknown if it is not a text', [], global({clusterName: 7}), ['Kubernetes', undefined]],
  ])('%s', (_, env, values, expected) => {
    expect(names(env, values)).toEqual(expected);
  });

  it('of a gateway is the one in its environment', () => {
    const labels = {'operator.istio.io/component': 'IngressGateways'};
    const own = deployment(labels, {name: 'ISTIO_META_CLUSTER_ID', value: 'c1'});
    const gateways = readGateways({deployments: [own, deployment(labels)], podsOf: () => []});
    expect(gateways.map(({clusterID}) => clusterID)).toEqual(['c1', undefined]);
  });
});

describe('revocation lists', () => {
  const configMap = (name: string, text: string): ConfigMapObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name, namespace: 'istio-system'},
    data: {'ca-crl.pem': text},
  });
  const renamed = {name: 'PILOT_CRL_CONFIGMAP', value: 'lists'};

  it.each([
    ['are published', [], configMap('istio-ca-crl', 'a list'), true],
    ['are none in an empty ConfigMap, which istiod always writes', [], configMap('istio-ca-crl', '\n'), undefined],
    ['may be in a ConfigMap of another name', [renamed], configMap('lists', 'a list'), true],
    ['are none in a ConfigMap that istiod does not write', [renamed], configMap('istio-ca-crl', 'a list'), undefined],
  ])('%s', (_, env, one, expected) => {
    const [found] = readControlPlanes({
      deployments: [deployment({app: 'istiod'}, ...env)],
      configMaps: [one],
      podsOf: () => [],
    });
    expect(found?.publishesLists).toBe(expected);
  });
});

describe('the version', () => {
  it.each([
    ['istio/pilot:1.30.3', '1.30.2', undefined, 30],
    ['istio/pilot@sha256:00', '1.20.8', '1.20.8', 20],
    ['istio/pilot:ours', '1.99.0', '1.99.0', 32],
    ['istio/pilot:ours', 'ours', undefined, 32],
  ])('of image %s with label %s is labeled %s', (image, label, expected, minor) => {
    const labels = {app: 'istiod', 'app.kubernetes.io/version': label};
    const {spec, ...istiod} = deployment(labels);
    const template = {spec: {containers: [{name: 'discovery', image}]}};
    const [found] = readControlPlanes({
      deployments: [{...istiod, spec: {...spec, template}}],
      configMaps: [],
      podsOf: () => [],
    });
    expect([found?.labeledVersion, found?.version.minor]).toEqual([expected, minor]);
  });
});
