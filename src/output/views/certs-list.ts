import {formatFingerprint, shortFingerprint} from '../../domain/keys/keys.js';
import type {Forecast} from '../../domain/monitoring/forecast.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import type {CertificateSummary} from '../../domain/x509/describe.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ListResult} from '../../operations/certs/list.js';
import {
  errorLines,
  formatDay,
  formatExactExpiry,
  formatExpiry,
  formatSecond,
  hintLines,
  plural,
  table,
} from '../format.js';
import type {Printed, View, ViewContext} from '../view.js';
import {certsListPrometheus} from './certs-list-prometheus.js';
import {ofMesh, type Sighting, sightings} from './certs-list-sightings.js';

/** A column: its header, and a function that returns the cell of a row. */
type Column = readonly [head: string, cell: (row: CertificateRow, now: Date) => string];

const name: Column = ['NAME', ({owner}) => (owner === ofMesh ? '(mesh)' : owner)];
const role: Column = ['ROLE', ({role}) => role];
const key: Column = ['KEY', ({key}) => key];
const state: Column = ['STATE', ({state}) => state];

const columns: readonly Column[] = [
  ...[name, role, key],
  ['NOT AFTER', ({notAfter}, now) => formatExpiry(notAfter, now)],
  state,
  ['FINGERPRINT', ({fingerprint}) => shortFingerprint(fingerprint)],
  ['SUBJECT', (row) => `${printableLine(row.subject)}${row.foundIn.length > 0 ? ` (${places(row)})` : ''}`],
];

const wideColumns: readonly Column[] = [
  ...[name, role, key],
  ['NOT BEFORE', ({notBefore}) => formatSecond(notBefore)],
  ['NOT AFTER', ({notAfter}, now) => formatExactExpiry(notAfter, now)],
  state,
  ['IN USE', ({inUse}) => (inUse ? 'yes' : 'no')],
  ['FILE', places],
  ['SUBJECT', ({subject}) => printableLine(subject)],
  ['ISSUER', ({issuer}) => printableLine(issuer)],
  ['SHA-256', ({fingerprint}) => formatFingerprint(fingerprint)],
];

/** `certs list`: all certificates, the problems, the renewal dates, and the first outage. */
export const certsListView: View<ListResult> = {
  text: (result, context) => page(result, context, columns),
  wide: (result, context) => page(result, context, wideColumns),
  name: (result) => [...rows(result)].flatMap(({file}) => file ?? []).join('\n'),
  prometheus: certsListPrometheus,
  problems: problemLines,
};

interface CertificateRow extends CertificateSummary, Pick<Sighting, 'owner'> {
  readonly role: CertificateRole;
  readonly inUse: boolean;
  /** The file; absent if the certificate is only in the cluster. */
  readonly file?: string;
  /** Other places: objects and pods of its cluster or, for a root of the mesh, clusters. */
  readonly foundIn: readonly string[];
}

/** Returns one row for each certificate of the mesh and of each cluster, with all its places. */
function rows(result: Printed<ListResult>): readonly CertificateRow[] {
  const groups = groupBy(sightings(result), ({owner, certificate}) => `${owner} ${certificate.fingerprint}`);
  return [...groups.values()].map((group): CertificateRow => {
    const [{owner, certificate: first}] = group;
    const foundIn = group.flatMap(({cluster, certificate}) => {
      if (!('places' in certificate)) return [];
      return owner === ofMesh ? [cluster] : certificate.places;
    });
    return {...first, owner, foundIn: [...new Set(foundIn)].map(printableLine)};
  });
}

function places({file, foundIn}: CertificateRow): string {
  return [...(file === undefined ? [] : [file]), ...foundIn].join(', ');
}

function page(result: Printed<ListResult>, {command, now}: ViewContext, columns: readonly Column[]): string {
  const {firstOutage, forecast, withinDays} = result;
  const all = rows(result);
  const header = columns.map(([head]) => head);
  const list =
    all.length > 0
      ? [
          table(
            header,
            all.map((row) => columns.map(([, cell]) => cell(row, now))),
          ),
        ]
      : [];
  const nothing =
    all.length === 0 && withinDays !== undefined ? [`No certificate in use expires within ${days(withinDays)}.`] : [];
  return [
    ...list,
    ...nothing,
    ...noCaLines(result),
    ...problemLines(result),
    ...disagreements(result, command),
    ...(forecast.length > 0 ? ['', forecastTable(forecast, now), ...limitedByRoot(forecast)] : []),
    ...(firstOutage ? [outage(firstOutage, now)] : []),
  ].join('\n');
}

/** What could not be read, with hints. */
function problemLines({root, clusters}: Printed<ListResult>): readonly string[] {
  const all = [
    ...[root, ...clusters].flatMap(({error}) => error ?? []),
    ...clusters.flatMap(({name, live}) =>
      (live?.problems ?? []).map(({message, hints}) => ({message: `${name}: ${message}`, hints})),
    ),
  ];
  return all.flatMap(errorLines);
}

/** The clusters without a cluster CA, with a hint: the command that creates it, or the external CA. */
function noCaLines({clusters, missing}: Printed<ListResult>): readonly string[] {
  const names = clusters.filter(({outcome}) => outcome === 'skipped').map(({name}) => name);
  return names.length === 0 ? [] : [`No cluster CA: ${names.join(', ')}`, ...hintLines([missing])];
}

function disagreements({rootAgreement}: Printed<ListResult>, command: ViewContext['command']): readonly string[] {
  const verify = command(kubectlMesh('verify'));
  return rootAgreement
    .filter(({agrees}) => !agrees)
    .flatMap(({cluster, source, refusedBy}) => [
      `${cluster}: ${source === 'live' ? 'the chain that its istiod presents' : 'its cluster CA'} does not verify against the roots of ${refusedBy.join(', ')}`,
      ...hintLines([verify]),
    ]);
}

function forecastTable(forecast: readonly Forecast[], now: Date): string {
  return table(
    ['CLUSTER', 'RENEW FROM', 'RENEW', 'FIRST OUTAGE', 'EXPIRES FIRST'],
    forecast.map(({cluster, due, nextRenewal, renew, firstOutage, endsFirst}) => [
      ...[cluster, due ? `${formatDay(nextRenewal)}, due now` : formatExpiry(nextRenewal, now), renew.role],
      ...[formatExpiry(firstOutage, now), `${endsFirst.role}, ${printableLine(endsFirst.place)}`],
    ]),
  );
}

/** The clusters whose CA would not expire later after a renewal. */
function limitedByRoot(forecast: readonly Forecast[]): readonly string[] {
  const limited = forecast.filter(({cutByRoot}) => cutByRoot).map(({cluster}) => cluster);
  return limited.length === 0
    ? []
    : [
        `Limited by the root: ${limited.join(', ')}. A cluster CA expires no later than its root: only a new root extends it.`,
      ];
}

function outage(
  {notAfter, subject, file, clusters}: NonNullable<Printed<ListResult>['firstOutage']>,
  now: Date,
): string {
  return `First outage: ${formatExpiry(notAfter, now)}: ${printableLine(file)} (${printableLine(subject)}) expires, which affects ${clusters.join(', ')}`;
}

/** Formats days with at most one decimal. */
function days(count: number): string {
  return plural(Math.round(count * 10) / 10, 'day');
}
