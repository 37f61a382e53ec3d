/** Which clusters trust each other, and their certificates, in `verify -o wide`. */
import type {Acceptance, ClusterTopology, MeshTopology, TopologyCertificate} from '../../domain/checks/topology.js';
import {groupBy} from '../../domain/group-by.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {plural, some, table} from '../format.js';
import {maxClusterLines} from './verify-rows.js';

/** The cells of the matrix. `NO` is in capitals to stand out. */
const cells: Readonly<Record<Acceptance, string>> = {yes: 'yes', no: 'NO', unknown: 'unknown', none: '-'};

/** Returns the matrix of trust, and each cluster's roots and CA. */
export function topologyLines({clusters}: MeshTopology): readonly string[] {
  if (clusters.length === 0) return [];
  return [
    ...(clusters.length > 1 ? [clusters.length > maxClusterLines ? folded(clusters) : matrix(clusters), ''] : []),
    table(
      ['CLUSTER', 'LIVE ROOTS', 'LIVE CLUSTER CA'],
      clusters.map(({name, roots, clusterCas}) => [name, list(roots), list(clusterCas)]),
    ),
    ...clusters.flatMap(({name, unseen = []}) => unseen.map((why) => `${name}: unknown: ${printableLine(why)}`)),
    '',
  ];
}

/** Returns the matrix of many clusters: trusting clusters with the same exceptions share a line. */
function folded(clusters: readonly ClusterTopology[]): string {
  const lines = clusters.map(({name, accepts}) => {
    const which = (result: Acceptance): readonly string[] =>
      accepts.filter((one) => one.result === result).map(({cluster}) => cluster);
    const exceptions = (['no', 'unknown', 'none'] as const).map(which);
    const acceptsAll = exceptions.every(({length}) => length === 0);
    return {
      name,
      cells: [acceptsAll ? 'all' : String(which('yes').length), ...exceptions.map((names) => some(names) || '-')],
    };
  });
  const groups = groupBy(lines, ({cells: own}) => own.join('\n'));
  return table(
    ['TRUSTING', 'ACCEPTS', 'NOT', 'UNKNOWN', 'WITHOUT ISTIOD'],
    [...groups.values()].map((alike) => {
      const names = some(alike.map(({name}) => name));
      const count = `${String(alike.length)} of ${plural(clusters.length, 'cluster')}: `;
      return [`${alike.length > 1 ? count : ''}${names}`, ...alike[0].cells];
    }),
  );
}

/** Returns the matrix of trust: rows are the trusting clusters, columns the trusted ones. */
function matrix(clusters: readonly ClusterTopology[]): string {
  return table(
    ['TRUSTING', ...clusters.map(({name}) => name)],
    clusters.map(({name, accepts}) => [
      name,
      ...clusters.map((other) => {
        const answer = accepts.find(({cluster}) => cluster === other.name);
        return answer ? cells[answer.result] : '-';
      }),
    ]),
  );
}

function list(certificates: readonly TopologyCertificate[] | undefined): string {
  if (certificates === undefined) return 'unknown';
  return certificates.length === 0
    ? '-'
    : certificates.map(({fingerprint}) => shortFingerprint(fingerprint)).join(', ');
}
