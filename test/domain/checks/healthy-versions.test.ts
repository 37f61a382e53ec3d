/** Healthy meshes of every Istio version raise no alarm; what is wrong in a version does. */
import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../src/domain/facts/facts.js';
import {known} from '../../../src/domain/observed.js';
import {daysFromNow, istiodMetrics, readCluster, type ClusterValues, type Overrides} from './healthy.js';
import {meshesOf, minors, valuesOf} from './healthy-versions.js';
import {failures} from './faults/builders.js';

/** The first and the last patch release of a minor version; there were never as many as 20. */
const releases = minors.flatMap((minor) => [0, 20].map((patch) => `1.${String(minor)}.${String(patch)}`));

describe.each(releases)('a healthy mesh of Istio %s', (tag) => {
  it('raises no alarm', () => {
    for (const overrides of meshesOf(tag)) {
      expect(failures(overrides), overrides.cluster1?.apiVersion?.gitVersion).toEqual([]);
    }
  });
});

/** The healthy mesh of a release, with some facts of cluster1 as they would be wrong in it. */
function spoiled(tag: string, change: (values: ClusterValues) => Partial<ClusterValues>): Overrides {
  const [healthy = {}] = meshesOf(tag);
  const values = valuesOf('cluster1', tag, healthy.cluster1?.apiVersion?.minor ?? 0);
  return {...healthy, cluster1: {...values, ...change(values)}};
}

const metrics = (change: Parameters<typeof istiodMetrics>[1]): Partial<ClusterValues> => ({
  istiodMetrics: new PerPod([{name: 'istiod-1', observed: known(istiodMetrics('cluster1', change))}]),
});

describe('what is wrong', () => {
  it.each(minors)('in 1.%i is an alarm: an istiod of another version', (minor) => {
    const tag = `1.${String(minor)}.0`;
    expect(failures(spoiled(tag, () => metrics({version: '1.4.0'})))).toContain('MESH408 error');
  });

  it.each<[string, string, (values: ClusterValues) => Partial<ClusterValues>, readonly string[]]>([
    [
      'no bundle in kube-system, as until 1.20',
      '1.21.0',
      () => ({bundles: valuesOf('cluster1', '1.20.8', 29).bundles}),
      ['MESH302 error'],
    ],
    [
      "a list without istiod's own cluster, as until 1.21",
      '1.22.0',
      () => ({
        istiodClusters: new PerPod([
          {name: 'istiod-1', observed: known({known: [readCluster('cluster2')], listsItself: true})},
        ]),
      }),
      ['MESH412 error'],
    ],
    [
      'metrics from the start of istiod, as until 1.23',
      '1.24.0',
      () => metrics({version: '1.24.0', caExpiry: daysFromNow(-1)}),
      ['MESH308 error'],
    ],
    [
      'a Kubernetes version that is too old',
      '1.30.0',
      () => ({apiVersion: {gitVersion: 'v1.31.0', major: 1, minor: 31}}),
      ['MESH205 warning'],
    ],
  ])('in one version only is an alarm there: %s', (_, tag, change, expected) => {
    expect(failures(spoiled(tag, change))).toEqual(expected);
  });
});
