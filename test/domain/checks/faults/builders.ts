/** Shared by the tests of faults: broken states, and the results of checks. */
import {type IstiodClusters, type KeyInHistory, PerPod} from '../../../../src/domain/facts/facts.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import type {RowResult} from '../../../../src/domain/checks/report.js';
import {known} from '../../../../src/domain/observed.js';
import {
  certificate,
  clusterCa,
  clusterValues,
  daysFromNow,
  evidence,
  istiodMetrics,
  mesh,
  type Overrides,
} from '../healthy.js';

/** A fault: its description, its differences from the healthy mesh, and the id and result of each resulting row. */
export type Fault = readonly [name: string, overrides: Overrides, expected: readonly string[]];

/** mesh.yaml does not permit retained cluster CA keys. */
export const keysNotRetained: Overrides = {mesh: {trust: {...mesh.trust, keepClusterKeys: false}}};

/** A git history with one key. */
export function history(change: Partial<KeyInHistory>) {
  return {
    keys: [{path: 'root-key.pem', commit: '0123456789ab', protection: 'clear' as const, ...change}],
    more: 0,
    shallow: false,
  };
}

/** id and result of each row that is neither ok nor skipped, without consequences. */
export function failures(overrides: Overrides): readonly string[] {
  return judgedText(checks, evidence(overrides))
    .checks.filter(({result, impliedBy}) => result !== 'ok' && result !== 'skipped' && impliedBy === undefined)
    .map(({id, result}) => `${id} ${result}`);
}

/** The result of one check for cluster1 or the mesh. */
export function resultOf(id: string, overrides: Overrides): RowResult | undefined {
  return judgedText(checks, evidence(overrides)).checks.find((row) => row.id === id && row.cluster !== 'cluster2')
    ?.result;
}

/** The root of another mesh, and a cluster CA below it. */
export const foreignRoot = certificate('foreign root', {notAfter: daysFromNow(3640)});
export const foreign = {roots: [foreignRoot], anchor: foreignRoot.fingerprint, certificate: certificate('foreign CA')};

/** The facts of cluster1 in the healthy mesh. */
export const healthy = clusterValues('cluster1');
/** The trust bundles of its namespaces. */
export const healthyBundles = healthy.bundles;

/** The directory of cluster1 holds the CA of another cluster. */
export const misplaced = (owner: string) => ({
  caFiles: clusterCa('cluster1', {certificate: certificate(`moved ca of ${owner}`, {locality: owner})}),
});

/** The metrics of the istiods of cluster1: one for each change. */
export const metricsOf = (...changes: readonly Parameters<typeof istiodMetrics>[1][]) => ({
  istiodMetrics: new PerPod(
    changes.map((change, at) => ({
      name: `istiod-${String(at + 1)}`,
      observed: known(istiodMetrics('cluster1', change)),
    })),
  ),
});

/** The clusters that each istiod of cluster1 reports. */
export const clustersOf = (...values: readonly IstiodClusters[]) => ({
  istiodClusters: new PerPod(values.map((value, at) => ({name: `istiod-${String(at + 1)}`, observed: known(value)}))),
});
