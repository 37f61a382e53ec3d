/** Key usage, basic constraints, and the list of extensions: versions, duplicates, criticality. */
import {caExtensions, type CertificateDraft, encodeExtension, type Extension, ids, version} from '../certificate.js';
import {bits, boolean, implicit, integer, nothing, octets, oid, sequence, tagged, tlv} from '../der.js';
import {caRoles, certificateMutator, extensionMutator, type Mutator} from './mutator.js';
import {variants} from './values.js';

const usage = (byte: number, unused: number): Buffer => bits(Buffer.from([byte]), unused);
const keyUsage = variants('key-usage', ids.keyUsage, {
  'cert-sign-only': [usage(0x04, 2), true],
  'no-cert-sign': [usage(0x80, 7), true],
  'not-critical': usage(0x06, 1),
  empty: [tlv(0x03, Buffer.from([0])), true],
  'all-zero': [usage(0x00, 0), true],
  'not-minimal': [usage(0x06, 0), true],
  'unused-bits-set': [usage(0x07, 1), true],
  'unused-8': [tlv(0x03, Buffer.from([8, 6])), true],
  'unused-without-octets': [tlv(0x03, Buffer.from([1])), true],
  'nine-bits': [bits(Buffer.from([0x06, 0x80]), 7), true],
  'three-octets': [bits(Buffer.from([0x06, 0x00, 0x00]), 0), true],
  'not-bits': [integer(6), true],
  'zero-bytes': [tlv(0x03), true],
  trailing: [Buffer.concat([usage(0x06, 1), nothing]), true],
});

const extendedUsage = (...purposes: readonly string[]): Buffer => sequence(...purposes.map(oid));
const purposes = variants('extended-key-usage', ids.extendedKeyUsage, {
  both: extendedUsage('1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'),
  any: extendedUsage('2.5.29.37.0'),
  'any-critical': [extendedUsage('2.5.29.37.0'), true],
  'server-only': extendedUsage('1.3.6.1.5.5.7.3.1'),
  'client-only': extendedUsage('1.3.6.1.5.5.7.3.2'),
  other: extendedUsage('1.3.6.1.5.5.7.3.9'),
  unknown: extendedUsage('1.2.3.4'),
  empty: sequence(),
  'not-a-sequence': oid('1.3.6.1.5.5.7.3.1'),
  'oid-malformed': sequence(tlv(0x06, Buffer.from([0x80, 1]))),
  trailing: Buffer.concat([extendedUsage('2.5.29.37.0'), nothing]),
});

const basic = variants('basic-constraints', ids.basicConstraints, {
  'not-critical': sequence(boolean(true)),
  'not-a-ca': [sequence(), true],
  'explicit-false': [sequence(boolean(false)), true],
  'not-der-true': [sequence(Buffer.from([1, 1, 1])), true],
  'two-octet-boolean': [sequence(Buffer.from([1, 2, 0xff, 0xff])), true],
  'path-length-0': [sequence(boolean(true), integer(0)), true],
  'path-length-negative': [sequence(boolean(true), integer(-1)), true],
  'path-length-huge': [sequence(boolean(true), integer(1n << 64n)), true],
  'path-length-31-bits': [sequence(boolean(true), integer((1n << 31n) - 1n)), true],
  'path-length-padded': [sequence(boolean(true), tlv(0x02, Buffer.from([0, 1]))), true],
  'path-length-without-ca': [sequence(integer(1)), true],
  'path-length-empty': [sequence(boolean(true), tlv(0x02)), true],
  trailing: [sequence(boolean(true), integer(5), nothing), true],
  'trailing-outside': [Buffer.concat([sequence(boolean(true)), nothing]), true],
  'not-a-sequence': [boolean(true), true],
  'zero-bytes': [Buffer.alloc(0), true],
});

/** The extension as the certificate would contain it, for duplicates. */
const again = (certificate: CertificateDraft, id: string): Extension | undefined =>
  certificate.extensions?.find((extension) => extension.id === id);

const structure: readonly Mutator[] = [
  certificateMutator('version/1-with-extensions', (certificate) => {
    certificate.version = version(1);
  }),
  certificateMutator('version/2-with-extensions', (certificate) => {
    certificate.version = version(2);
  }),
  certificateMutator('version/1-plain', (certificate) => {
    certificate.version = version(1);
    delete certificate.extensions;
  }),
  certificateMutator('version/1-explicit', (certificate) => {
    certificate.version = tagged(0, integer(0));
    delete certificate.extensions;
  }),
  certificateMutator('version/2-plain', (certificate) => {
    certificate.version = version(2);
    delete certificate.extensions;
  }),
  certificateMutator('version/4', (certificate) => {
    certificate.version = version(4);
  }),
  certificateMutator('version/negative', (certificate) => {
    certificate.version = tagged(0, integer(-1));
  }),
  certificateMutator('version/padded', (certificate) => {
    certificate.version = tagged(0, tlv(0x02, Buffer.from([0, 2])));
  }),
  certificateMutator('extensions/none', (certificate) => {
    delete certificate.extensions;
  }),
  certificateMutator('extensions/empty-list', (certificate) => {
    certificate.extensions = [];
  }),
  certificateMutator('extensions/only-basic-constraints', (certificate) => {
    certificate.extensions = caExtensions().slice(0, 1);
  }),
  ...[ids.basicConstraints, ids.keyUsage, ids.subjectKeyId].map((id) =>
    certificateMutator(`extensions/duplicate-${id}`, (certificate) => {
      const extension = again(certificate, id);
      if (extension !== undefined) certificate.extensions?.push(extension);
    }),
  ),
  certificateMutator('extensions/duplicate-unknown', (certificate) => {
    const unknown = {id: '1.2.3.4.5', value: octets(Buffer.from('x'))};
    certificate.extensions?.push(unknown, unknown);
  }),
  extensionMutator('extensions/unknown', {id: '1.2.3.4.5', value: octets(Buffer.from('x'))}),
  extensionMutator('extensions/unknown-critical', {id: '1.2.3.4.5', critical: true, value: octets(Buffer.from('x'))}),
  extensionMutator('extensions/large-arc', {id: '1.2.4294967296.1', value: octets(Buffer.from('x'))}),
  extensionMutator('extensions/large-arc-like-basic-constraints', {
    id: '2.5.29.4294967315',
    value: sequence(),
  }),
  extensionMutator('extensions/unknown-empty', {id: '1.2.3.4.5', value: Buffer.alloc(0)}),
  extensionMutator('extensions/explicit-not-critical', {
    id: '1.2.3.4.5',
    critical: boolean(false),
    value: octets(Buffer.from('x')),
  }),
  extensionMutator('extensions/critical-not-der', {
    id: '1.2.3.4.5',
    critical: Buffer.from([1, 1, 1]),
    value: octets(Buffer.from('x')),
  }),
  extensionMutator('extensions/netscape-type', {id: '2.16.840.1.113730.1.1', value: usage(0x07, 0)}),
  extensionMutator('extensions/netscape-type-ssl-server', {id: '2.16.840.1.113730.1.1', value: usage(0x40, 6)}),
  extensionMutator('extensions/ct-poison', {id: '1.3.6.1.4.1.11129.2.4.3', critical: true, value: nothing}),
  extensionMutator('extensions/must-staple', {id: '1.3.6.1.5.5.7.1.24', value: sequence(integer(5))}),
  extensionMutator('extensions/subject-directory', {id: '2.5.29.9', value: sequence()}),
  extensionMutator('extensions/private-key-usage-period', {id: '2.5.29.16', value: sequence()}),
  extensionMutator('extensions/freshest-crl-garbage', {id: '2.5.29.46', value: Buffer.from([1, 2, 3])}),
  extensionMutator('extensions/subject-information-garbage', {id: '1.3.6.1.5.5.7.1.11', value: Buffer.from([1, 2])}),
  extensionMutator('extensions/ip-blocks-garbage', {id: '1.3.6.1.5.5.7.1.7', value: Buffer.from([1, 2])}),
  certificateMutator('extensions/value-not-octets', (certificate) => {
    replaceExtensions(certificate, (list) => [...list, sequence(oid('1.2.3.4.5'), integer(5))]);
  }),
  certificateMutator('extensions/value-missing', (certificate) => {
    replaceExtensions(certificate, (list) => [...list, sequence(oid('1.2.3.4.5'))]);
  }),
  certificateMutator('extensions/trailing', (certificate) => {
    replaceExtensions(certificate, (list) => [...list, sequence(oid('1.2.3.4.5'), octets(Buffer.alloc(0)), nothing)]);
  }),
  certificateMutator('extensions/not-a-sequence', (certificate) => {
    replaceExtensions(certificate, (list) => [...list, nothing]);
  }),
  certificateMutator('extensions/two-lists', (certificate) => {
    certificate.beforeExtensions.push(
      tagged(3, sequence(...caExtensions().map((extension) => encodeExtension(extension, certificate)))),
    );
  }),
  certificateMutator('unique-id/issuer', (certificate) => {
    certificate.beforeExtensions.push(implicit(1, Buffer.from([0, 1, 2])));
  }),
  certificateMutator('unique-id/subject', (certificate) => {
    certificate.beforeExtensions.push(implicit(2, Buffer.from([0, 1, 2])));
  }),
  certificateMutator('unique-id/both', (certificate) => {
    certificate.beforeExtensions.push(implicit(1, Buffer.from([0, 1])), implicit(2, Buffer.from([0, 1])));
  }),
  certificateMutator('unique-id/exchanged', (certificate) => {
    certificate.beforeExtensions.push(implicit(2, Buffer.from([0, 1])), implicit(1, Buffer.from([0, 1])));
  }),
  certificateMutator(
    'unique-id/version-1',
    (certificate) => {
      certificate.version = version(1);
      certificate.beforeExtensions.push(implicit(1, Buffer.from([0, 1])));
      delete certificate.extensions;
    },
    caRoles,
  ),
  certificateMutator('unique-id/empty', (certificate) => {
    certificate.beforeExtensions.push(implicit(1, Buffer.alloc(0)));
  }),
];

/** Writes the list of extensions by hand. */
function replaceExtensions(certificate: CertificateDraft, change: (list: Buffer[]) => Buffer[]): void {
  const list = (certificate.extensions ?? []).map((extension) => encodeExtension(extension, certificate));
  certificate.beforeExtensions.push(tagged(3, sequence(...change(list))));
  delete certificate.extensions;
}

export const extensionMutators: readonly Mutator[] = [...keyUsage, ...purposes, ...basic, ...structure];
