/** Subject and authority key identifiers. */
import {
  type CertificateDraft,
  type Extension,
  ids,
  keyIdentifier,
  removeExtension,
  setExtension,
} from '../certificate.js';
import {implicit, integer, nothing, octets, oid, sequence, set, tagged, tlv} from '../der.js';
import {draftOf} from '../sets.js';
import {certificateMutator, contentsMutator, extensionMutator, type Mutator} from './mutator.js';
import {dns, variants} from './values.js';

const authority = ({issuer}: CertificateDraft, changes: {issuer?: Buffer; serial?: Buffer; key?: boolean}): Buffer =>
  sequence(
    ...(changes.key === false ? [] : [implicit(0, keyIdentifier(issuer))]),
    tagged(1, changes.issuer ?? tagged(4, issuer.issuerName ?? issuer.issuer.subject)),
    implicit(2, changes.serial ?? issuer.serial.subarray(2)),
  );
const anotherName = tagged(4, sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('Another'))))));

export const keyIdentifierMutators: readonly Mutator[] = [
  ...variants('subject-key-id', ids.subjectKeyId, {
    other: octets(Buffer.alloc(20, 9)),
    long: octets(Buffer.alloc(200, 9)),
    empty: octets(Buffer.alloc(0)),
    'not-octets': integer(5),
    trailing: Buffer.concat([octets(Buffer.alloc(20, 9)), nothing]),
    critical: [octets(Buffer.alloc(20, 9)), true],
  }),
  certificateMutator('subject-key-id/missing', (certificate) => {
    removeExtension(certificate, ids.subjectKeyId);
  }),
  extensionMutator('subject-key-id/critical-right', {
    id: ids.subjectKeyId,
    critical: true,
    value: (certificate) => octets(keyIdentifier(certificate)),
  }),
  ...Object.entries<Extension['value']>({
    'issuer-and-serial': (certificate) => authority(certificate, {}),
    'issuer-and-serial-only': (certificate) => authority(certificate, {key: false}),
    'other-serial': (certificate) => authority(certificate, {serial: Buffer.from([0x63])}),
    'other-issuer': (certificate) => authority(certificate, {issuer: anotherName}),
    'other-serial-no-key': (certificate) => authority(certificate, {serial: Buffer.from([0x63]), key: false}),
    'issuer-is-dns': (certificate) => authority(certificate, {issuer: dns('example.com')}),
    'serial-without-issuer': ({issuer}) => sequence(implicit(2, issuer.serial.subarray(2))),
    'issuer-without-serial': ({issuer}) => sequence(tagged(1, tagged(4, issuer.subject))),
    'padded-serial': (certificate) =>
      authority(certificate, {serial: Buffer.concat([Buffer.alloc(1), certificate.issuer.serial.subarray(2)])}),
    'negative-serial': (certificate) => authority(certificate, {serial: Buffer.from([0x80])}),
    'other-key': sequence(implicit(0, Buffer.alloc(20, 9))),
    empty: sequence(),
    'empty-key': sequence(implicit(0, Buffer.alloc(0))),
    'not-a-sequence': octets(Buffer.alloc(20, 9)),
    trailing: Buffer.concat([sequence(implicit(0, Buffer.alloc(20, 9))), nothing]),
    garbage: Buffer.from([1, 2, 3]),
  }).map(([key, value]) => extensionMutator(`authority-key-id/${key}`, {id: ids.authorityKeyId, value})),
  extensionMutator('authority-key-id/critical', {
    id: ids.authorityKeyId,
    critical: true,
    value: ({issuer}) => sequence(implicit(0, keyIdentifier(issuer))),
  }),
  certificateMutator('authority-key-id/missing', (certificate) => {
    removeExtension(certificate, ids.authorityKeyId);
  }),
  // Renewing a root with the same key changes its serial number only: the children still name the old one.
  contentsMutator('authority-key-id/renewed-issuer', (draft, random) => {
    const certificate = draftOf(draft, random.pick(['ca', 'root']));
    const value = authority(certificate, {serial: Buffer.from([0x41])});
    setExtension(certificate, {id: ids.authorityKeyId, value});
  }),
];
