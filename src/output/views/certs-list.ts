import {formatFingerprint, shortFingerprint} from '../../domain/keys/fingerprint.js';
import type {Forecast} from '../../domain/monitoring/forecast.js';
import type {CertificateRole} from '../../domain/monitoring/metrics.js';
import type {CertificateSummary} from '../../domain/x509/describe.js';
import {printableLine} from '../../domain/printable.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import type {ListedCertificate, ListResult} from '../../operations/certs/list.js';
import {table} from '../table.js';
import type {Printed} from '../printed.js';
import type {View, ViewContext} from '../view.js';
import {certsListPrometheus} from './certs-list-prometheus.js';

/** What the root of the mesh has instead of a cluster's name. */
const ofMesh = '(mesh)';

/** `certs list`: a line for each certificate, then what is to be renewed when, then what stops first. */
export const certsListView: View<ListResult> = {
  text: (result, {command}) =>
    page(
      result,
      command,
      ['NAME', 'ROLE', 'KEY', 'NOT AFTER', 'DAYS LEFT', 'STATE', 'FINGERPRINT', 'SUBJECT'],
      (row) => [
        ...[row.name, row.role, row.key, row.notAfter.slice(0, 10), String(row.daysLeft), row.state],
        shortFingerprint(row.fingerprint),
        `${printableLine(row.subject)}${row.seen.length > 0 ? ` (${places(row)})` : ''}`,
      ],
    ),
  wide: (result, {command}) =>
    page(
      result,
      command,
      [
        'NAME',
        'ROLE',
        'KEY',
        'NOT BEFORE',
        'NOT AFTER',
        'DAYS LEFT',
        'STATE',
        'IN USE',
        'FILE',
        'SUBJECT',
        'ISSUER',
        'SHA-256',
      ],
      (row) => [
        ...[row.name, row.role, row.key, row.notBefore, row.notAfter, String(row.daysLeft), row.state],
        ...[row.inUse ? 'yes' : 'no', places(row)],
        ...[printableLine(row.subject), printableLine(row.issuer), formatFingerprint(row.fingerprint)],
      ],
    ),
  name: (result) =>
    rows(result)
      .flatMap(({file}) => file ?? [])
      .join('\n'),
  prometheus: certsListPrometheus,
};

interface Row extends CertificateSummary {
  readonly name: string;
  readonly role: CertificateRole;
  readonly inUse: boolean;
  /** The file; absent where only the cluster has it. */
  readonly file?: string;
  /** Where else it was seen: objects and pods of its cluster, for a root of the mesh the clusters. */
  readonly seen: readonly string[];
}

/** A line for each certificate of each cluster, wherever it was seen. */
function rows({root, clusters}: Printed<ListResult>): readonly Row[] {
  const meshRoots = new Set(root.certificates.map(({fingerprint}) => fingerprint));
  const live = clusters.flatMap(({name, live: sight}) =>
    (sight?.certificates ?? []).map((one) => ({
      one,
      name: meshRoots.has(one.fingerprint) ? ofMesh : name,
      cluster: name,
    })),
  );
  const seenOf = (name: string, fingerprint: string): readonly string[] => {
    const found = live.filter((seen) => seen.name === name && seen.one.fingerprint === fingerprint);
    const places = found.flatMap(({one, cluster}) => (name === ofMesh ? [cluster] : one.places));
    return [...new Set(places)].map(printableLine);
  };
  const listed = (name: string, one: ListedCertificate): Row => ({...one, name, seen: seenOf(name, one.fingerprint)});
  return [
    ...root.certificates.map((one) => listed(ofMesh, one)),
    ...clusters.flatMap(({name, certificates}) => {
      const known = new Set([...meshRoots, ...certificates.map(({fingerprint}) => fingerprint)]);
      const others = live.filter((seen) => {
        if (seen.cluster !== name || known.has(seen.one.fingerprint)) return false;
        known.add(seen.one.fingerprint);
        return true;
      });
      return [
        ...certificates.map((one) => listed(name, one)),
        ...others.map(({one}): Row => ({...one, name, seen: seenOf(name, one.fingerprint)})),
      ];
    }),
  ];
}

function places({file, seen}: Row): string {
  return [...(file === undefined ? [] : [file]), ...seen].join(', ');
}

function page(
  result: Printed<ListResult>,
  command: ViewContext['command'],
  header: readonly string[],
  cells: (row: Row) => readonly string[],
): string {
  const {root, clusters, firstOutage, forecast, missing, withinDays} = result;
  const all = rows(result);
  const without = clusters.filter(({outcome}) => outcome === 'skipped').map(({name}) => name);
  const list = all.length > 0 ? [table(header, all.map(cells))] : [];
  const nothing =
    all.length === 0 && withinDays !== undefined ? [`Nothing in use ends within ${describeDays(withinDays)}.`] : [];
  return [
    ...list,
    ...nothing,
    ...(without.length > 0 ? [`No CA yet: ${without.join(', ')} (${missing})`] : []),
    ...problems([root.error, ...clusters.map(({error}) => error)]),
    ...clusters.flatMap(({name, live}) =>
      problems((live?.problems ?? []).map((error) => ({...error, message: `${name}: ${error.message}`}))),
    ),
    ...disagreements(result, command),
    ...(forecast.length > 0 ? ['', forecastTable(forecast), ...cutNotes(forecast)] : []),
    ...(firstOutage ? [outage(firstOutage)] : []),
  ].join('\n');
}

function problems(
  errors: readonly ({readonly message: string; readonly hints: readonly string[]} | undefined)[],
): readonly string[] {
  return errors.flatMap((error) =>
    error ? [printableLine(error.message), ...error.hints.map((hint) => `  ${printableLine(hint)}`)] : [],
  );
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
