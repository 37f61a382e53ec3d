/** Policies, CRL distribution points and authority information access. */
import {ids} from '../certificate.js';
import {implicit, integer, nothing, oid, sequence, tagged, tlv} from '../der.js';
import type {Mutator} from './mutator.js';
import {dns, ia5, uri, variants} from './values.js';

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

export const policyMutators: readonly Mutator[] = [...policies, ...distribution, ...information, ...policyRules];
