/** Encodes and decodes the certificate extensions that matter for a mesh's trust (RFC 5280 4.2). */
import {defined} from '../defined.js';
import {
  bitString,
  childrenOf,
  contentOf,
  type Der,
  decodeDer,
  derTrue,
  encodeDer,
  implicit,
  integer,
  isContext,
  isTag,
  octetString,
  oid,
  readBitString,
  readBoolean,
  readOctetString,
  readOid,
  readSequence,
  readSmallInteger,
  sequence,
  tags,
} from '../asn1/der.js';
import {readName} from './name.js';

const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

/** Key usage bits in their order (RFC 5280 4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsage = (typeof keyUsages)[number];

/** Extended key usages with names; others are shown as dotted OIDs (RFC 5280 4.2.1.12). */
const extendedKeyUsageOids: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  OCSPSigning: '1.3.6.1.5.5.7.3.9',
};

/** A general name. `ip` is a dotted or hexadecimal address, in constraints with its mask. `other` is not decoded. */
export interface GeneralName {
  readonly type: 'dns' | 'uri' | 'email' | 'ip' | 'directory' | 'other';
  readonly value: string;
}

/** The names that a CA may certify (RFC 5280 4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** The decoded extensions of a certificate; absent if the certificate does not have them. */
export interface Extensions {
  readonly basicConstraints?: {readonly ca: boolean; readonly pathLength?: number; readonly critical: boolean};
  readonly keyUsage?: {readonly usages: readonly KeyUsage[]; readonly critical: boolean};
  /** Names, or dotted OIDs if unknown. */
  readonly extendedKeyUsage?: readonly string[];
  /** Lower-case hexadecimal. */
  readonly subjectKeyId?: string;
  /** Lower-case hexadecimal; also absent if the extension identifies the issuer only by name. */
  readonly authorityKeyId?: string;
  readonly subjectAltNames?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints & {readonly critical: boolean};
  /** Dotted OIDs of the critical extensions that Go, and so istiod, does not support: it refuses such a chain. */
  readonly unhandledCritical: readonly string[];
}

/** The extensions of a certificate to be created. */
export interface ExtensionsTemplate {
  readonly basicConstraints: {readonly ca: boolean; readonly pathLength?: number};
  readonly keyUsage: readonly KeyUsage[];
  readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[];
  readonly subjectKeyId: Buffer;
  readonly authorityKeyId?: Buffer;
  readonly subjectAltNames?: readonly {readonly type: 'dns' | 'uri'; readonly value: string}[];
  /** Whether the names are critical, as they must be if the subject is empty (RFC 5280 4.2.1.6). */
  readonly subjectAltNamesCritical?: boolean;
}

// Context tags of GeneralName (RFC 5280 4.2.1.6).
const generalNameTags = {email: 1, dns: 2, directory: 4, uri: 6, ip: 7} as const;

/** Encodes the extensions as the SEQUENCE in `[3]` of a certificate. */
export function encodeExtensions(template: ExtensionsTemplate): Der {
  const {ca, pathLength} = template.basicConstraints;
  const path = pathLength === undefined ? [] : [integer(pathLength)];
  const {authorityKeyId} = template;
  const usages = template.extendedKeyUsage?.map((name) => oid(extendedKeyUsageOids[name] ?? name));
  const names = template.subjectAltNames?.map(({type, value}) =>
    implicit(generalNameTags[type], Buffer.from(value, 'latin1')),
  );
  const extensions = [
    extension('basicConstraints', true, ca ? sequence(derTrue, ...path) : sequence()),
    extension('keyUsage', true, encodeKeyUsage(template.keyUsage)),
    usages && extension('extendedKeyUsage', false, sequence(...usages)),
    extension('subjectKeyId', false, octetString(template.subjectKeyId)),
    authorityKeyId && extension('authorityKeyId', false, sequence(implicit(0, authorityKeyId))),
    names && extension('subjectAltName', template.subjectAltNamesCritical ?? false, sequence(...names)),
  ];
  return sequence(...extensions.filter((one) => one !== undefined));
}

function extension(name: keyof typeof extensionOids, critical: boolean, value: Der): Der {
  return sequence(oid(extensionOids[name]), ...(critical ? [derTrue] : []), octetString(encodeDer(value)));
}

/** A named bit list: bit 0 is the highest bit of the first byte, and trailing zero bits are omitted (X.690 11.2.2). */
function encodeKeyUsage(usages: readonly KeyUsage[]): Der {
  const bits = usages.map((usage) => keyUsages.indexOf(usage));
  const last = Math.max(...bits);
  const bytes = Buffer.alloc(Math.floor(last / 8) + 1);
  for (const bit of bits) {
    const at = Math.floor(bit / 8);
    bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit % 8));
  }
  return bitString(bytes, 7 - (last % 8));
}

/** Decodes the SEQUENCE of extensions. Throws a plain Error, also for a duplicate extension (RFC 5280 4.2). */
export function readExtensions(value: Der | undefined): Extensions {
  if (!value) return {unhandledCritical: []};
  const found = new Map<string, {critical: boolean; value: Buffer}>();
  for (const child of readSequence(value, 'extensions')) {
    const fields = readSequence(child, 'extension');
    const id = readOid(fields[0], 'extension identifier');
    if (found.has(id)) throw new Error(`extension ${id} appears twice`);
    const critical = isTag(fields[1], tags.boolean) && readBoolean(fields[1], `criticality of ${id}`);
    const content = fields[isTag(fields[1], tags.boolean) ? 2 : 1];
    found.set(id, {critical, value: readOctetString(content, `extension ${id}`)});
  }
  const of = <T>(name: keyof typeof extensionOids, read: (value: Der, critical: boolean) => T): T | undefined => {
    const entry = found.get(extensionOids[name]);
    return entry && read(decodeDer(entry.value), entry.critical);
  };
  const nameConstraints = of('nameConstraints', readNameConstraints);
  return defined({
    basicConstraints: of('basicConstraints', readBasicConstraints),
    keyUsage: of('keyUsage', readKeyUsage),
    extendedKeyUsage: of('extendedKeyUsage', readExtendedKeyUsage),
    subjectKeyId: of('subjectKeyId', (der) => readOctetString(der, 'subject key identifier').toString('hex')),
    authorityKeyId: of('authorityKeyId', readAuthorityKeyId),
    subjectAltNames: of('subjectAltName', (der) => readSequence(der, 'subject alt name').map(readGeneralName)),
    nameConstraints,
    unhandledCritical: [...found]
      .filter(([id, {critical}]) => critical && !isSupported(id, nameConstraints))
      .map(([id]) => id),
  });
}

/** Whether Go's crypto/x509 supports a critical extension; name constraints only with the four types it supports. */
function isSupported(id: string, constraints: NameConstraints | undefined): boolean {
  if (id === extensionOids.nameConstraints) {
    const names = [...(constraints?.permitted ?? []), ...(constraints?.excluded ?? [])];
    return names.every((name) => name.type !== 'directory' && name.type !== 'other');
  }
  return (Object.values(extensionOids) as string[]).includes(id);
}

function readBasicConstraints(value: Der, critical: boolean): NonNullable<Extensions['basicConstraints']> {
  const fields = readSequence(value, 'basic constraints');
  const ca = isTag(fields[0], tags.boolean) && readBoolean(fields[0], 'CA flag');
  const path = fields[isTag(fields[0], tags.boolean) ? 1 : 0];
  return defined({ca, critical, pathLength: path && readSmallInteger(path, 'path length')});
}

function readKeyUsage(value: Der, critical: boolean): NonNullable<Extensions['keyUsage']> {
  const {bytes} = readBitString(value, 'key usage');
  const usages = keyUsages.filter((_, bit) => ((bytes[Math.floor(bit / 8)] ?? 0) & (0x80 >> (bit % 8))) !== 0);
  return {usages, critical};
}

function readExtendedKeyUsage(value: Der): readonly string[] {
  return readSequence(value, 'extended key usage').map((child) => {
    const id = readOid(child, 'extended key usage');
    return Object.entries(extendedKeyUsageOids).find(([, dotted]) => dotted === id)?.[0] ?? id;
  });
}

function readAuthorityKeyId(value: Der): string | undefined {
  const keyId = readSequence(value, 'authority key identifier').find((field) => isContext(field, 0));
  return keyId && contentOf(keyId, 'authority key identifier').toString('hex');
}

function readNameConstraints(value: Der, critical: boolean): NonNullable<Extensions['nameConstraints']> {
  const fields = readSequence(value, 'name constraints');
  const subtrees = (tag: number): readonly GeneralName[] => {
    const list = fields.find((field) => isContext(field, tag));
    if (!list) return [];
    return childrenOf(list, 'name constraints').map((subtree) => readGeneralName(readSequence(subtree, 'subtree')[0]));
  };
  return {permitted: subtrees(0), excluded: subtrees(1), critical};
}

function readGeneralName(value: Der | undefined): GeneralName {
  const types = Object.keys(generalNameTags) as (keyof typeof generalNameTags)[];
  const type = types.find((one) => isContext(value, generalNameTags[one]));
  if (type === undefined) return {type: 'other', value: ''};
  if (type === 'directory') {
    return {type, value: readName(childrenOf(value, 'directory name')[0], 'directory name').text};
  }
  const content = contentOf(value, 'general name');
  return {type, value: type === 'ip' ? formatAddress(content) : content.toString('latin1')};
}

/** 4 bytes as a dotted quad and 8 as address/mask, 16 and 32 likewise in hexadecimal groups. */
function formatAddress(bytes: Buffer): string {
  const format = (part: Buffer): string =>
    part.length === 4 ? [...part].join('.') : (part.toString('hex').match(/.{1,4}/g) ?? []).join(':');
  if (bytes.length === 8 || bytes.length === 32) {
    const half = bytes.length / 2;
    return `${format(bytes.subarray(0, half))}/${format(bytes.subarray(half))}`;
  }
  return format(bytes);
}
