import {formatFingerprint, shortFingerprint} from '../../domain/pki/fingerprint.js';
import {printableLine} from '../../domain/printable.js';
import type {ListedCertificate, ListResult} from '../../operations/certs/list.js';
import {table} from '../table.js';
import type {View} from '../view.js';

/** `certs list`: a line for each certificate, then what stops first. */
export const certsListView: View<ListResult> = {
  text: (result) =>
    page(
      result,
      ['NAME', 'ROLE', 'KEY', 'NOT AFTER', 'DAYS LEFT', 'STATE', 'FINGERPRINT', 'SUBJECT'],
      (name, {role, key, notAfter, daysLeft, state, fingerprint, subject}) => [
        ...[name, role, key, notAfter.slice(0, 10), String(daysLeft), state],
        ...[shortFingerprint(fingerprint), printableLine(subject)],
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
      (name, {role, key, notBefore, notAfter, daysLeft, state, inUse, file, subject, issuer, fingerprint}) => [
        ...[name, role, key, notBefore, notAfter, String(daysLeft), state, inUse ? 'yes' : 'no', file],
        ...[printableLine(subject), printableLine(issuer), formatFingerprint(fingerprint)],
      ],
    ),
  name: (result) =>
    rows(result)
      .map(([, {file}]) => file)
      .join('\n'),
};

type Row = readonly [name: string, certificate: ListedCertificate];

function rows({root, clusters}: ListResult): readonly Row[] {
  return [
    ...root.certificates.map((certificate): Row => ['(mesh)', certificate]),
    ...clusters.flatMap(({name, certificates}) => certificates.map((certificate): Row => [name, certificate])),
  ];
}

function page(
  result: ListResult,
  header: readonly string[],
  cells: (name: string, certificate: ListedCertificate) => readonly string[],
): string {
  const {root, clusters, firstOutage} = result;
  const all = rows(result);
  const without = clusters.filter(({outcome}) => outcome === 'skipped').map(({name}) => name);
  return [
    ...(all.length > 0
      ? [
          table(
            header,
            all.map(([name, certificate]) => cells(name, certificate)),
          ),
        ]
      : []),
    ...(without.length > 0 ? [`No CA yet: ${without.join(', ')} (kubectl mesh certs generate)`] : []),
    ...[root.error, ...clusters.map(({error}) => error)].flatMap((error) =>
      error ? [error.message, ...error.hints.map((hint) => `  ${hint}`)] : [],
    ),
    ...(firstOutage ? [outage(firstOutage)] : []),
  ].join('\n');
}

function outage({notAfter, daysLeft, subject, file, clusters}: NonNullable<ListResult['firstOutage']>): string {
  const when =
    daysLeft < 0 ? `since ${notAfter.slice(0, 10)}` : `${notAfter.slice(0, 10)}, in ${String(daysLeft)} days`;
  return `First outage: ${when}: ${file} (${printableLine(subject)}) ends, and with it ${clusters.join(', ')}`;
}
