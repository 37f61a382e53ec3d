import {describe, expect, it} from 'vitest';
import {otherControlPlanes, readOtherControlPlane} from '../../../src/domain/facts/read/other-control-planes.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';

const now = new Date('2026-11-01T12:00:00Z');
const at = (seconds: number): string => new Date(now.getTime() + seconds * 1000).toISOString();

function lock(namespace: string, renewTime: string, holderIdentity = 'istiod-1', holderKey = 'default'): KubeObject {
  const leader = JSON.stringify({holderIdentity, holderKey, leaseDurationSeconds: 30, renewTime});
  const annotations = {'control-plane.alpha.kubernetes.io/leader': leader};
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'istio-namespace-controller-election', namespace, annotations},
  };
}

function istiod(namespace: string, env: Record<string, string> = {}, replicas = 1): DeploymentObject {
  const list = Object.entries(env).map(([name, value]) => ({name, value}));
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'istiod', namespace, labels: {app: 'istiod', 'istio.io/rev': 'default'}},
    spec: {
      replicas,
      selector: {},
      template: {spec: {containers: [{name: 'discovery', image: 'pilot:1.30.0', env: list}]}},
    },
  };
}

function found(locks: readonly KubeObject[], deployments: readonly DeploymentObject[] = []) {
  return otherControlPlanes({istioNamespace: 'istio-system', now, locks, deployments}).map((trace) =>
    readOtherControlPlane(trace, []),
  );
}

describe('a control plane of another namespace', () => {
  it.each<[string, readonly KubeObject[], readonly DeploymentObject[], readonly [string, boolean][]]>([
    ['is found by its lock alone', [lock('other', at(-10))], [], [['other', true]]],
    ['is found by its Deployment and lock once', [lock('other', at(-10))], [istiod('other')], [['other', true]]],
    ['is not known to write if only its Deployment is found', [], [istiod('other')], [['other', false]]],
    [
      'needs no lock without leader election',
      [],
      [istiod('other', {ENABLE_LEADER_ELECTION: 'false'})],
      [['other', true]],
    ],
    ["is not one of Istio's own namespace", [lock('istio-system', at(-1))], [istiod('istio-system')], []],
    ['is gone if it released its lock', [lock('other', at(-10), '')], [], []],
    ['is gone if it has not renewed its lock', [lock('istio-system', at(-5)), lock('other', at(-300))], [], []],
    [
      'is gone if its lock has not been renewed for days',
      [lock('istio-system', at(-3e5)), lock('other', at(-3e5))],
      [],
      [],
    ],
    [
      'is found although the clock of this machine is 10 minutes ahead',
      [lock('istio-system', at(-605)), lock('other', at(-600))],
      [],
      [['other', true]],
    ],
    ['is not found if it is scaled to 0', [], [istiod('other', {}, 0)], []],
  ])('%s', (_, locks, deployments, expected) => {
    expect(found(locks, deployments).map(({namespace, isWriting}) => [namespace, isWriting])).toEqual(expected);
  });

  it('has the selectors of its own mesh config, and the bundle name of its Deployment', () => {
    const meshConfig = (namespace: string, team: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {name: 'istio', namespace},
      data: {mesh: `discoverySelectors:\n- matchLabels: {team: ${team}}\n`},
    });
    const configs = [meshConfig('istio-system', 'ours'), meshConfig('other', 'theirs')];
    const [trace] = otherControlPlanes({
      istioNamespace: 'istio-system',
      now,
      locks: [lock('other', at(-1))],
      deployments: [istiod('other', {PILOT_CA_CERT_CONFIGMAP: 'roots'})],
    });
    expect(trace && readOtherControlPlane(trace, configs)).toMatchObject({
      bundleName: 'roots',
      discoverySelectors: [{matchLabels: {team: 'theirs'}}],
    });
  });

  it('has the revision that its lock names', () => {
    const traces = otherControlPlanes({
      istioNamespace: 'istio-system',
      now,
      locks: [lock('other', at(-1), 'istiod-1', '^canary')],
      deployments: [],
    });
    expect(traces.map(({revision}) => revision)).toEqual(['canary']);
  });

  it('is unknown if its lock is unreadable', () => {
    const bad = lock('other', at(-1));
    const annotations = {'control-plane.alpha.kubernetes.io/leader': '{{'};
    expect(() => found([{...bad, metadata: {...bad.metadata, annotations}}])).toThrow(
      expect.objectContaining({code: 'API_ERROR'}),
    );
  });
});
