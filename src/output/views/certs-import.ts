import type {ImportClusterResult, ImportResult} from '../../operations/certs/import.js';
import {printableLine} from '../../domain/printable.js';
import {
  certificateCells,
  doneNames,
  errorLines,
  failedLines,
  hintLines,
  indent,
  outcomeText,
  table,
} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs import`: the outcome and the chain up to the root, or every reason for refusing the certificates. */
export const certsImportView: View<ImportResult> = {
  text: (result, {now}) =>
    [
      ...result.errors.flatMap(errorLines),
      ...result.clusters.flatMap((cluster) => clusterLines(cluster, result, now)),
    ].join('\n'),
  name: doneNames,
};

function clusterLines(
  cluster: Printed<ImportClusterResult>,
  result: Printed<ImportResult>,
  now: Date,
): readonly string[] {
  const {name, chain = [], changes = [], refusals, error} = cluster;
  if (refusals) {
    return [
      `${name}: refused: nothing was written`,
      ...refusals.flatMap(({id, message, hint}) => indent([`${id}: ${printableLine(message)}`, ...hintLines([hint])])),
    ];
  }
  if (error) return failedLines(cluster, error);
  const rows = chain.map((one, index) => [
    index === 0 ? 'cluster CA' : index === chain.length - 1 ? 'root' : 'CA',
    ...certificateCells(one, now),
  ]);
  return [
    `${name}: ${outcomeText(cluster, result)}`,
    ...changes.map((change) => `  ${printableLine(change)}`),
    ...(rows.length > 0 ? [table(['ROLE', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows)] : []),
  ];
}
