/** Healthy pairs are counted where no view lists them: outputs are the same, and memory does not grow with the pairs. */
import {describe, expect, it} from 'vitest';
import {judge} from '../../../src/domain/checks/judge.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {Report} from '../../../src/domain/checks/report.js';
import {topologyOf} from '../../../src/domain/checks/topology.js';
import {PerCluster, type Evidence} from '../../../src/domain/facts/facts.js';
import {groupBy} from '../../../src/domain/group-by.js';
import {known} from '../../../src/domain/observed.js';
import {pairlessFormats, verifyView} from '../../../src/output/views/verify.js';
import {linkedMesh, type ClusterValues} from '../../domain/checks/linked-mesh.js';
import {now} from '../../domain/checks/healthy.js';
import {printed, textOf} from '../../helpers/suggestions.js';

const context = {color: false, now, command: textOf, request: {failOn: 'error'}} as const;
const names = (count: number): readonly string[] => Array.from({length: count}, (_, index) => `c${String(index + 1)}`);
/** Those for which the mesh has facts. */
const discovery = checks.filter(({id}) => id.startsWith('MESH5'));
const ofPairs = discovery.filter(({scope}) => scope === 'pair');

const counted = (of: Evidence, selected = discovery): Report => judge(selected, of, {countsPairs: true});

/** The remote secrets of c2 for some peers are absent, or their state is unknown. */
function without(peers: readonly string[], observed: ClusterValues['remoteSecrets']['parts'][number]['observed']) {
  return (name: string, {remoteSecrets}: ClusterValues): Partial<ClusterValues> =>
    name !== 'c2'
      ? {}
      : {
          remoteSecrets: new PerCluster(
            remoteSecrets.parts.map((part) => (peers.includes(part.name) ? {...part, observed} : part)),
          ),
        };
}

const unreachable = {unknown: {code: 'UNREACHABLE', message: 'cannot reach the API server', hints: []}} as const;

const meshes: readonly (readonly [string, Evidence])[] = [
  ['healthy', linkedMesh(names(5))],
  ['more clusters than text lists', linkedMesh(names(14))],
  ['two clusters', linkedMesh(names(2))],
  ['a finding in one pair', linkedMesh(names(5), without(['c4'], known('absent')))],
  ['a finding in all pairs of a reader', linkedMesh(names(5), without(['c1', 'c3', 'c4', 'c5'], known('absent')))],
  ['an unknown pair', linkedMesh(names(5), without(['c4'], unreachable))],
  ['a cluster without istiod', linkedMesh(names(5), (name) => (name === 'c3' ? {controlPlanes: []} : {}))],
];

describe.each(meshes)('%s', (_, of) => {
  it.each(pairlessFormats)('-o %s is the same whether healthy pairs are listed or counted', (format) => {
    for (const selected of [discovery, ofPairs]) {
      const texts = [judge(selected, of), counted(of, selected)].map((report) =>
        verifyView[format as keyof typeof verifyView](
          printed({...report, mesh: topologyOf(of, report), warnings: []}),
          context,
        ),
      );
      expect(texts[1]).toBe(texts[0]);
    }
  });

  it('has the same rows and verdict, but for the healthy pairs, which are counted by check and cluster', () => {
    const [all, report] = [judge(discovery, of), counted(of)];
    const isListed = ({peer, result}: Report['checks'][number]): boolean =>
      peer === undefined || (result !== 'ok' && result !== 'skipped');
    expect(report.checks).toEqual(all.checks.filter(isListed));
    expect(report.verdict).toBe(all.verdict);
    const unlisted = all.checks.filter((row) => !isListed(row));
    const counts = [...groupBy(unlisted, ({id, result, cluster}) => [id, result, cluster].join(' '))];
    expect(
      new Map(report.counted?.map(({id, result, cluster, count}) => [[id, result, cluster].join(' '), count])),
    ).toEqual(new Map(counts.map(([key, rows]) => [key, rows.length])));
  });
});

describe('the report of a healthy mesh', () => {
  it('grows with the clusters, not with their pairs', () => {
    const sizeOf = (count: number): number => {
      const {checks: rows, counted: counts = []} = counted(linkedMesh(names(count)), ofPairs);
      expect(rows).toEqual([]);
      expect(counts.reduce((sum, one) => sum + one.count, 0)).toBe(ofPairs.length * count * (count - 1));
      return counts.length;
    };
    expect(sizeOf(12)).toBe(4 * sizeOf(3));
  });

  it('has no counts where its pairs are listed, as in JSON', () => {
    expect(judge(discovery, linkedMesh(names(3)))).not.toHaveProperty('counted');
  });
});
