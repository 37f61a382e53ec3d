/**
 * The roots that a mesh, a cluster or a bundle trusts. One in the beginning, several while a root is replaced (docs/trust.md):
 * nothing outside of this file takes the first of them for the only one.
 */
import {recover} from '../errors.js';
import {parseCertificates, type Certificate} from '../x509/certificate.js';

/** A set of trusted roots. */
export interface TrustStore {
  /** The PEM text: as it was found, or as it is to be written. */
  readonly text: string;
  /** In the order of the text, each once. Empty where nothing of the text can be read. */
  readonly roots: readonly Certificate[];
  /** The CA that the key at hand signs for, and what is above it up to its root; absent: not known, or there is no key. */
  readonly signing?: readonly Certificate[];
}

/** A root, as far as people and JSON need it. */
export interface RootRef {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: string;
}

/** The trust store of a text. Throws what parsing throws (`NOT_PEM`, `NOT_A_CERTIFICATE`), with `what` in the message. */
export function parseTrustStore(text: string, what: string): TrustStore {
  return {text, roots: distinctRoots(parseCertificates(text, what).certificates)};
}

/** The trust store of some certificates; its text is theirs. */
export function trustStoreOf(certificates: readonly Certificate[]): TrustStore {
  return {text: certificates.map(({pem}) => pem).join(''), roots: distinctRoots(certificates)};
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
  if (text === undefined || text.trim() === '') return [];
  return recover(
    () => parseTrustStore(text, 'bundle').roots,
    () => undefined,
  );
}

/** A certificate as a {@link RootRef}. */
export function rootRef({fingerprint, subject}: Certificate): RootRef {
  return {fingerprint, subject: subject.text};
}

/** How a trust store is called in messages: by the subject of the root above the key at hand, else of its first root. */
export function rootName({roots, signing}: Pick<TrustStore, 'roots' | 'signing'>): string {
  return (signing?.at(-1) ?? roots[0])?.subject.text ?? '';
}

/** The CA that the available key signs for, with its issuers; where the key does not tell, each root may be that CA. */
export function signingChains({roots, signing}: TrustStore): readonly (readonly Certificate[])[] {
  return signing ? [signing] : roots.map((root) => [root]);
}

/** A certificate, or what is known of one. */
type Identified = Pick<Certificate, 'fingerprint'>;

/** Certificates of which each is there once, in their order. */
export function distinctRoots<Root extends Identified>(certificates: readonly Root[]): readonly Root[] {
  return [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
}

/** Whether a certificate is one of these. */
export function isAmong({fingerprint}: Identified, certificates: readonly Identified[]): boolean {
  return certificates.some((one) => one.fingerprint === fingerprint);
}

/** The live roots that a bundle lacks, each once. */
export function missingRoots<Root extends Identified>(
  live: readonly Root[],
  bundle: readonly Identified[],
): readonly Root[] {
  return distinctRoots(live).filter((root) => !isAmong(root, bundle));
}

/** Whether both have the same roots, in whatever order; without a root nothing is the same as anything. */
export function sameRoots(one: readonly Identified[], other: readonly Identified[]): boolean {
  return one.length > 0 && missingRoots(one, other).length === 0 && missingRoots(other, one).length === 0;
}

/** Whether one set of certificates contains the other. */
export function isSubsetEitherWay(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return missingRoots(one, other).length === 0 || missingRoots(other, one).length === 0;
}

/** The first of some trust stores whose roots are not those of the first; undefined where all agree. */
export function firstMismatch<Store extends TrustStore>([first, ...others]: readonly Store[]): Store | undefined {
  return first && others.find(({roots}) => !sameRoots(roots, first.roots));
}
