/** The work of verify in a mesh of many clusters: pairs grow with the square of the clusters, what they compare must not. */
import {beforeAll, describe, expect, it} from 'vitest';
import {judge} from '../../../src/domain/checks/judge.js';
import {topologyOf} from '../../../src/domain/checks/topology.js';
import {acceptanceCheck} from '../../../src/domain/checks/trust/acceptance.js';
import {type Evidence, type LiveRoots, PerPod, type ServedChain} from '../../../src/domain/facts/facts.js';
import {certificateFacts} from '../../../src/domain/facts/read/cluster-ca.js';
import {known} from '../../../src/domain/observed.js';
import type {Certificate} from '../../../src/domain/x509/certificate.js';
import {tinyClusterCa, tinyLeaf, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';
import {evidence} from './healthy.js';

let root: TinyCa;
let signatures = 0;

/** A copy, as another cluster's API server returns it, which counts the verifications of its signature. */
function counted({certificate}: TinyCa): Certificate {
  return {
    ...certificate,
    signedBy(key) {
      signatures += 1;
      return certificate.signedBy(key);
    },
  };
}

async function chainOf(cluster: string): Promise<ServedChain> {
  const ca = await tinyClusterCa(root, cluster);
  const certificates = [await tinyLeaf(ca), ca, root].map(counted);
  return {chain: certificates.map(certificateFacts), certificates, linked: true};
}

async function meshOf(count: number): Promise<Evidence> {
  const names = Array.from({length: count}, (_, index) => `c${String(index + 1)}`);
  const base = evidence();
  const [{cluster} = {}] = base.clusters;
  if (!cluster) throw new Error('a cluster');
  const clusters = names.map(async (name) => {
    const liveRoots: LiveRoots = {from: 'ConfigMap', certificates: [counted(root)]};
    const servedChains = new PerPod([{name: 'istiod-1', observed: known(await chainOf(name))}]);
    return {cluster: {...cluster, name}, facts: {liveRoots: known(liveRoots), servedChains: known(servedChains)}};
  });
  return {...base, now: new Date(), clusters: await Promise.all(clusters)};
}

beforeAll(async () => {
  root = await tinyRoot();
});

describe('a mesh of many clusters', () => {
  it('has each chain verified once against the same roots', async () => {
    const work = async (count: number): Promise<number> => {
      const mesh = await meshOf(count);
      signatures = 0;
      const {checks} = judge([acceptanceCheck], mesh);
      const {clusters} = topologyOf(mesh, {checks});
      expect(checks.filter(({result}) => result === 'ok')).toHaveLength(count * (count - 1));
      expect(clusters.flatMap(({accepts}) => accepts.map(({result}) => result))).not.toContain('no');
      return signatures;
    };
    const few = await work(3);
    expect(few).toBeGreaterThan(0);
    expect(await work(12)).toBe(4 * few);
  });
});
