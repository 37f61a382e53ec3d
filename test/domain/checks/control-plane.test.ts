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
