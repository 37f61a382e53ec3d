/** What a CA made of a request other than was asked for: one sentence each, for a person. Pure. */
import {printableLine} from '../printable.js';
import type {Certificate} from '../x509/certificate.js';
import {keyUsages} from '../x509/extensions.js';
import {caKeyUsage, clusterCaName} from '../x509/profile.js';
import {formatDay, formatDuration, plural} from '../format.js';
import {dayMs} from '../time.js';

/** Compares with what the request of a cluster asks for (`csr.ts`), which says nothing of its life. */
export function changesFromRequest({subject, extensions}: Certificate, cluster: string): readonly string[] {
  const {basicConstraints, keyUsage, extendedKeyUsage, subjectAltNames = [], nameConstraints} = extensions;
  const wanted = clusterCaName(cluster).map(({type, value}) => `${type}=${value}`);
  const made = subject.attributes.map(({type, value}) => `${type}=${value}`);
  // Another order of attributes is no change: servers choose their own.
  const isSame = made.toSorted().join('\n') === wanted.toSorted().join('\n');
  const length = basicConstraints?.ca === true ? basicConstraints.pathLength : 0;
  const lacking = caKeyUsage.filter((one) => keyUsage?.usages.includes(one) === false);
  const more = keyUsages.filter((one) => keyUsage?.usages.includes(one) === true && !caKeyUsage.includes(one));
  const names = subjectAltNames.map(({value}) => printableLine(value));
  const changes = [
    !isSame && `subject "${subject.text}" instead of "${wanted.join(', ')}"`,
    length === undefined && 'no path length: it could issue further CAs',
    length !== undefined && length !== 0 && `path length ${String(length)} instead of 0`,
    !keyUsage && 'no key usage',
    lacking.length > 0 && `key usage without ${lacking.join(', ')}`,
    more.length > 0 && `key usage with ${more.join(', ')}`,
    extendedKeyUsage && `extended key usage ${extendedKeyUsage.join(', ')}`,
    names.length > 0 && `alternative names ${names.join(', ')}`,
    nameConstraints && 'name constraints',
  ];
  return changes.filter((change) => typeof change === 'string');
}

/** Compares the whole life with what is declared, in days: CAs set their own begin, and some end with the day. */
export function lifeOtherThan({notBefore, notAfter}: Certificate, days: number): readonly string[] {
  const made = notAfter.getTime() - notBefore.getTime();
  if (Math.abs(made / dayMs - days) <= 1) return [];
  return [
    `valid until ${formatDay(notAfter)}, ${formatDuration(made)} instead of ${plural(days, 'day')} (trust.clusterValidity)`,
  ];
}
