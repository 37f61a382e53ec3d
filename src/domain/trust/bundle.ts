/** Trust bundles as sets of roots. */
import {MeshError} from '../errors.js';
import {parseCertificates, type Certificate} from '../x509/certificate.js';

/** A root, as far as people and JSON need it. */
export interface RootRef {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: string;
}

/** The roots of a bundle's text. Throws what parsing throws, with `what` in the message. */
export function rootsOf(text: string, what: string): readonly Certificate[] {
  return text.trim() === '' ? [] : parseCertificates(text, what).certificates;
}

/** Roots of a text that somebody else wrote: what cannot be read has no roots; {@link isReadableBundle} tells. */
export function readableRoots(text: string | undefined): readonly Certificate[] {
  return tryRoots(text) ?? [];
}

/** Whether the roots of a text are known; no text has none. */
export function isReadableBundle(text: string | undefined): boolean {
  return tryRoots(text) !== undefined;
}

function tryRoots(text: string | undefined): readonly Certificate[] | undefined {
  if (text === undefined) return [];
  try {
    return rootsOf(text, 'bundle');
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class !== 'bug') return undefined;
    throw thrown;
  }
}

/** A certificate as a {@link RootRef}. */
export function rootRef({fingerprint, subject}: Certificate): RootRef {
  return {fingerprint, subject: subject.text};
}

/** The live roots that a bundle lacks, each once. */
export function missingRoots(live: readonly Certificate[], bundle: readonly Certificate[]): readonly Certificate[] {
  const there = new Set(bundle.map(({fingerprint}) => fingerprint));
  return live.filter(
    ({fingerprint}, index) =>
      !there.has(fingerprint) && live.findIndex((other) => other.fingerprint === fingerprint) === index,
  );
}

/** Whether one set of certificates contains the other. */
export function isSubsetEitherWay(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return missingRoots(one, other).length === 0 || missingRoots(other, one).length === 0;
}
