import {expect, it} from 'vitest';
import {readControlPlanes} from '../../../src/domain/checks/read/control-plane.js';
import type {DeploymentObject} from '../../../src/domain/checks/read/control-plane.js';

function istiod(value: string): DeploymentObject {
  const env = [{name: 'ENABLE_CLUSTER_TRUST_BUNDLE_API', value}];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'istiod', labels: {app: 'istiod'}},
    spec: {selector: {}, template: {spec: {containers: [{name: 'discovery', image: 'pilot:1.30.0', env}]}}},
  };
}

function withSelectors(mesh: string): () => readonly unknown[] {
  const configMap = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'istio'}, data: {mesh}};
  return () =>
    readControlPlanes({deployments: [istiod('')], configMaps: [configMap], podsOf: () => []}).map(
      ({discoverySelectors}) => discoverySelectors,
    );
}

it.each([
  ['discoverySelectors:\n- matchLabels: {a: b}', [{matchLabels: {a: 'b'}}]],
  [
    'discoverySelectors:\n- matchExpressions: [{key: a, operator: Exists}]',
    [{matchExpressions: [{key: 'a', operator: 'Exists'}]}],
  ],
  ['discoverySelectors:', []],
  ['trustDomain: td', []],
])('%j is read', (mesh, selectors) => {
  expect(withSelectors(mesh)()).toEqual([selectors]);
});

it.each(['discoverySelectors: all', 'discoverySelectors: [null]', 'discoverySelectors:\n- matchExpressions: x'])(
  '%j is unknown, and ends no run',
  (mesh) => {
    expect(withSelectors(mesh)).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  },
);

it.each([
  ['true', undefined],
  ['True', undefined],
  ['1', undefined],
  ['false', 'istio-ca-root-cert'],
  ['yes', 'istio-ca-root-cert'],
])('ENABLE_CLUSTER_TRUST_BUNDLE_API=%s is read as istiod reads it', (value, bundleName) => {
  const [seen] = readControlPlanes({deployments: [istiod(value)], configMaps: [], podsOf: () => []});
  expect(seen?.bundleName).toBe(bundleName);
});
