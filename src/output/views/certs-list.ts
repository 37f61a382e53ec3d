import {formatFingerprint, shortFingerprint} from '../../domain/keys/keys.js';
import type {Forecast} from '../../domain/monitoring/forecast.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import type {CertificateSummary} from '../../domain/x509/describe.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ListResult} from '../../operations/certs/list.js';
import {indent, table} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';
import {certsListPrometheus} from './certs-list-prometheus.js';
import {ofMesh, type Sighting, sightings} from './certs-list-sightings.js';

/** A column: its heading, and a row's cell. */
type Column = readonly [head: string, cell: (row: Row) => string];

const name: Column = ['NAME', ({owner}) => (owner === ofMesh ? '(mesh)' : owner)];
const role: Column = ['ROLE', ({role}) => role];
const key: Column = ['KEY', ({key}) => key];
const daysLeft: Column = ['DAYS LEFT', ({daysLeft}) => String(daysLeft)];
const state: Column = ['STATE', ({state}) => state];

const columns: readonly Column[] = [
  ...[name, role, key],
  ['NOT AFTER', ({notAfter}) => notAfter.slice(0, 10)],
  ...[daysLeft, state],
  ['FINGERPRINT', ({fingerprint}) => shortFingerprint(fingerprint)],
  ['SUBJECT', (row) => `${printableLine(row.subject)}${row.seen.length > 0 ? ` (${places(row)})` : ''}`],
];

const wideColumns: readonly Column[] = [
  ...[name, role, key],
  ['NOT BEFORE', ({notBefore}) => notBefore],
  ['NOT AFTER', ({notAfter}) => notAfter],
  ...[daysLeft, state],
  ['IN USE', ({inUse}) => (inUse ? 'yes' : 'no')],
  ['FILE', places],
  ['SUBJECT', ({subject}) => printableLine(subject)],
  ['ISSUER', ({issuer}) => printableLine(issuer)],
  ['SHA-256', ({fingerprint}) => formatFingerprint(fingerprint)],
];

/** `certs list`: a line for each certificate, then what is to be renewed when, then what stops first. */
export const certsListView: View<ListResult> = {
  text: (result, {command}) => page(result, command, columns),
  wide: (result, {command}) => page(result, command, wideColumns),
  name: (result) => [...rows(result)].flatMap(({file}) => file ?? []).join('\n'),
  prometheus: certsListPrometheus,
};

interface Row extends CertificateSummary, Pick<Sighting, 'owner'> {
  readonly role: CertificateRole;
  readonly inUse: boolean;
  /** The file; absent where only the cluster has it. */
  readonly file?: string;
  /** Where else it was seen: objects and pods of its cluster, for a root of the mesh the clusters. */
  readonly seen: readonly string[];
}

/** A line for each certificate of the mesh and of each cluster, wherever it was seen. */
function rows(result: Printed<ListResult>): readonly Row[] {
  const groups = groupBy(sightings(result), ({owner, certificate}) => `${owner} ${certificate.fingerprint}`);
  return [...groups.values()].map((group): Row => {
    const [{owner, certificate: first}] = group;
    const seen = group.flatMap(({cluster, certificate}) => {
      if (!('places' in certificate)) return [];
      return owner === ofMesh ? [cluster] : certificate.places;
    });
    return {...first, owner, seen: [...new Set(seen)].map(printableLine)};
  });
}

function places({file, seen}: Row): string {
  return [...(file === undefined ? [] : [file]), ...seen].join(', ');
}

function page(result: Printed<ListResult>, command: ViewContext['command'], columns: readonly Column[]): string {
  const {root, clusters, firstOutage, forecast, missing, withinDays} = result;
  const all = rows(result);
  const without = clusters.filter(({outcome}) => outcome === 'skipped').map(({name}) => name);
  const header = columns.map(([head]) => head);
  const list =
    all.length > 0
      ? [
          table(
            header,
            all.map((row) => columns.map(([, cell]) => cell(row))),
          ),
        ]
      : [];
  const problems = [
    ...[root, ...clusters].flatMap(({error}) => error ?? []),
    ...clusters.flatMap(({name, live}) =>
      (live?.problems ?? []).map(({message, hints}) => ({message: `${name}: ${message}`, hints})),
    ),
  ];
  const nothing =
    all.length === 0 && withinDays !== undefined ? [`Nothing in use ends within ${describeDays(withinDays)}.`] : [];
  return [
    ...list,
    ...nothing,
    ...(without.length > 0 ? [`No CA yet: ${without.join(', ')} (${missing})`] : []),
    ...problems.flatMap(({message, hints}) => [printableLine(message), ...indent(hints.map(printableLine))]),
    ...disagreements(result, command),
    ...(forecast.length > 0 ? ['', forecastTable(forecast), ...cutNotes(forecast)] : []),
    ...(firstOutage ? [outage(firstOutage)] : []),
  ].join('\n');
}

function disagreements({rootAgreement}: Printed<ListResult>, command: ViewContext['command']): readonly string[] {
  const verify = command(kubectlMesh('verify'));
  return rootAgreement
    .filter(({agrees}) => !agrees)
    .map(
      ({cluster, source, refusedBy}) =>
        `${cluster}: ${source === 'live' ? 'what its istiod presents' : 'its CA'} is not accepted by the roots of ${refusedBy.join(', ')} (${verify})`,
    );
}

function forecastTable(forecast: readonly Forecast[]): string {
  return table(
    ['CLUSTER', 'RENEW FROM', 'RENEW', 'FIRST OUTAGE', 'ENDS FIRST'],
    forecast.map(({cluster, due, nextRenewal, renew, firstOutage, endsFirst}) => [
      ...[cluster, due ? `${nextRenewal.slice(0, 10)} (now)` : nextRenewal.slice(0, 10), renew.role],
      ...[firstOutage.slice(0, 10), `${endsFirst.role}, ${printableLine(endsFirst.place)}`],
    ]),
  );
}

/** Another cluster CA would end as early. */
function cutNotes(forecast: readonly Forecast[]): readonly string[] {
  const cut = forecast.filter(({cutByRoot}) => cutByRoot).map(({cluster}) => cluster);
  return cut.length === 0
    ? []
    : [
        `Cut short by the root: ${cut.join(', ')}. The cluster CA ends with its root: only another root gives more time.`,
      ];
}

function outage({
  notAfter,
  daysLeft,
  subject,
  file,
  clusters,
}: NonNullable<Printed<ListResult>['firstOutage']>): string {
  const when =
    daysLeft < 0 ? `since ${notAfter.slice(0, 10)}` : `${notAfter.slice(0, 10)}, in ${describeDays(daysLeft)}`;
  return `First outage: ${when}: ${printableLine(file)} (${printableLine(subject)}) ends, and with it ${clusters.join(', ')}`;
}

function describeDays(days: number): string {
  const rounded = Math.round(days * 10) / 10;
  return `${String(rounded)} ${rounded === 1 ? 'day' : 'days'}`;
}
