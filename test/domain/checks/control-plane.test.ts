import {expect, it} from 'vitest';
import {readControlPlanes, readGateways} from '../../../src/domain/facts/read/control-plane.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {readIstiod} from '../../../src/domain/trust/istiod.js';

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
])('reads %j', (mesh, selectors) => {
  expect(withSelectors(mesh)()).toEqual([selectors]);
});

it.each(['discoverySelectors: all', 'discoverySelectors: [null]', 'discoverySelectors:\n- matchExpressions: x'])(
  'reports %j as unknown instead of aborting the run',
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
])('interprets ENABLE_CLUSTER_TRUST_BUNDLE_API=%s as istiod does', (value, bundleName) => {
  const [read] = readControlPlanes({deployments: [istiod(value)], configMaps: [], podsOf: () => []});
  expect(read?.bundleName).toBe(bundleName);
});

const none = {configMaps: [], podsOf: () => []};

/** A Deployment with this container after an injected one. */
function behindAnother(name: string, labels: Readonly<Record<string, string>>): DeploymentObject {
  const container = (one: string) => ({name: one, image: `${one}:1.30.0`, env: [{name: 'OF', value: one}]});
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, labels},
    spec: {selector: {}, template: {spec: {containers: [container('agent'), container(name)]}}},
  };
}

it('reads the environment of istiod and of a gateway from their own containers, regardless of order', () => {
  const discovery = behindAnother('discovery', {app: 'istiod'});
  const proxy = behindAnother('istio-proxy', {'operator.istio.io/component': 'IngressGateways'});
  const deployments = [discovery, proxy];
  expect([
    ...readControlPlanes({...none, deployments}).map(({workload}) => workload.env),
    readIstiod(discovery).env,
    ...readGateways({...none, deployments}).map(({workload}) => workload.env),
  ]).toEqual([{OF: 'discovery'}, {OF: 'discovery'}, {OF: 'istio-proxy'}]);
});

it('ignores control planes and gateways that are being deleted', () => {
  const deleted = (deployment: DeploymentObject): DeploymentObject => ({
    ...deployment,
    metadata: {...deployment.metadata, deletionTimestamp: '2026-01-01T00:00:00Z'},
  });
  const both = [
    behindAnother('discovery', {app: 'istiod'}),
    behindAnother('istio-proxy', {'operator.istio.io/component': 'IngressGateways'}),
  ];
  const counts = (deployments: readonly DeploymentObject[]): readonly number[] => [
    readControlPlanes({...none, deployments}).length,
    readGateways({...none, deployments}).length,
  ];
  expect([counts(both), counts(both.map(deleted))]).toEqual([
    [1, 1],
    [0, 0],
  ]);
});
