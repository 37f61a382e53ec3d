import type {ImportClusterResult, ImportResult} from '../../operations/certs/import.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import {table} from '../table.js';
import type {Printed} from '../printed.js';
import type {View} from '../view.js';

/** `certs import`: what became of the cluster, its chain up to the root, or every reason against it. */
export const certsImportView: View<ImportResult> = {
  text: (result) =>
    [
      ...result.errors.flatMap((error) => [error.message, ...error.hints.map((hint) => `  ${hint}`)]),
      ...result.clusters.flatMap((cluster) => lines(cluster, result)),
    ].join('\n'),
  name: (result) => result.clusters.flatMap(({name, outcome}) => (outcome === 'done' ? [name] : [])).join('\n'),
};

function lines(cluster: Printed<ImportClusterResult>, {dryRun}: Printed<ImportResult>): readonly string[] {
  const {name, outcome, action, chain, changes = [], refusals, error} = cluster;
  if (refusals) {
    return [
      `${name}: refused, nothing was written`,
      ...refusals.flatMap(({id, message, hint}) => [
        `  ${id}: ${printableLine(message)}`,
        `    ${printableLine(hint)}`,
      ]),
    ];
  }
  if (error) return [`${name}: ${error.message}`, ...error.hints.map((hint) => `  ${hint}`)];
  const said = dryRun !== undefined && action !== undefined && outcome === 'skipped' ? `would ${action}` : outcome;
  const rows = (chain ?? []).map((one, index) => [
    index === 0 ? 'cluster CA' : index === (chain?.length ?? 0) - 1 ? 'root' : 'CA',
    one.key,
    one.notAfter.slice(0, 10),
    shortFingerprint(one.fingerprint),
    printableLine(one.subject),
  ]);
  return [
    `${name}: ${said}`,
    ...changes.map((change) => `  ${printableLine(change)}`),
    ...(rows.length > 0 ? [table(['ROLE', 'KEY', 'NOT AFTER', 'FINGERPRINT', 'SUBJECT'], rows)] : []),
  ];
}
