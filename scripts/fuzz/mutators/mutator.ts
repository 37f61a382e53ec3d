/** What a mutator is, and the usual kinds of it. */
import {type CertificateDraft, type Extension, setExtension} from '../certificate.js';
import type {Key} from '../keys.js';
import type {Random} from '../random.js';
import {draftOf, type FileName, type Files, type Role, type SetDraft} from '../sets.js';

/** One way to change a set of CA files. */
export interface Mutator {
  /** Names the kind of change in the report: `GROUP/NAME`. */
  readonly variant: string;
  /** The places that it can change: certificates or files. */
  readonly places: readonly string[];
  /** Names of the base sets that it can start from; default: every one that has the place. */
  readonly bases?: readonly string[];
  readonly apply: (draft: SetDraft, place: string, random: Random) => void;
}

const allRoles: readonly Role[] = ['ca', 'intermediate', 'root', 'second-root'];
const caRoles: readonly Role[] = ['ca', 'intermediate', 'root'];

/** Changes one certificate. */
export function certificateMutator(
  variant: string,
  change: (certificate: CertificateDraft, random: Random, draft: SetDraft, role: Role) => void,
  places: readonly Role[] = allRoles,
): Mutator {
  return {
    variant,
    places,
    apply: (draft, place, random) => {
      change(draftOf(draft, place as Role), random, draft, place as Role);
    },
  };
}

/** Adds or replaces an extension. */
export function extensionMutator(
  variant: string,
  extension: Extension | ((random: Random) => Extension),
  places: readonly Role[] = allRoles,
): Mutator {
  return certificateMutator(
    variant,
    (certificate, random) => {
      setExtension(certificate, typeof extension === 'function' ? extension(random) : extension);
    },
    places,
  );
}

/** Gives one certificate another key; its own signatures fit. */
export function keyMutator(variant: string, key: () => Key, places: readonly Role[] = allRoles): Mutator {
  return certificateMutator(
    variant,
    (certificate, _, draft, role) => {
      setKey(draft, certificate, role, key());
    },
    places,
  );
}

/** Changes the public key that a certificate contains, but not the key. */
export function publicKeyMutator(
  variant: string,
  spki: (certificate: CertificateDraft, random: Random) => Buffer,
  key?: () => Key,
  places: readonly Role[] = allRoles,
): Mutator {
  return certificateMutator(
    variant,
    (certificate, random, draft, role) => {
      if (key !== undefined) setKey(draft, certificate, role, key());
      certificate.spki = spki(certificate, random);
    },
    places,
  );
}

function setKey(draft: SetDraft, certificate: CertificateDraft, role: Role, key: Key): void {
  certificate.key = key;
  if (role === 'ca') draft.key = key.traditional ?? {label: 'PRIVATE KEY', der: key.pkcs8};
}

/** Changes ca-key.pem. */
export function keyFileMutator(
  variant: string,
  change: (key: Key, random: Random, draft: SetDraft) => {label: string; der: Buffer},
  bases?: readonly string[],
): Mutator {
  return {
    variant,
    places: ['ca-key.pem'],
    ...(bases && {bases}),
    apply: (draft, _, random) => {
      draft.key = change(draftOf(draft, 'ca').key, random, draft);
    },
  };
}

const certificateFiles = ['ca-cert.pem', 'root-cert.pem', 'cert-chain.pem'] as const;
export const allFiles: readonly FileName[] = [...certificateFiles, 'ca-key.pem'];

/** Changes the bytes of one file. */
export function textMutator(
  variant: string,
  change: (text: Buffer, random: Random, files: Files) => Buffer | string,
  places: readonly FileName[] = allFiles,
): Mutator {
  return {
    variant,
    places,
    apply: (draft, place, random) => {
      draft.afterEncoding.push((files) => {
        files[place as FileName] = Buffer.from(change(files[place as FileName], random, files));
      });
    },
  };
}

/** Changes which certificates the files contain. */
export function contentsMutator(
  variant: string,
  change: (draft: SetDraft, random: Random) => void,
  bases?: readonly string[],
): Mutator {
  return {
    variant,
    places: ['set'],
    ...(bases && {bases}),
    apply: (draft, _, random) => {
      change(draft, random);
    },
  };
}

export {allRoles, caRoles, certificateFiles};
