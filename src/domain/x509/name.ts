/** X.501 distinguished names. */
import {
  decodeDer,
  type Der,
  encodeDer,
  oid,
  readOid,
  readSequence,
  readSet,
  sequence,
  set,
  tags,
  utf8String,
  OutsideProfile,
} from '../asn1/der.js';
import {readText} from '../asn1/text.js';

/** Short names of attribute types, as in openssl (RFC 4519, RFC 5280 4.1.2.4). */
const attributeOids = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  street: '2.5.4.9',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  title: '2.5.4.12',
  GN: '2.5.4.42',
  DC: '0.9.2342.19200300.100.1.25',
  UID: '0.9.2342.19200300.100.1.1',
  emailAddress: '1.2.840.113549.1.9.1',
} as const;

const shortNames: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(attributeOids).map(([short, dotted]) => [dotted, short]),
);

/** An attribute of a name; `type` is a short name, or a dotted OID if there is none. */
export interface NameAttribute {
  readonly type: string;
  readonly value: string;
}

/** A distinguished name in a certificate. */
export interface Name {
  readonly attributes: readonly NameAttribute[];
  /** `O=Istio, CN=Root CA`, in the certificate's own order, as `openssl x509 -subject` prints it. */
  readonly text: string;
  /** The encoded bytes, which verifiers compare (Go and OpenSSL compare encodings, not texts). */
  readonly der: Buffer;
}

/** The attributes of a name to be created, in order; encoded as UTF8String (RFC 5280 4.1.2.4). */
export type NameTemplate = readonly {readonly type: keyof typeof attributeOids; readonly value: string}[];

/** Encodes a name, one attribute per RDN. */
export function encodeName(template: NameTemplate): Der {
  return sequence(...template.map(({type, value}) => set(sequence(oid(attributeOids[type]), utf8String(value)))));
}

/**
 * Decodes a name. Throws a plain Error, and {@link OutsideProfile} for relative names that are empty or not sorted (X.690
 * 11.6), which not all programs compare alike.
 */
export function readName(value: Der | undefined, what: string): Name {
  const attributes = readSequence(value, what).flatMap((rdn) => {
    const parts = readSet(rdn, what);
    if (parts.length === 0) throw new OutsideProfile(`${what} has an empty relative name`);
    const encoded = parts.map(encodeDer);
    if (encoded.some((one, index) => index > 0 && Buffer.compare(encoded[index - 1] ?? one, one) > 0)) {
      throw new OutsideProfile(`${what} has a relative name that is not sorted`);
    }
    return parts.map((attribute): NameAttribute => {
      const [type, text, ...rest] = readSequence(attribute, what);
      if (rest.length > 0) throw new OutsideProfile(`an attribute of ${what} has additional fields`);
      const dotted = readOid(type, `${what} attribute`);
      return {type: shortNames[dotted] ?? dotted, value: readText(text, `${what} attribute`)};
    });
  });
  const text = attributes.map(({type, value}) => `${type}=${value.replace(/[,+"\\<>;]/g, '\\$&')}`).join(', ');
  return {attributes, text, der: encodeDer(value ?? sequence())};
}

/** String types that BoringSSL compares by their text; it compares others by their bytes (ASN1_MASK_CANON). */
const comparedByText: readonly number[] = [
  tags.utf8String,
  tags.bmpString,
  tags.printableString,
  tags.teletexString,
  tags.ia5String,
];

/**
 * A text for each relative name of an encoded name: those of equal names are equal in BoringSSL and OpenSSL (x_name.cc,
 * x509_name_canon), whatever their string types, the case of ASCII letters, and the number of spaces.
 */
export function canonicalName(encoded: Buffer): readonly string[] {
  return readSequence(decodeDer(encoded), 'name').map((rdn) => {
    const attributes = readSet(rdn, 'name').map((attribute) => {
      const [type, value] = readSequence(attribute, 'name');
      const id = readOid(type, 'name');
      return value && comparedByText.includes(value.tag)
        ? `${id}=${JSON.stringify(canonicalText(readText(value, 'name')))}`
        : `${id}#${encodeDer(value ?? sequence()).toString('hex')}`;
    });
    return attributes.sort().join('+');
  });
}

/** ASCII only: OpenSSL's tolower and isspace do not know other characters. */
function canonicalText(text: string): string {
  return text
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase())
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/^ | $/g, '');
}

/** The value of the first attribute of this type. */
export function attributeOf(name: Name, type: keyof typeof attributeOids): string | undefined {
  return name.attributes.find((attribute) => attribute.type === type)?.value;
}
