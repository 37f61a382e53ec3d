import {formatFingerprint, shortFingerprint} from '../../domain/keys/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import type {ComparedCluster, DiffResult} from '../../operations/trust/diff.js';
import {arrows} from '../lines.js';
import type {Printed, View} from '../view.js';

type Print = (fingerprint: string) => string;

/** `trust diff`: a line for each cluster; for each difference what the work directory (+) and the cluster (-) have. */
export const trustDiffView: View<DiffResult> = {
  text: ({clusters}) => clusters.flatMap((cluster) => clusterLines(cluster, shortFingerprint)).join('\n'),
  wide: ({clusters}) => clusters.flatMap((cluster) => clusterLines(cluster, formatFingerprint)).join('\n'),
};

const parts = {
  secret: 'Secret cacerts',
  clusterCa: 'cluster CA',
  roots: 'roots',
  chain: 'chain',
  key: "key's public half",
  crl: 'revocation lists',
  keys: 'other keys in the Secret',
} as const;

function clusterLines(
  {name, outcome, error, differences, madeElsewhere}: Printed<ComparedCluster>,
  print: Print,
): readonly string[] {
  if (madeElsewhere !== undefined) return [`${name}: nothing to compare: ${madeElsewhere}`];
  if (error) return [`${name}: ${outcome}: ${printableLine(error.message)}`, ...arrows(error.hints)];
  if (differences.length === 0) return [`${name}: the same`];
  return [
    `${name}: different`,
    ...differences.flatMap(({part, wanted, found}) => {
      const show = (values: readonly string[]): string =>
        values.length === 0
          ? '(none)'
          : values.map((value) => (part === 'keys' ? printableLine(value) : print(value))).join(', ');
      return [`  ${parts[part]}`, `    - cluster:        ${show(found)}`, `    + work directory: ${show(wanted)}`];
    }),
  ];
}
