/**
 * The roots that a mesh, a cluster or a bundle trusts: usually one, but several during a root rotation (docs/trust.md).
 * No code outside this file assumes that the first is the only one.
 */
import {recover} from '../errors.js';
import {parseCertificates, type Certificate} from '../x509/certificate.js';

/** A set of trusted roots. */
export interface TrustStore {
  /** The certificates as PEM, encoded again: a file can contain other text. */
  readonly text: string;
  /** In the order of the text, without duplicates. Empty if the text is unreadable. */
  readonly roots: readonly Certificate[];
  /** The CA of the available key, and the certificates above it up to its root; absent if unknown or without a key. */
  readonly signing?: readonly Certificate[];
}

/** A root in results and messages. */
export interface RootRef {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  readonly subject: string;
}

/** The trust store of a text. `what` names the text in messages. Throws `NOT_PEM`, `NOT_A_CERTIFICATE`. */
export function parseTrustStore(text: string, what: string): TrustStore {
  return trustStoreOf(parseCertificates(text, what).certificates);
}

/** The trust store of these certificates. */
export function trustStoreOf(certificates: readonly Certificate[]): TrustStore {
  return {text: certificates.map(({pem}) => pem).join(''), roots: distinctRoots(certificates)};
}

/** The roots of a foreign text; none for an unreadable one, see {@link isReadableBundle}. */
export function readableRoots(text: string | undefined): readonly Certificate[] {
  return tryRoots(text) ?? [];
}

/** Whether a text is readable; an absent or empty text counts as readable, without roots. */
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

/** A trust store's name in messages: the subject of the root above the available key, or else of its first root. */
export function rootName({roots, signing}: Pick<TrustStore, 'roots' | 'signing'>): string {
  return (signing?.at(-1) ?? roots[0])?.subject.text ?? '';
}

/** The chain of the available key's CA; if that CA is unknown, each root is a candidate. */
export function signingChains({roots, signing}: TrustStore): readonly (readonly Certificate[])[] {
  return signing ? [signing] : roots.map((root) => [root]);
}

/** A certificate, or its fingerprint alone. */
type Identified = Pick<Certificate, 'fingerprint'>;

/** The certificates without duplicates, in order. */
export function distinctRoots<Root extends Identified>(certificates: readonly Root[]): readonly Root[] {
  return [...new Map(certificates.map((one) => [one.fingerprint, one])).values()];
}

/** Whether these certificates include a certificate. */
export function isAmong({fingerprint}: Identified, certificates: readonly Identified[]): boolean {
  return certificates.some((one) => one.fingerprint === fingerprint);
}

/** The live roots that a bundle lacks, without duplicates. */
export function missingRoots<Root extends Identified>(
  live: readonly Root[],
  bundle: readonly Identified[],
): readonly Root[] {
  return distinctRoots(live).filter((root) => !isAmong(root, bundle));
}

/** Whether two lists contain the same roots, in any order; empty lists are never the same. */
export function sameRoots(one: readonly Identified[], other: readonly Identified[]): boolean {
  return one.length > 0 && missingRoots(one, other).length === 0 && missingRoots(other, one).length === 0;
}

/** Whether one of the sets contains the other. */
export function isSubsetEitherWay(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return missingRoots(one, other).length === 0 || missingRoots(other, one).length === 0;
}

/** The first trust store whose roots differ from those of the first one; undefined if all are the same. */
export function mismatch<Store extends TrustStore>([first, ...others]: readonly Store[]): Store | undefined {
  return first && others.find(({roots}) => !sameRoots(roots, first.roots));
}
