import {describe, expect, it} from 'vitest';
import {readHubs} from '../../../../src/domain/facts/read/hubs.js';
import type {ConfigMapObject, DeploymentObject, PodObject} from '../../../../src/domain/kube/objects.js';

const deployment = (name: string, image: string, initImage?: string): DeploymentObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name, namespace: 'istio-system'},
  spec: {
    selector: {matchLabels: {app: name}},
    template: {
      spec: {
        containers: [{name: 'main', image}],
        ...(initImage !== undefined && {initContainers: [{name: 'init', image: initImage}]}),
      },
    },
  },
});
const pod = (name: string, app: string, image: string, phase = 'Running'): PodObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {name, namespace: 'istio-system', labels: {app}},
  spec: {containers: [{name: 'main', image}]},
  status: {phase},
});
const injector = (values: string, name = 'istio-sidecar-injector'): ConfigMapObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name, namespace: 'istio-system'},
  data: {values},
});
const read = (objects: Partial<Parameters<typeof readHubs>[0]>) =>
  readHubs({deployments: [], pods: [], configMaps: [], ...objects});

describe('the hubs', () => {
  it('are those of Deployments, once for each, with their pods', () => {
    const deployments = [deployment('istiod', 'docker.io/istio/pilot:1.31.0', 'istio/proxyv2:1.31.0')];
    const pods = [pod('istiod-1', 'istiod', 'istio/pilot:1.31.0')];
    expect(read({deployments, pods})).toEqual([{hub: 'docker.io/istio', usedBy: 'istiod'}]);
  });

  it('are those that the injector put into pods of a Deployment', () => {
    const deployments = [deployment('gw', 'auto')];
    const pods = [1, 2].map((index) => pod(`gw-${String(index)}`, 'gw', 'gcr.io/istio-release/proxyv2:1.28.0'));
    expect(read({deployments, pods})).toEqual([
      {hub: 'gcr.io/istio-release', usedBy: 'pods of gw', injectedInto: 'gw'},
    ]);
  });

  it('are those of other pods that still run', () => {
    const image = 'registry.istio.io/release/ztunnel:1.30.0';
    const pods = [pod('ztunnel-1', 'ztunnel', image), pod('ztunnel-0', 'ztunnel', image, 'Failed')];
    expect(read({pods})).toEqual([{hub: 'registry.istio.io/release', usedBy: 'pod ztunnel-1'}]);
  });

  it.each([
    [
      'the hub of all',
      '{"global": {"hub": "gcr.io/istio-release", "proxy": {"image": "proxyv2"}}}',
      'gcr.io/istio-release',
    ],
    ['its own image', '{"global": {"proxy": {"image": "gcr.io/istio-release/proxyv2:1.9.0"}}}', 'gcr.io/istio-release'],
    ['a hub without a host', '{"global": {"hub": "istio"}}', 'docker.io/istio'],
  ])('are those of the injector: %s', (_what, values, hub) => {
    for (const name of ['istio-sidecar-injector', 'istio-sidecar-injector-1-30']) {
      expect(read({configMaps: [injector(values, name)]})).toEqual([{hub, usedBy: `ConfigMap ${name}`}]);
    }
  });

  it('are not those of the injector that no image is taken from', () => {
    const own = {image: 'mirror.example/istio/proxyv2:1.30.3'};
    const values = (...names: readonly string[]) =>
      injector(
        JSON.stringify({
          global: {hub: 'registry.istio.io/release', ...Object.fromEntries(names.map((name) => [name, own]))},
        }),
      );
    const hubs = (...names: readonly string[]) => read({configMaps: [values(...names)]}).map(({hub}) => hub);
    expect(hubs('proxy', 'proxy_init')).toEqual(['mirror.example/istio']);
    expect(hubs('proxy')).toEqual(['mirror.example/istio', 'registry.istio.io/release']);
  });

  it.each([
    ['values without a hub', injector('{"global": {}}')],
    ['no values', injector('')],
    ['another ConfigMap', injector('{"global": {"hub": "gcr.io/istio-release"}}', 'istio')],
  ])('are none for %s', (_what, configMap) => {
    expect(read({configMaps: [configMap]})).toEqual([]);
  });

  it('are unknown if the values are unreadable', () => {
    expect(() => read({configMaps: [injector('{')]})).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it('cannot contain terminal control sequences', () => {
    const [found] = read({deployments: [deployment('a', 'x.y/a\u001b[2Jb/c')]});
    expect(found?.hub).not.toMatch(/\u001b/);
  });
});
