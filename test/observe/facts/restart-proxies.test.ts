import {describe, expect, it} from 'vitest';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';
import {restartCommand} from '../../../src/observe/facts/restart-proxies.js';
import {textOf} from '../../helpers/suggestions.js';

const cluster: MeshCluster = {name: 'cluster1', context: 'kind-cluster1', role: 'primary'};
const kubectl = (words: string): string => `kubectl --context kind-cluster1 ${words}`;

function pod(namespace: string, kind?: string, owner = 'x', labels: Record<string, string> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'x',
      namespace,
      labels,
      ...(kind !== undefined && {ownerReferences: [{kind, name: owner, uid: '1'}]}),
    },
  };
}

function ofDeployment(namespace: string, name: string): KubeObject {
  return pod(namespace, 'ReplicaSet', `${name}-7d4b9`, {'pod-template-hash': '7d4b9'});
}

function restartOf(...proxies: readonly KubeObject[]): string {
  return textOf(restartCommand({proxies, ztunnels: []}, cluster));
}

describe('the restart of proxies', () => {
  it('names the owner of each kind once', () => {
    const pods = [
      ofDeployment('shop', 'web-1'),
      ofDeployment('shop', 'web-1'),
      pod('shop', 'StatefulSet', 'db'),
      pod('shop', 'DaemonSet', 'agent'),
      ofDeployment('bank', 'web'),
    ];
    expect(restartOf(...pods).split(' && ')).toEqual([
      kubectl('-n bank rollout restart deployment/web'),
      kubectl('-n shop rollout restart daemonset/agent deployment/web-1 statefulset/db'),
    ]);
  });

  it.each([
    ['a bare pod', pod('jobs')],
    ['a Job', pod('jobs', 'Job')],
    ['an Argo Rollout', pod('jobs', 'ReplicaSet', 'x-7d4b9', {'rollouts-pod-template-hash': '7d4b9'})],
    ['a ReplicaSet without a Deployment', pod('jobs', 'ReplicaSet', 'x')],
    ['a ReplicaSet with the hash of another', pod('jobs', 'ReplicaSet', 'x-1', {'pod-template-hash': '7d4b9'})],
  ])('leaves alone what it cannot restart: %s', (_, alone) => {
    expect(restartOf(alone, ofDeployment('shop', 'web'))).toBe(kubectl('-n shop rollout restart deployment/web'));
    expect(restartOf(alone)).toMatch(/ get pods /);
  });

  it.each([
    [20, /^kubectl .*-n ns0 rollout restart deployment\/web0 && .* deployment\/web9$/],
    [21, /^for namespace in ns0 ns1 .*; do kubectl .* -n "\$namespace" rollout restart deployment,.*; done$/],
  ])('of %d workloads', (count, command) => {
    const pods = Array.from({length: count}, (_, at) => ofDeployment(`ns${String(at)}`, `web${String(at)}`));
    expect(restartOf(...pods)).toMatch(command);
  });

  it('quotes names that a shell would execute', () => {
    expect(restartOf(pod('shop', 'DaemonSet', 'x;touch y'))).toContain("'daemonset/x;touch y'");
  });
});
