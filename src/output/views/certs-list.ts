import {formatFingerprint, shortFingerprint} from '../../domain/pki/fingerprint.js';
import type {Forecast} from '../../domain/monitoring/forecast.js';
import type {CertificateRole} from '../../domain/monitoring/seen.js';
import type {CertificateSummary} from '../../domain/pki/describe.js';
import {printableLine} from '../../domain/printable.js';
import type {ListResult} from '../../operations/certs/list.js';
import {table} from '../table.js';
import type {View} from '../view.js';
import {certsListPrometheus} from './certs-list-prometheus.js';

/** `certs list`: a line for each certificate, then what is to be renewed when, then what stops first. */
export const certsListView: View<ListResult> = {
  text: (result) =>
    page(
      result,
      ['NAME', 'ROLE', 'KEY', 'NOT AFTER', 'DAYS LEFT', 'STATE', 'FINGERPRINT', 'SUBJECT'],
      ({name, role, place, isLive, key, notAfter, daysLeft, state, fingerprint, subject}) => [
        ...[name, role, key, notAfter.slice(0, 10), String(daysLeft), state],
        ...[shortFingerprint(fingerprint), `${printableLine(subject)}${isLive ? ` (${place})` : ''}`],
      ],
    ),
  wide: (result) =>
    page(
      result,
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
      ({name, role, key, notBefore, notAfter, daysLeft, state, inUse, place, subject, issuer, fingerprint}) => [
        ...[name, role, key, notBefore, notAfter, String(daysLeft), state, inUse ? 'yes' : 'no', place],
        ...[printableLine(subject), printableLine(issuer), formatFingerprint(fingerprint)],
      ],
    ),
  name: (result) =>
    rows(result)
      .filter(({isLive}) => !isLive)
      .map(({place}) => place)
      .join('\n'),
  prometheus: certsListPrometheus,
};

interface Row extends CertificateSummary {
  readonly name: string;
  readonly role: CertificateRole;
  readonly inUse: boolean;
  /** The file, or what of the cluster holds it. */
  readonly place: string;
  readonly isLive: boolean;
}

function rows({root, clusters}: ListResult): readonly Row[] {
  return [
    ...root.certificates.map((one): Row => ({...one, name: '(mesh)', place: one.file, isLive: false})),
    ...clusters.flatMap(({name, certificates, live}) => [
      ...certificates.map((one): Row => ({...one, name, place: one.file, isLive: false})),
      ...(live?.certificates ?? []).map((one): Row => ({
        ...one,
        name,
        place: printableLine(one.places.join(', ')),
        isLive: true,
      })),
    ]),
  ];
}

function page(result: ListResult, header: readonly string[], cells: (row: Row) => readonly string[]): string {
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
    ...disagreements(result),
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

function disagreements({rootAgreement}: ListResult): readonly string[] {
  return rootAgreement
    .filter(({agrees}) => !agrees)
    .map(
      ({cluster, source, refusedBy}) =>
        `${cluster}: ${source === 'live' ? 'what its istiod presents' : 'its CA'} is not accepted by the roots of ${refusedBy.join(', ')} (kubectl mesh verify)`,
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

function outage({notAfter, daysLeft, subject, file, clusters}: NonNullable<ListResult['firstOutage']>): string {
  const when =
    daysLeft < 0 ? `since ${notAfter.slice(0, 10)}` : `${notAfter.slice(0, 10)}, in ${describeDays(daysLeft)}`;
  return `First outage: ${when}: ${printableLine(file)} (${printableLine(subject)}) ends, and with it ${clusters.join(', ')}`;
}

function describeDays(days: number): string {
  const rounded = Math.round(days * 10) / 10;
  return `${String(rounded)} ${rounded === 1 ? 'day' : 'days'}`;
}
