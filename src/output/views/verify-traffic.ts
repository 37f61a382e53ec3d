/** Which requests were answered, in `verify --traffic`. */
import type {ClusterTopology, MeshTopology, ReachedCluster} from '../../domain/checks/topology.js';
import {plural, some, table} from '../format.js';
import {maxClusterLines} from './verify-rows.js';

/** Returns the matrix of requests: rows send, columns answer. Empty without `--traffic`. */
export function trafficLines({clusters}: MeshTopology): readonly string[] {
  const measured = clusters.filter(({reaches}) => reaches !== undefined);
  if (measured.length === 0) return [];
  return [measured.length > maxClusterLines ? folded(measured) : matrix(measured), ''];
}

function matrix(clusters: readonly ClusterTopology[]): string {
  return table(
    ['ANSWERED', ...clusters.map(({name}) => `by ${name}`)],
    clusters.map(({name, reaches = []}) => [`from ${name}`, ...reaches.map(cell)]),
  );
}

function cell({result, answered, requests}: ReachedCluster): string {
  if (result === 'none') return '-';
  return answered === undefined ? 'unknown' : `${String(answered)}/${String(requests)}`;
}

/** The matrix of many clusters: only what is not answered completely has a line. */
function folded(clusters: readonly ClusterTopology[]): string {
  const lines = clusters.map(({name, reaches = []}) => {
    const which = (result: ReachedCluster['result']): readonly string[] =>
      reaches.filter((one) => one.result === result).map(({cluster}) => cluster);
    return {name, no: which('no'), unknown: which('unknown')};
  });
  const failing = lines.filter(({no, unknown}) => no.length + unknown.length > 0);
  const rest = clusters.length - failing.length;
  return table(
    ['FROM', 'NOT ANSWERED BY', 'UNKNOWN'],
    [
      ...failing.map(({name, no, unknown}) => [name, some(no) || '-', some(unknown) || '-']),
      ...(rest > 0 ? [[plural(rest, failing.length > 0 ? 'other cluster' : 'cluster'), '-', '-']] : []),
    ],
  );
}
