/** What a server made of a cluster CA other than was asked for: one sentence each, for a person. Pure. */
import type {Certificate} from '../../domain/pki/certificate.js';
import {keyUsages} from '../../domain/pki/extensions.js';
import type {NameTemplate} from '../../domain/pki/name.js';
import {caKeyUsage, clusterCaName} from '../../domain/pki/profile.js';
import {printableLine} from '../../domain/printable.js';

const dayMs = 24 * 60 * 60_000;
/** The server's clock is not ours, and it signs a moment later. Milliseconds. */
const tolerance = 5 * 60_000;

/** What was asked for. */
export interface Asked {
  readonly cluster: string;
  readonly validityDays: number;
  readonly now: Date;
  /** When the first of the certificates above ends: no longer life was asked for. */
  readonly end: Date;
  /** What the server itself said. */
  readonly warnings: readonly string[];
}

/** Compares. */
export function changesOf(certificate: Certificate, asked: Asked): readonly string[] {
  return [
    ...life(certificate, asked),
    ...subject(certificate, clusterCaName(asked.cluster)),
    ...pathLength(certificate),
    ...usage(certificate),
    ...additions(certificate),
  ];
}

function life({notAfter}: Certificate, {validityDays, now, end, warnings}: Asked): readonly string[] {
  const wanted = now.getTime() + validityDays * dayMs;
  const difference = notAfter.getTime() - wanted;
  if (Math.abs(difference) <= tolerance) return [];
  const got = `valid until ${notAfter.toISOString().slice(0, 10)}, ${days(notAfter.getTime() - now.getTime())} instead of ${days(wanted - now.getTime())}`;
  if (difference < 0 && Math.abs(notAfter.getTime() - end.getTime()) <= tolerance) {
    return [`${got}: what stands above it ends then`];
  }
  const reason = warnings.find((warning) => /\bttl\b/i.test(warning));
  return [reason === undefined ? got : `${got}: ${printableLine(reason).slice(0, 200)}`];
}

function days(ms: number): string {
  const count = Math.round(ms / dayMs);
  if (count < 1) return `${String(Math.round(ms / 3_600_000))} h`;
  return count === 1 ? '1 day' : `${String(count)} days`;
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
