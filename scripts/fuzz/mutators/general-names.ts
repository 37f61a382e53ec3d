/** Alternative names and name constraints. */
import {ids} from '../certificate.js';
import {implicit, integer, nothing, oid, sequence, set, tagged, tlv} from '../der.js';
import type {Mutator} from './mutator.js';
import {dns, ia5, ip, uri, variants} from './values.js';

const names: Readonly<Record<string, Buffer>> = {
  'uri-spiffe': uri('spiffe://cluster.local'),
  'uri-space': uri('spiffe://cluster.local/a b'),
  'uri-latin1': uri(Buffer.from('spiffe://cl\xfcster', 'latin1')),
  'uri-no-scheme': uri('cluster.local'),
  'uri-bad-escape': uri('http://example.com/%zz'),
  'uri-bad-port': uri('http://example.com:port/'),
  'uri-bad-host': uri('http://exa mple.com/'),
  'uri-underscore-host': uri('http://exam_ple.com/'),
  'uri-host-dot': uri('http://example.com./'),
  'uri-host-two-dots': uri('http://a..example.com/'),
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

export const generalNameMutators: readonly Mutator[] = [...alternative, ...constraints];
