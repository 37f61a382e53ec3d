/** Which clusters take part in `verify --traffic`, and in which order. */
import {describe, expect, it} from 'vitest';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';
import {
  planDeploy,
  planRemoval,
  planRequests,
  type TrafficCluster,
} from '../../../src/operations/verify/plan-traffic.js';
import {meshWith, primary} from '../../domain/install/meshes.js';

const clusters: readonly MeshCluster[] = [
  {name: 'r1', role: 'remote', primary: 'p1', network: 'network1'},
  primary('p1'),
  primary('p2'),
  {name: 'r2', role: 'remote', primary: 'p2', network: 'network1'},
];
const mesh = meshWith({clusters});
const state = (cluster: MeshCluster): TrafficCluster => ({
  cluster,
  controlPlanes: [],
  state: {value: {context: `ctx-${cluster.name}`, uid: `uid-${cluster.name}`}},
});
const facts = (names: readonly string[]) => ({
  mesh,
  run: 'run',
  owner: 'owner',
  now: new Date(0),
  timeoutMs: 1000,
  concurrency: 10,
  clusters: clusters.filter(({name}) => names.includes(name)).map(state),
});
const all = clusters.map(({name}) => name);
const lanes = (plan: {readonly groups: readonly {readonly lanes: readonly {readonly key: string}[]}[]}) =>
  plan.groups.map((group) => group.lanes.map(({key}) => key));

describe('remotes', () => {
  it('get pods after their primaries, whose policies protect them, and lose them before', () => {
    const plan = planDeploy(facts(all));
    expect(lanes(plan)).toEqual([
      ['p1', 'p2'],
      ['r1', 'r2'],
    ]);
    expect(plan.participants.map(({deploy}) => deploy.protectedBy)).toEqual(['ctx-p1', undefined, undefined, 'ctx-p2']);
    expect(lanes(planRemoval(plan.participants, mesh, 'run'))).toEqual([
      ['r1', 'r2'],
      ['p1', 'p2'],
    ]);
  });

  it('get none without their primary', () => {
    const {participants, excluded} = planDeploy(facts(['r1', 'p2', 'r2']));
    expect(participants.map(({name}) => name)).toEqual(['p2', 'r2']);
    expect(excluded.get('r1')?.code).toBe('NOT_READY');
  });

  it('get requests only from clusters whose istiod reads them', () => {
    const {participants} = planDeploy(facts(all));
    const ready = participants.map((participant) => ({participant, echo: ['e'], client: ['c']}));
    const actions = planRequests(ready, mesh, 1000).groups.flatMap((group) =>
      group.lanes.flatMap((lane) => lane.actions),
    );
    const targets = actions.map((action) =>
      action.kind === 'send-requests' ? [action.cluster, action.targets.map(({cluster}) => cluster)] : [],
    );
    expect(targets).toEqual([
      ['r1', ['r1', 'p1', 'p2']],
      ['p1', ['r1', 'p1', 'p2']],
      ['p2', ['p1', 'p2', 'r2']],
      ['r2', ['p1', 'p2', 'r2']],
    ]);
  });
});
