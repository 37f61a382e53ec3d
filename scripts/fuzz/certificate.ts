/** Certificates as drafts, which mutators change before they are encoded and signed with the issuer's key. */
import {createHash} from 'node:crypto';
import {bits, boolean, implicit, integer, octets, oid, sequence, set, tagged, tlv} from './der.js';
import {type Hash, type Key, signatureAlgorithm} from './keys.js';

/** A certificate before it is signed. Every field is an encoded element, so that a mutator can write anything. */
export interface CertificateDraft {
  /** `[0]` with the version; empty for version 1. */
  version: Buffer;
  serial: Buffer;
  /** AlgorithmIdentifier in the TBSCertificate; default: that of the issuer's key. */
  algorithm?: Buffer;
  /** AlgorithmIdentifier beside the signature; default: the same. */
  outerAlgorithm?: Buffer;
  /** The issuer's hash; default: SHA-256. */
  hash?: Hash;
  /** Default: the issuer's subject. */
  issuerName?: Buffer;
  validity: Buffer;
  subject: Buffer;
  key: Key;
  /** SubjectPublicKeyInfo; default: the key's. */
  spki?: Buffer;
  /** Elements between the public key and the extensions: unique identifiers. */
  beforeExtensions: Buffer[];
  /** Absent for a certificate without extensions. */
  extensions?: Extension[];
  /** The draft itself for a root. */
  issuer: CertificateDraft;
  /** Replaces the issuer's signature. */
  sign?: (tbs: Buffer) => Buffer;
  /** Changes the encoded TBSCertificate before it is signed. */
  beforeSigning: ((tbs: Buffer) => Buffer)[];
  /** Changes the signature's BIT STRING and the certificate. */
  signatureElement?: (signature: Buffer) => Buffer;
  afterSigning: ((certificate: Buffer) => Buffer)[];
}

/** An extension. Its value may depend on the finished draft: key identifiers do. */
export interface Extension {
  readonly id: string;
  readonly critical?: boolean | Buffer;
  readonly value: Buffer | ((draft: CertificateDraft) => Buffer);
}

export const ids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
  netscapeComment: '2.16.840.1.113730.1.13',
} as const;

/** String types of names, by tag. */
export const stringTags = {
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  visible: 0x1a,
  universal: 0x1c,
  bmp: 0x1e,
} as const;

const attributeIds = {CN: '2.5.4.3', C: '2.5.4.6', L: '2.5.4.7', O: '2.5.4.10', OU: '2.5.4.11'} as const;

/** A name of one attribute for each part. */
export function name(...parts: readonly (readonly [keyof typeof attributeIds, string | Buffer, number?])[]): Buffer {
  return sequence(
    ...parts.map(([type, value, tag = stringTags.utf8]) =>
      set(sequence(oid(attributeIds[type]), tlv(tag, typeof value === 'string' ? Buffer.from(value) : value))),
    ),
  );
}

export const version = (number: number): Buffer => (number === 1 ? Buffer.alloc(0) : tagged(0, integer(number - 1)));
export const utcTime = (text: string): Buffer => tlv(0x17, Buffer.from(text));
export const generalizedTime = (text: string): Buffer => tlv(0x18, Buffer.from(text));

/** A validity period that includes every run of the fuzzer, and is the same in all of them. */
export const usualValidity = (): Buffer => sequence(utcTime('240101000000Z'), utcTime('450101000000Z'));

export function keyIdentifier({key, spki = key.spki}: CertificateDraft): Buffer {
  return createHash('sha1').update(spki).digest();
}

/** The usual extensions of a CA. */
export function caExtensions(pathLength?: number): Extension[] {
  const constraints = pathLength === undefined ? [] : [integer(pathLength)];
  return [
    {id: ids.basicConstraints, critical: true, value: sequence(boolean(true), ...constraints)},
    {id: ids.keyUsage, critical: true, value: bits(Buffer.from([0x06]), 1)},
    {id: ids.subjectKeyId, value: (draft) => octets(keyIdentifier(draft))},
    {id: ids.authorityKeyId, value: ({issuer}) => sequence(implicit(0, keyIdentifier(issuer)))},
  ];
}

/** Replaces an extension of the same type, or adds one. */
export function setExtension(draft: CertificateDraft, extension: Extension): void {
  draft.extensions ??= [];
  const index = draft.extensions.findIndex(({id}) => id === extension.id);
  if (index === -1) draft.extensions.push(extension);
  else draft.extensions[index] = extension;
}

export function removeExtension(draft: CertificateDraft, id: string): void {
  draft.extensions = draft.extensions?.filter((extension) => extension.id !== id) ?? [];
}

export function encodeExtension({id, critical, value}: Extension, draft: CertificateDraft): Buffer {
  const flag =
    critical === undefined || critical === false ? Buffer.alloc(0) : critical === true ? boolean(true) : critical;
  return sequence(oid(id), flag, octets(typeof value === 'function' ? value(draft) : value));
}

/** Signs and encodes a draft. */
export function encodeCertificate(draft: CertificateDraft): Buffer {
  const {issuer, extensions, hash} = draft;
  const algorithm = draft.algorithm ?? algorithmOf(issuer.key, hash);
  const whole = sequence(
    draft.version,
    draft.serial,
    algorithm,
    draft.issuerName ?? issuer.subject,
    draft.validity,
    draft.subject,
    draft.spki ?? draft.key.spki,
    ...draft.beforeExtensions,
    extensions === undefined
      ? Buffer.alloc(0)
      : tagged(3, sequence(...extensions.map((extension) => encodeExtension(extension, draft)))),
  );
  const tbs = draft.beforeSigning.reduce((bytes, change) => change(bytes), whole);
  const signature = signed(draft, tbs);
  const element = draft.signatureElement?.(signature) ?? bits(signature);
  const certificate = sequence(tbs, draft.outerAlgorithm ?? algorithm, element);
  return draft.afterSigning.reduce((bytes, change) => change(bytes), certificate);
}

function algorithmOf(key: Key, hash: Hash | undefined): Buffer {
  return hash === undefined || key.kind === 'other' ? key.algorithm : signatureAlgorithm(key.kind, hash);
}

const signatures = new Map<string, Buffer>();

/** Signing is the slowest part of a case, and most certificates of a case are unchanged. */
function signed({issuer, hash, sign = (tbs) => issuer.key.sign(tbs, hash)}: CertificateDraft, tbs: Buffer): Buffer {
  const digest = createHash('sha256')
    .update(tbs)
    .update(issuer.key.pkcs8)
    .update(hash ?? '')
    .update(String(sign))
    .digest('hex');
  const known = signatures.get(digest);
  if (known !== undefined) return known;
  const signature = sign(tbs);
  signatures.set(digest, signature);
  return signature;
}
