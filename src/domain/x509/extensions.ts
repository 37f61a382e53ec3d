/** The certificate extensions that matter for a mesh's trust (RFC 5280 4.2), and their encoding. `read-extensions.ts` decodes them. */
import {bitString, type Der, derTrue, encodeDer, implicit, integer, octetString, oid, sequence} from '../asn1/der.js';
import {type GeneralName, generalNameTags} from './general-names.js';

/** The extensions that this program decodes. */
export const extensionOids = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  policies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyId: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
  authorityInfoAccess: '1.3.6.1.5.5.7.1.1',
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

/** The names of extended key usages by their object identifiers. */
export const extendedKeyUsageNames: ReadonlyMap<string, string> = new Map(
  Object.entries(extendedKeyUsageOids).map(([name, id]) => [id, name]),
);

/** The names that a CA may certify (RFC 5280 4.2.1.10). */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** A certificate by its issuer and serial number. */
export interface AuthorityKeyId {
  /** The first directory name, encoded; absent without one. */
  readonly issuer?: Buffer;
  /** Lower-case hexadecimal, without leading zeros. */
  readonly serial: string;
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
  /** The issuer's certificate, if the extension identifies it by issuer and serial number (RFC 5280 4.2.1.1). */
  readonly authority?: AuthorityKeyId;
  /** Whether policy constraints require a policy in every certificate below. */
  readonly requiresPolicy?: boolean;
  /** Dotted OIDs of the critical extensions; see `critical-extensions.ts`. */
  readonly critical: readonly string[];
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
