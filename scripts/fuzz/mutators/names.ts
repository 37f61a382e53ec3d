/** Serial numbers, names and their string types. */
import {type CertificateDraft, name, stringTags} from '../certificate.js';
import {integer, oid, sequence, set, tlv} from '../der.js';
import {certificateMutator, type Mutator} from './mutator.js';

const serials: Readonly<Record<string, bigint>> = {
  negative: -5n,
  'negative-large': -(1n << 127n),
  zero: 0n,
  '20-octets': (1n << 158n) + 1n,
  '21-octets': (1n << 160n) + 1n,
  '40-octets': (1n << 318n) + 1n,
};

/** A name whose common name has this string type and these bytes. */
function common(tag: keyof typeof stringTags, value: string | Buffer): (certificate: CertificateDraft) => void {
  return (certificate) => {
    certificate.subject = name(['O', 'Example'], ['CN', value, stringTags[tag]]);
  };
}

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const utf32 = (text: string): Buffer =>
  Buffer.concat(
    Array.from(text, (each) => {
      const unit = Buffer.alloc(4);
      unit.writeUInt32BE(each.codePointAt(0) ?? 0);
      return unit;
    }),
  );

const commonNames: Readonly<Record<string, (certificate: CertificateDraft) => void>> = {
  'printable-plain': common('printable', 'Example CA'),
  'printable-underscore': common('printable', 'example_ca'),
  'printable-at': common('printable', 'ca@example.com'),
  'printable-asterisk': common('printable', '*.example.com'),
  'printable-ampersand': common('printable', 'R&D CA'),
  'printable-hash': common('printable', 'CA #1'),
  'printable-semicolon': common('printable', 'CA;1'),
  'printable-exclamation': common('printable', 'CA!'),
  'printable-control': common('printable', Buffer.from('CA\x01')),
  'printable-newline': common('printable', Buffer.from('CA\n')),
  'printable-latin1': common('printable', Buffer.from('M\xfcller', 'latin1')),
  'printable-utf8': common('printable', 'Müller'),
  'printable-nul': common('printable', Buffer.from('CA\0x')),
  'printable-empty': common('printable', ''),
  'utf8-invalid': common('utf8', Buffer.from([0x43, 0xff, 0xfe])),
  'utf8-control': common('utf8', 'CA\u0001\u001b[31m'),
  'utf8-nul': common('utf8', 'CA\0x'),
  'utf8-surrogate': common('utf8', Buffer.from([0xed, 0xa0, 0x80])),
  'utf8-noncharacter': common('utf8', 'CA\u{fdd0}'),
  'utf8-noncharacter-astral': common('utf8', 'CA\u{1fffe}'),
  'utf8-emoji': common('utf8', '🔒 CA'),
  'utf8-empty': common('utf8', ''),
  'utf8-long': common('utf8', 'x'.repeat(600)),
  'ia5-plain': common('ia5', 'ca@example.com'),
  'ia5-latin1': common('ia5', Buffer.from('M\xfcller', 'latin1')),
  'ia5-control': common('ia5', Buffer.from('CA\x01')),
  'teletex-ascii': common('teletex', 'Example CA'),
  'teletex-latin1': common('teletex', Buffer.from('M\xfcller', 'latin1')),
  'bmp-plain': common('bmp', utf16('Müller CA')),
  'bmp-odd': common('bmp', Buffer.concat([utf16('CA'), Buffer.from([0])])),
  'bmp-surrogate': common('bmp', utf16('🔒 CA')),
  'bmp-lone-surrogate': common('bmp', Buffer.from([0xd8, 0x00, 0x00, 0x41])),
  'bmp-terminated': common('bmp', utf16('CA\0')),
  'bmp-noncharacter': common('bmp', Buffer.from([0xff, 0xfe, 0x00, 0x41])),
  'universal-plain': common('universal', utf32('Example')),
  'universal-emoji': common('universal', utf32('🔒')),
  'universal-length': common('universal', Buffer.from([0, 0, 0, 0x41, 0])),
  'universal-range': common('universal', Buffer.from([0x00, 0x11, 0x00, 0x00])),
  'numeric-digits': common('numeric', '12 34'),
  'numeric-letters': common('numeric', '12a'),
  'visible-plain': common('visible', 'Example CA'),
};

function relative(...attributes: readonly Buffer[]): (certificate: CertificateDraft) => void {
  return (certificate) => {
    certificate.subject = sequence(set(...attributes));
  };
}

const attribute = (id: string, value: Buffer): Buffer => sequence(oid(id), value);
const text = (value: string): Buffer => tlv(stringTags.utf8, Buffer.from(value));

const structures: Readonly<Record<string, (certificate: CertificateDraft) => void>> = {
  'empty-subject': (certificate) => {
    certificate.subject = sequence();
  },
  'empty-rdn': relative(),
  'two-attributes': relative(attribute('2.5.4.10', text('Example')), attribute('2.5.4.3', text('CA'))),
  'set-not-sorted': relative(attribute('2.5.4.3', text('CA')), attribute('2.5.4.3', text('AA'))),
  'value-integer': relative(attribute('2.5.4.3', integer(5))),
  'value-sequence': relative(attribute('2.5.4.3', sequence(text('CA')))),
  'value-missing': relative(sequence(oid('2.5.4.3'))),
  'value-extra': relative(sequence(oid('2.5.4.3'), text('CA'), text('CA'))),
  'unknown-attribute': relative(attribute('1.2.3.4.5.6', text('CA'))),
  'country-long': relative(attribute('2.5.4.6', tlv(stringTags.printable, Buffer.from('Germany')))),
  'country-utf8': relative(attribute('2.5.4.6', text('DE'))),
  'domain-component': relative(attribute('0.9.2342.19200300.100.1.25', tlv(stringTags.ia5, Buffer.from('example')))),
};

/** Issuer names that the child does not repeat byte by byte. */
const issuerNames: Readonly<Record<string, (certificate: CertificateDraft) => void>> = {
  'other-type': (certificate) => {
    const {issuer} = certificate;
    issuer.subject = name(['O', 'Example'], ['CN', 'Parent', stringTags.utf8]);
    certificate.issuerName = name(['O', 'Example'], ['CN', 'Parent', stringTags.printable]);
  },
  'other-case': (certificate) => {
    const {issuer} = certificate;
    issuer.subject = name(['O', 'Example'], ['CN', 'Parent CA']);
    certificate.issuerName = name(['O', 'Example'], ['CN', 'PARENT ca']);
  },
  'other-spaces': (certificate) => {
    const {issuer} = certificate;
    issuer.subject = name(['O', 'Example'], ['CN', 'Parent CA']);
    certificate.issuerName = name(['O', 'Example'], ['CN', ' Parent  CA ']);
  },
  'other-name': (certificate) => {
    certificate.issuerName = name(['O', 'Example'], ['CN', 'Nobody']);
  },
  empty: (certificate) => {
    certificate.issuerName = sequence();
  },
};

export const nameMutators: readonly Mutator[] = [
  ...Object.entries(serials).map(([key, value]) =>
    certificateMutator(`serial/${key}`, (certificate) => {
      certificate.serial = integer(value);
    }),
  ),
  certificateMutator('serial/padded', (certificate) => {
    certificate.serial = tlv(0x02, Buffer.from([0, 0, 5]));
  }),
  certificateMutator('serial/empty', (certificate) => {
    certificate.serial = tlv(0x02);
  }),
  ...Object.entries({...commonNames, ...structures}).map(([key, change]) => certificateMutator(`name/${key}`, change)),
  ...Object.entries(issuerNames).map(([key, change]) => certificateMutator(`issuer-name/${key}`, change)),
];
