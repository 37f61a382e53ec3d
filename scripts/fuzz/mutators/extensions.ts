/** Extensions: malformed values, criticality, versions, duplicates. */
import {
  caExtensions,
  type CertificateDraft,
  encodeExtension,
  type Extension,
  ids,
  keyIdentifier,
  removeExtension,
  setExtension,
  version,
} from '../certificate.js';
import {bits, boolean, implicit, integer, nothing, octets, oid, sequence, set, tagged, tlv} from '../der.js';
import {draftOf} from '../sets.js';
import {caRoles, certificateMutator, contentsMutator, extensionMutator, type Mutator} from './mutator.js';

const ia5 = (text: string | Buffer): Buffer => tlv(0x16, Buffer.from(text));
const uri = (text: string | Buffer): Buffer => implicit(6, text);
const dns = (text: string | Buffer): Buffer => implicit(2, text);
const ip = (...bytes: readonly number[]): Buffer => implicit(7, Buffer.from(bytes));

/** Variants of one extension, by name. */
function variants(
  group: string,
  id: string,
  values: Readonly<Record<string, Buffer | readonly [Buffer, boolean]>>,
): Mutator[] {
  return Object.entries(values).map(([key, entry]) => {
    const [value, critical] = Buffer.isBuffer(entry) ? [entry, false] : entry;
    return extensionMutator(`${group}/${key}`, {id, critical, value});
  });
}

const policy = (...rest: readonly Buffer[]): Buffer => sequence(oid('1.3.6.1.4.1.99999.1'), ...rest);
const notice = (text: Buffer): Buffer => sequence(sequence(oid('1.3.6.1.5.5.7.2.2'), sequence(text)));

const policies = variants('policies', ids.certificatePolicies, {
  any: sequence(sequence(oid('2.5.29.32.0'))),
  critical: [sequence(sequence(oid('2.5.29.32.0'))), true],
  'critical-other': [sequence(policy()), true],
  empty: sequence(),
  'empty-policy': sequence(sequence()),
  'not-a-sequence': oid('1.2.3'),
  'same-twice': sequence(policy(), policy()),
  'qualifiers-empty': sequence(policy(sequence())),
  'qualifier-unknown': sequence(policy(sequence(sequence(oid('1.2.3.4'), nothing)))),
  'qualifier-cps-utf8': sequence(policy(sequence(sequence(oid('1.3.6.1.5.5.7.2.1'), tlv(0x0c, Buffer.from('x')))))),
  'notice-bmp': sequence(policy(notice(tlv(0x1e, Buffer.from('0041', 'hex'))))),
  'notice-utf8': sequence(policy(notice(tlv(0x0c, Buffer.from('Notice'))))),
  'notice-long': sequence(policy(notice(tlv(0x0c, Buffer.from('x'.repeat(300)))))),
  trailing: Buffer.concat([sequence(policy()), nothing]),
  'large-arc': sequence(sequence(oid('1.2.4294967296.1'))),
  'oid-malformed': sequence(sequence(tlv(0x06, Buffer.from([0x80, 0x01])))),
  'oid-empty': sequence(sequence(tlv(0x06))),
  'oid-unfinished': sequence(sequence(tlv(0x06, Buffer.from([0x2a, 0x86])))),
  garbage: Buffer.from([1, 2, 3]),
  'zero-bytes': Buffer.alloc(0),
});

const point = (...items: readonly Buffer[]): Buffer => sequence(sequence(...items));
const distribution = variants('crl-points', ids.crlDistributionPoints, {
  ldap: point(tagged(0, tagged(0, uri('ldap://example.com/cn=ca?certificateRevocationList')))),
  'directory-name': point(tagged(0, tagged(0, tagged(4, sequence())))),
  'relative-name': point(tagged(0, tagged(1, sequence(oid('2.5.4.3'), ia5('x'))))),
  'uri-space': point(tagged(0, tagged(0, uri('http://example.com/a b')))),
  'uri-latin1': point(tagged(0, tagged(0, uri(Buffer.from('http://example.com/\xfc', 'latin1'))))),
  'issuer-only': point(tagged(2, tagged(4, sequence()))),
  reasons: point(tagged(0, tagged(0, uri('http://example.com'))), implicit(1, Buffer.from([1, 0x06]))),
  empty: sequence(),
  'empty-point': point(),
  'empty-name': point(tagged(0)),
  'not-a-sequence': integer(1),
  critical: [point(tagged(0, tagged(0, uri('http://example.com')))), true],
  trailing: Buffer.concat([sequence(), nothing]),
  garbage: Buffer.from([1, 2, 3]),
});

const access = (...items: readonly Buffer[]): Buffer => sequence(sequence(...items));
const information = variants('aia', ids.authorityInfoAccess, {
  'uri-space': access(oid('1.3.6.1.5.5.7.48.2'), uri('http://example.com/a b')),
  'uri-latin1': access(oid('1.3.6.1.5.5.7.48.2'), uri(Buffer.from('http://\xfc', 'latin1'))),
  'dns-name': access(oid('1.3.6.1.5.5.7.48.2'), dns('example.com')),
  'unknown-method': access(oid('1.2.3.4'), uri('http://example.com')),
  'location-missing': access(oid('1.3.6.1.5.5.7.48.2')),
  'location-extra': access(oid('1.3.6.1.5.5.7.48.2'), uri('http://a'), uri('http://b')),
  empty: sequence(),
  'not-a-sequence': oid('1.2.3'),
  critical: [access(oid('1.3.6.1.5.5.7.48.2'), uri('http://example.com')), true],
  garbage: Buffer.from([1, 2, 3]),
});

const names: Readonly<Record<string, Buffer>> = {
  'uri-spiffe': uri('spiffe://cluster.local'),
  'uri-space': uri('spiffe://cluster.local/a b'),
  'uri-latin1': uri(Buffer.from('spiffe://cl\xfcster', 'latin1')),
  'uri-no-scheme': uri('cluster.local'),
  'uri-bad-escape': uri('http://example.com/%zz'),
  'uri-bad-port': uri('http://example.com:port/'),
  'uri-bad-host': uri('http://exa mple.com/'),
  'uri-underscore-host': uri('http://exam_ple.com/'),
  'uri-brackets': uri('http://[::1/'),
  'uri-control': uri('http://example.com/\x01'),
  'uri-empty': uri(''),
  'dns-plain': dns('ca.example.com'),
  'dns-wildcard': dns('*.example.com'),
  'dns-space': dns('ca example.com'),
  'dns-latin1': dns(Buffer.from('m\xfcller.example', 'latin1')),
  'dns-utf8': dns(Buffer.from('müller.example')),
  'dns-underscore': dns('ca_1.example.com'),
  'dns-nul': dns('ca\0.example.com'),
  'dns-empty': dns(''),
  'dns-dot': dns('.example.com'),
  'email-plain': implicit(1, 'ca@example.com'),
  'email-malformed': implicit(1, 'not an address'),
  'email-latin1': implicit(1, Buffer.from('m\xfcller@example.com', 'latin1')),
  'email-empty': implicit(1, ''),
  'ip-v4': ip(10, 0, 0, 1),
  'ip-v6': ip(...Buffer.alloc(16, 1)),
  'ip-5-octets': ip(10, 0, 0, 1, 0),
  'ip-8-octets': ip(10, 0, 0, 1, 255, 0, 0, 0),
  'ip-empty': ip(),
  'directory-name': tagged(4, sequence()),
  'directory-name-malformed': tagged(4, integer(1)),
  'other-name': tagged(0, oid('1.3.6.1.4.1.311.20.2.3'), tagged(0, tlv(0x0c, Buffer.from('ca@example.com')))),
  'other-name-malformed': tagged(0, integer(1)),
  'registered-id': implicit(8, Buffer.from([0x2a, 0x03])),
  'registered-id-malformed': implicit(8, Buffer.from([0x80])),
  'x400-address': tagged(3, sequence()),
  'edi-party-name': tagged(5, tagged(1, tlv(0x0c, Buffer.from('x')))),
  'unknown-tag-9': implicit(9, 'x'),
  'universal-tag': ia5('x'),
};

const alternative: readonly Mutator[] = [
  ...variants(
    'san',
    ids.subjectAltName,
    Object.fromEntries(Object.entries(names).map(([key, value]) => [key, sequence(value)])),
  ),
  ...variants('san', ids.subjectAltName, {
    empty: sequence(),
    'critical-empty': [sequence(), true],
    critical: [sequence(dns('ca.example.com')), true],
    'not-a-sequence': dns('ca.example.com'),
    trailing: Buffer.concat([sequence(dns('ca.example.com')), nothing]),
    garbage: Buffer.from([1, 2, 3]),
    'zero-bytes': Buffer.alloc(0),
  }),
  ...variants('issuer-alt-name', ids.issuerAltName, {
    plain: sequence(dns('ca.example.com')),
    'uri-space': sequence(uri('http://a b')),
    'ip-5-octets': sequence(ip(1, 2, 3, 4, 5)),
    empty: sequence(),
    garbage: Buffer.from([1, 2, 3]),
    critical: [sequence(dns('ca.example.com')), true],
  }),
];

const subtree = (...items: readonly Buffer[]): Buffer => sequence(...items);
const permit = (...bases: readonly Buffer[]): Buffer => sequence(tagged(0, ...bases.map((base) => subtree(base))));
const exclude = (...bases: readonly Buffer[]): Buffer => sequence(tagged(1, ...bases.map((base) => subtree(base))));
const usual = [uri('cluster.local'), dns('istio-system.svc')] as const;

const constraints = variants('name-constraints', ids.nameConstraints, {
  usual: [permit(...usual), true],
  'not-critical': permit(...usual),
  empty: sequence(),
  'empty-critical': [sequence(), true],
  'empty-permitted': [sequence(tagged(0)), true],
  'empty-excluded': [sequence(tagged(1)), true],
  'not-a-sequence': [integer(1), true],
  'excluded-other': [exclude(dns('other.example'), uri('other.example')), true],
  'excluded-all-dns': [exclude(dns('')), true],
  'excluded-spiffe': [exclude(uri('cluster.local')), true],
  'permitted-other-uri': [permit(uri('other.example')), true],
  'permitted-other-dns': [permit(dns('other.example')), true],
  'permitted-uri-dot': [permit(uri('.local'), dns('svc')), true],
  'permitted-uri-scheme': [permit(uri('spiffe://cluster.local'), dns('svc')), true],
  'permitted-uri-empty': [permit(uri(''), dns('svc')), true],
  'permitted-uri-ip': [permit(uri('10.0.0.1'), dns('svc')), true],
  'permitted-uri-wildcard': [permit(uri('*.local'), dns('svc')), true],
  'permitted-uri-latin1': [permit(uri(Buffer.from('cl\xfcster', 'latin1'))), true],
  'excluded-uri-latin1': [exclude(uri(Buffer.from('cl\xfcster', 'latin1'))), true],
  'permitted-dns-dot': [permit(uri('cluster.local'), dns('.svc')), true],
  'permitted-dns-wildcard': [permit(uri('cluster.local'), dns('*.svc')), true],
  'permitted-dns-space': [permit(uri('cluster.local'), dns('a b')), true],
  'permitted-dns-upper': [permit(uri('CLUSTER.LOCAL'), dns('SVC')), true],
  'permitted-dns-trailing-dot': [permit(uri('cluster.local.'), dns('svc.')), true],
  'excluded-dns-latin1': [exclude(dns(Buffer.from('m\xfcller', 'latin1'))), true],
  'excluded-dns-underscore': [exclude(dns('a_b.example')), true],
  'excluded-email': [exclude(implicit(1, 'example.com')), true],
  'excluded-email-malformed': [exclude(implicit(1, 'a b@c d')), true],
  'excluded-ip': [exclude(ip(10, 0, 0, 0, 255, 0, 0, 0)), true],
  'excluded-ip-mask': [exclude(ip(10, 0, 0, 0, 255, 0, 255, 0)), true],
  'permitted-ip-mask': [permit(...usual, ip(10, 0, 0, 0, 0, 255, 0, 0)), true],
  'excluded-ip-length': [exclude(ip(10, 0, 0, 0)), true],
  'excluded-ip-host-bits': [exclude(ip(10, 1, 2, 3, 255, 0, 0, 0)), true],
  'excluded-directory': [
    exclude(tagged(4, sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('x'))))))),
    true,
  ],
  'permitted-directory': [
    permit(...usual, tagged(4, sequence(set(sequence(oid('2.5.4.10'), tlv(0x0c, Buffer.from('Example'))))))),
    true,
  ],
  'permitted-directory-empty': [permit(...usual, tagged(4, sequence())), true],
  'permitted-registered-id': [permit(...usual, implicit(8, Buffer.from([0x2a, 0x03]))), true],
  'excluded-other-name': [exclude(tagged(0, oid('1.2.3.4'), tagged(0, ia5('x')))), true],
  'excluded-other-name-not-critical': exclude(tagged(0, oid('1.2.3.4'), tagged(0, ia5('x')))),
  'minimum-0': [sequence(tagged(1, subtree(dns('other.example'), implicit(0, Buffer.from([0]))))), true],
  'minimum-1': [sequence(tagged(1, subtree(dns('other.example'), implicit(0, Buffer.from([1]))))), true],
  maximum: [sequence(tagged(1, subtree(dns('other.example'), implicit(1, Buffer.from([1]))))), true],
  'subtree-empty': [sequence(tagged(1, sequence())), true],
  trailing: [Buffer.concat([permit(...usual), nothing]), true],
  'wrong-order': [
    sequence(tagged(1, subtree(dns('other.example'))), tagged(0, subtree(uri('cluster.local')), subtree(dns('svc')))),
    true,
  ],
  garbage: [Buffer.from([1, 2, 3]), true],
});

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

const policyRules: readonly Mutator[] = [
  ...variants('policy-constraints', ids.policyConstraints, {
    'critical-inhibit-mapping': [sequence(implicit(1, Buffer.from([0]))), true],
    'critical-require-explicit': [sequence(implicit(0, Buffer.from([0]))), true],
    'critical-require-explicit-5': [sequence(implicit(0, Buffer.from([5]))), true],
    'not-critical-require-explicit': sequence(implicit(0, Buffer.from([0]))),
    'critical-empty': [sequence(), true],
    'critical-negative': [sequence(implicit(0, Buffer.from([0xff]))), true],
    'critical-trailing': [sequence(implicit(0, Buffer.from([5])), implicit(1, Buffer.from([5])), nothing), true],
    garbage: Buffer.from([1, 2, 3]),
  }),
  ...variants('inhibit-any-policy', ids.inhibitAnyPolicy, {
    critical: [integer(0), true],
    'critical-5': [integer(5), true],
    'not-critical': integer(0),
    'critical-negative': [integer(-1), true],
    'critical-not-integer': [sequence(), true],
    garbage: Buffer.from([1, 2, 3]),
  }),
  ...variants('policy-mappings', ids.policyMappings, {
    critical: [sequence(sequence(oid('1.2.3.4'), oid('1.2.3.5'))), true],
    'not-critical': sequence(sequence(oid('1.2.3.4'), oid('1.2.3.5'))),
    'critical-any': [sequence(sequence(oid('2.5.29.32.0'), oid('1.2.3.5'))), true],
    empty: [sequence(), true],
    'one-policy': [sequence(sequence(oid('1.2.3.4'))), true],
    garbage: Buffer.from([1, 2, 3]),
  }),
];

const authority = ({issuer}: CertificateDraft, changes: {issuer?: Buffer; serial?: Buffer; key?: boolean}): Buffer =>
  sequence(
    ...(changes.key === false ? [] : [implicit(0, keyIdentifier(issuer))]),
    tagged(1, changes.issuer ?? tagged(4, issuer.issuerName ?? issuer.issuer.subject)),
    implicit(2, changes.serial ?? issuer.serial.subarray(2)),
  );
const anotherName = tagged(4, sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from('Another'))))));

const identifiers: readonly Mutator[] = [
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

export const extensionMutators: readonly Mutator[] = [
  ...policies,
  ...distribution,
  ...information,
  ...alternative,
  ...constraints,
  ...keyUsage,
  ...purposes,
  ...basic,
  ...policyRules,
  ...identifiers,
  ...structure,
];
