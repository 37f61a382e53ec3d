/** The differences between a certificate and its request, as one phrase each. Pure. */
import {printableLine} from '../printable.js';
import type {Certificate} from '../x509/certificate.js';
import {keyUsages} from '../x509/extensions.js';
import {caKeyUsage, clusterCaName} from '../x509/profile.js';
import {formatDay, formatDuration, plural} from '../format.js';
import {dayMs} from '../time.js';

/** The differences from a cluster's request (`csr.ts`), which does not contain a validity. */
export function changesFromRequest({subject, extensions}: Certificate, cluster: string): readonly string[] {
  const {basicConstraints, keyUsage, extendedKeyUsage, subjectAltNames = [], nameConstraints} = extensions;
  const requested = clusterCaName(cluster).map(({type, value}) => `${type}=${value}`);
  const issued = subject.attributes.map(({type, value}) => `${type}=${value}`);
  // The order of attributes does not matter: servers choose their own.
  const isSame = issued.toSorted().join('\n') === requested.toSorted().join('\n');
  const length = basicConstraints?.ca === true ? basicConstraints.pathLength : 0;
  const missing = caKeyUsage.filter((one) => keyUsage?.usages.includes(one) === false);
  const added = keyUsages.filter((one) => keyUsage?.usages.includes(one) === true && !caKeyUsage.includes(one));
  const names = subjectAltNames.map(({value}) => printableLine(value));
  const changes = [
    !isSame && `subject "${subject.text}" instead of "${requested.join(', ')}"`,
    length === undefined && 'no path length: it can issue further CAs',
    length !== undefined && length !== 0 && `path length ${String(length)} instead of 0`,
    !keyUsage && 'no key usage',
    missing.length > 0 && `key usage without ${missing.join(', ')}`,
    added.length > 0 && `key usage with ${added.join(', ')}`,
    extendedKeyUsage && `extended key usage ${extendedKeyUsage.join(', ')}`,
    names.length > 0 && `alternative names ${names.join(', ')}`,
    nameConstraints && 'name constraints',
  ];
  return changes.filter((change) => typeof change === 'string');
}

/** The difference from the declared validity: tolerates a day, since CAs choose the start and may round to whole days. */
export function lifetimeChanges({notBefore, notAfter}: Certificate, days: number): readonly string[] {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  if (Math.abs(lifetime / dayMs - days) <= 1) return [];
  return [
    `valid until ${formatDay(notAfter)}, ${formatDuration(lifetime)} instead of ${plural(days, 'day')} (trust.clusterValidity)`,
  ];
}
