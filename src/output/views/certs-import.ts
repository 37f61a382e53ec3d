import type {ImportClusterResult, ImportResult} from '../../operations/certs/import.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {doneNames, errorLines, outcomeText, table} from '../format.js';
import type {Printed, View} from '../view.js';

/** `certs import`: what became of the cluster, its chain up to the root, or every reason against it. */
export const certsImportView: View<ImportResult> = {
  text: (result) =>
    [...result.errors.flatMap(errorLines), ...result.clusters.flatMap((cluster) => lines(cluster, result))].join('\n'),
  name: doneNames,
};

function lines(cluster: Printed<ImportClusterResult>, result: Printed<ImportResult>): readonly string[] {
  const {name, chain, changes = [], refusals, error} = cluster;
  if (refusals) {
    return [
      `${name}: refused, nothing was written`,
      ...refusals.flatMap(({id, message, hint}) => [
        `  ${id}: ${printableLine(message)}`,
        `    ${printableLine(hint)}`,
      ]),
    ];
  }
  if (error) return errorLines({...error, message: `${name}: ${error.message}`});
  const rows = (chain ?? []).map((one, index) => [
    index === 0 ? 'cluster CA' : index === (chain?.length ?? 0) - 1 ? 'root' : 'CA',
    one.key,
    one.notAfter.slice(0, 10),
    shortFingerprint(one.fingerprint),
    printableLine(one.subject),
  ]);
  return [
    `${name}: ${outcomeText(cluster, result)}`,
    ...changes.map((change) => `  ${printableLine(change)}`),
    ...(rows.length > 0 ? [table(['ROLE', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows)] : []),
  ];
}
