/** Which findings explain requests that were not answered. */
import {describe, expect, it} from 'vitest';
import {PerCluster, type TrafficFacts} from '../../../src/domain/facts/facts.js';
import {known} from '../../../src/domain/observed.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {judgedText} from '../../helpers/suggestions.js';
import {failed} from './faults/rows/traffic.js';
import {evidence, networkGateway, type Overrides} from './healthy.js';

const toOther = (other: string, facts: TrafficFacts) => ({
  traffic: new PerCluster([{name: other, observed: known(facts)}]),
});
const reset = failed('upstream connect error or disconnect/reset before headers. reset reason: connection timeout');

/** `MESH601 cluster1`, and the check that is its cause. */
function causes(overrides: Overrides): readonly string[] {
  return judgedText(checks, evidence(overrides))
    .checks.filter(({id, result}) => id.startsWith('MESH6') && result !== 'ok')
    .map(({id, cluster = '', impliedBy = 'itself'}) => `${id} ${cluster}: ${impliedBy}`);
}

/** The gateway of cluster1 has no address. */
const gateway1 = {networkGateways: [networkGateway('network1', {addresses: []})]};

describe('requests that are not answered', () => {
  it('follow from the gateway of the cluster that they are sent to', () => {
    expect(causes({cluster1: gateway1, cluster2: toOther('cluster1', reset)})).toEqual(['MESH601 cluster2: MESH411']);
  });

  it('do not follow from the gateway of the cluster that sends them, nor do those within a cluster', () => {
    expect(causes({cluster1: {...gateway1, ...toOther('cluster2', reset)}})).toEqual(['MESH601 cluster1: itself']);
    expect(causes({cluster1: {...gateway1, localTraffic: reset}})).toEqual(['MESH602 cluster1: itself']);
  });

  it('do not follow from a gateway if the response comes from the other side', () => {
    const denied = failed('RBAC: access denied');
    expect(causes({cluster1: gateway1, cluster2: toOther('cluster1', denied)})).toEqual(['MESH601 cluster2: itself']);
  });
});

it('are not expected between a cluster and the remote of another primary', () => {
  const declared1 = {role: 'remote', primary: 'p2'} as const;
  const {checks: rows} = judgedText(checks, evidence({declared1, cluster2: toOther('cluster1', reset)}));
  expect(rows.find(({id, cluster}) => id === 'MESH601' && cluster === 'cluster2')?.result).toBe('skipped');
});
