/** Names of CAs below name constraints; the verdicts are those of Go's crypto/x509 and BoringSSL. */
import {describe, expect, it} from 'vitest';
import {encodeDer, oid, sequence, set, utf8String} from '../../../src/domain/asn1/der.js';
import type {GeneralName} from '../../../src/domain/x509/general-names.js';
import {
  firstDoubtfulName,
  firstForbiddenName,
  firstForbiddenSubject,
  forbidsTrustDomain,
} from '../../../src/domain/x509/name-constraints.js';
import {type Name, readName} from '../../../src/domain/x509/name.js';

const attribute = (id: string, value: string) => sequence(oid(id), utf8String(value));
/** A name of one organization for each argument; several in one relative name are joined with "+". */
const nameOf = (...organizations: readonly string[]): Name =>
  readName(
    sequence(...organizations.map((text) => set(...text.split('+').map((one) => attribute('2.5.4.10', one))))),
    'name',
  );
const emailSubject = readName(sequence(set(attribute('1.2.840.113549.1.9.1', 'ca@example.com'))), 'name');

const ca = (subject: Name, ...subjectAltNames: readonly GeneralName[]) => ({
  subject,
  extensions: {subjectAltNames, critical: []},
});
const permit = (...permitted: readonly GeneralName[]) => ({permitted, excluded: []});
const exclude = (...excluded: readonly GeneralName[]) => ({permitted: [], excluded});
const named = (text: string): GeneralName => {
  const [type = '', ...value] = text.split('=');
  return {type: type as GeneralName['type'], value: value.join('=')};
};
const directory = (...organizations: readonly string[]): GeneralName => {
  const {text, der} = nameOf(...organizations);
  return {type: 'directory', value: text, encoded: der};
};

describe('a name of a CA', () => {
  it.each([
    ['dns=a.example.com', 'dns=example.com'],
    ['dns=a_b.example.com', 'dns=.example.com'],
    ['uri=http://example.com:80/x', 'uri=example.com'],
    ['uri=http://a.example.com/x', 'uri=.EXAMPLE.com'],
    ['email=ca@EXAMPLE.com', 'email=example.com'],
    ['email=ca@EXAMPLE.com', 'email=ca@example.com'],
    ['ip=10.0.0.1', 'dns=example.com'],
    ['directory=O=a', 'dns=example.com'],
  ])('%s is allowed by %s', (name, constraint) => {
    expect(firstDoubtfulName(permit(named(constraint)), ca(nameOf('a'), named(name)))).toBeUndefined();
  });

  it.each([
    ['uri=http://a.example.com/x', 'uri=example.com'],
    ['email=ca@a.example.com', 'email=example.com'],
    ['email=CA@example.com', 'email=ca@example.com'],
    ['ip=10.0.0.1', 'ip=10.0.0.0/255.0.0.0'],
  ])('%s is refused by proxies below %s', (name, constraint) => {
    const found = firstDoubtfulName(permit(named(constraint)), ca(nameOf('a'), named(name)));
    expect(found).toMatchObject({isRefused: true});
  });

  it.each([
    'dns=*.example.com',
    'uri=urn:a:b',
    'uri=file:///a',
    'uri=http://10.0.0.1/',
    'uri=http://a_b.example.com/',
    'email=a..b@example.com',
    'email=a(b)@example.com',
  ])('%s is doubtful below any constraint', (name) => {
    const found = firstDoubtfulName(exclude(named('dns=a.example.com')), ca(nameOf('a'), named(name)));
    expect(found).toMatchObject({isRefused: false});
  });

  it('is doubtful in the subject if it is an email address and constrained', () => {
    expect(firstDoubtfulName(permit(named('email=example.com')), ca(emailSubject))).toMatchObject({isRefused: false});
    expect(firstDoubtfulName(permit(named('dns=example.com')), ca(emailSubject))).toBeUndefined();
  });
});

it('a directory name of a CA is allowed by Go below constraints for directory names', () => {
  expect(firstForbiddenName(permit(directory('a')), [directory('b')])).toBeUndefined();
  expect(firstDoubtfulName(permit(directory('a')), ca(nameOf('a'), directory('b')))).toMatchObject({isRefused: false});
});

describe('a subject', () => {
  it.each<[string, Name, GeneralName]>([
    ['the same name', nameOf('Example'), directory('Example')],
    ['a name below it', nameOf('Example', 'x'), directory('Example')],
    ['other ASCII letters and spaces', nameOf(' ex  ample'), directory('Ex Ample')],
    ['no name', nameOf(), directory('Example')],
  ])('is allowed: %s', (_, subject, constraint) => {
    expect(firstForbiddenSubject(permit(constraint), [subject])).toBeUndefined();
  });

  it.each<[string, Name, GeneralName]>([
    ['a longer value', nameOf('Example 2'), directory('Example')],
    ['another letter outside ASCII', nameOf('m\u{fc}ller'), directory('M\u{dc}LLER')],
    ['a no-break space', nameOf('a b'), directory('a\u{a0}b')],
    ['a relative name of several attributes', nameOf('a+b'), directory('a')],
  ])('is forbidden: %s', (_, subject, constraint) => {
    expect(firstForbiddenSubject(permit(constraint), [subject])).toBe(subject);
  });

  it('is excluded by the empty name', () => {
    const empty = {type: 'directory', value: '', encoded: encodeDer(sequence())} as const;
    expect(firstForbiddenSubject(exclude(empty), [nameOf('a')])).toBeDefined();
  });
});

it.each([
  ['cluster.local', false],
  ['my_mesh.local', true],
  ['10.0.0.1', true],
])('the trust domain %s below constraints for URIs: forbidden %j', (trustDomain, expected) => {
  expect(forbidsTrustDomain(exclude(named('uri=other.example')), trustDomain)).toBe(expected);
  expect(forbidsTrustDomain(exclude(named('dns=other.example')), trustDomain)).toBe(false);
});
