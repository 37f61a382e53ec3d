/** What a server made of a cluster CA other than was asked for: one sentence each, for a person. Pure. */
import type {Certificate} from '../../domain/x509/certificate.js';
import {changesFromRequest} from '../../domain/ca/changes.js';
import {printableLine} from '../../domain/printable.js';
import {dayMs, lengthInWords} from '../../domain/time.js';

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
  return [...life(certificate, asked), ...changesFromRequest(certificate, asked.cluster)];
}

function life({notAfter}: Certificate, {validityDays, now, end, warnings}: Asked): readonly string[] {
  const wanted = now.getTime() + validityDays * dayMs;
  const difference = notAfter.getTime() - wanted;
  if (Math.abs(difference) <= tolerance) return [];
  const got = `valid until ${notAfter.toISOString().slice(0, 10)}, ${lengthInWords(notAfter.getTime() - now.getTime())} instead of ${lengthInWords(wanted - now.getTime())}`;
  if (difference < 0 && Math.abs(notAfter.getTime() - end.getTime()) <= tolerance) {
    return [`${got}: what stands above it ends then`];
  }
  const reason = warnings.find((warning) => /\bttl\b/i.test(warning));
  return [reason === undefined ? got : `${got}: ${printableLine(reason).slice(0, 200)}`];
}
