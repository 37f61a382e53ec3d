/** What a CA made of a request other than was asked for: one sentence each, for a person. Pure. */
import {printableLine} from '../printable.js';
import type {Certificate} from '../x509/certificate.js';
import {keyUsages} from '../x509/extensions.js';
import type {NameTemplate} from '../x509/name.js';
import {caKeyUsage, clusterCaName} from '../x509/profile.js';
import {dayMs, lengthInWords} from '../time.js';

/** Compares with what the request of a cluster asks for (`csr.ts`), which says nothing of its life. */
export function changesFromRequest(certificate: Certificate, cluster: string): readonly string[] {
  return [
    ...subject(certificate, clusterCaName(cluster)),
    ...pathLength(certificate),
    ...usage(certificate),
    ...additions(certificate),
  ];
}

/** Compares the whole life with what is declared, in days: CAs set their own begin, and some end with the day. */
export function lifeOtherThan({notBefore, notAfter}: Certificate, days: number): readonly string[] {
  const made = notAfter.getTime() - notBefore.getTime();
  if (Math.abs(made / dayMs - days) <= 1) return [];
  return [
    `valid until ${notAfter.toISOString().slice(0, 10)}, ${lengthInWords(made)} instead of ${String(days)} days (trust.clusterValidity)`,
  ];
}

/** The order of attributes is no change: servers have their own. */
function subject({subject: made}: Certificate, wanted: NameTemplate): readonly string[] {
  const text = (attributes: readonly {readonly type: string; readonly value: string}[]): string =>
    attributes
      .map(({type, value}) => `${type}=${value}`)
      .sort()
      .join('\n');
  if (text(made.attributes) === text(wanted)) return [];
  return [`subject "${made.text}" instead of "${wanted.map(({type, value}) => `${type}=${value}`).join(', ')}"`];
}

function pathLength({extensions: {basicConstraints}}: Certificate): readonly string[] {
  const length = basicConstraints?.pathLength;
  if (basicConstraints?.ca !== true || length === 0) return [];
  return [
    length === undefined ? 'no path length: it could issue further CAs' : `path length ${String(length)} instead of 0`,
  ];
}

function usage({extensions: {keyUsage}}: Certificate): readonly string[] {
  if (!keyUsage) return ['no key usage'];
  const missing = caKeyUsage.filter((one) => !keyUsage.usages.includes(one));
  const more = keyUsages.filter((one) => keyUsage.usages.includes(one) && !caKeyUsage.includes(one));
  return [
    ...(missing.length > 0 ? [`key usage without ${missing.join(', ')}`] : []),
    ...(more.length > 0 ? [`key usage with ${more.join(', ')}`] : []),
  ];
}

function additions({extensions}: Certificate): readonly string[] {
  const {extendedKeyUsage, subjectAltNames, nameConstraints} = extensions;
  const names = (subjectAltNames ?? []).map(({value}) => printableLine(value));
  return [
    ...(extendedKeyUsage ? [`extended key usage ${extendedKeyUsage.join(', ')}`] : []),
    ...(names.length > 0 ? [`alternative names ${names.join(', ')}`] : []),
    ...(nameConstraints ? ['name constraints'] : []),
  ];
}
