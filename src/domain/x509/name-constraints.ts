/** Name constraints (RFC 5280 4.2.1.10), matched like Go's crypto/x509, which istiod uses, and like BoringSSL. */
import type {NameConstraints} from './extensions.js';
import type {GeneralName} from './general-names.js';
import type {Certificate} from './certificate.js';
import {canonicalName, type Name} from './name.js';

/** The first name that the constraints forbid; undefined if they allow all. */
export function firstForbiddenName(
  constraints: NameConstraints,
  names: readonly GeneralName[],
): GeneralName | undefined {
  return names.find((name) => !isAllowed(constraints, name));
}

/**
 * Whether Go or proxies forbid the SPIFFE identities of a trust domain. In Go, a URI constraint matches a domain and its
 * subdomains; in RFC 5280 4.2.1.10, OpenSSL and BoringSSL (nc_uri), one without a leading dot matches only that host.
 */
export function forbidsTrustDomain(constraints: NameConstraints, trustDomain: string): boolean {
  const constrained = [...constraints.permitted, ...constraints.excluded].some(({type}) => type === 'uri');
  if (constrained && !isPlainHost(trustDomain)) return true;
  const identity = {type: 'uri', value: `spiffe://${trustDomain}/ns/default/sa/default`} as const;
  if (firstForbiddenName(constraints, [identity])) return true;
  const permitted = constraints.permitted.filter(({type}) => type === 'uri').map(({value}) => value.toLowerCase());
  return (
    permitted.length > 0 &&
    !permitted.some(
      (one) => one === trustDomain.toLowerCase() || (one.startsWith('.') && domainMatches(trustDomain, one)),
    )
  );
}

/** A host name that BoringSSL reads in a URI (nc_uri), and that Go does not take for an address (parseURIs). */
function isPlainHost(host: string): boolean {
  return /^[a-z0-9.-]+$/i.test(host) && !/^[0-9.]+$/.test(host);
}

/**
 * The first subject that directory name constraints forbid; undefined if they allow all. Go ignores such constraints if they
 * are not critical, but OpenSSL and BoringSSL (nc_dn) apply them to every CA below.
 */
export function firstForbiddenSubject(
  {permitted, excluded}: NameConstraints,
  subjects: readonly Name[],
): Name | undefined {
  const within = (name: readonly string[], {encoded = Buffer.alloc(0)}: GeneralName): boolean =>
    canonicalName(encoded).every((relative, index) => relative === name[index]);
  const [allowed = [], forbidden = []] = [permitted, excluded].map((list) =>
    list.filter(({type}) => type === 'directory'),
  );
  if (allowed.length + forbidden.length === 0) return undefined;
  return subjects.find((subject) => {
    const name = canonicalName(subject.der);
    if (name.length === 0) return false;
    return (
      forbidden.some((one) => within(name, one)) || (allowed.length > 0 && !allowed.some((one) => within(name, one)))
    );
  });
}

/** A name of a CA below name constraints for which it is not certain that istiod and proxies accept it. */
export interface DoubtfulName {
  readonly value: string;
  /** Whether proxies are known to refuse it. */
  readonly isRefused: boolean;
}

/**
 * The first name of a CA, other than its subject, for which Go and BoringSSL (v3_ncons.cc, nc_match_single) do not both
 * certainly find that the constraints of a CA above allow it: BoringSSL matches no IP addresses and compares hosts of URIs
 * and email addresses without their subdomains, and both refuse forms of names that are rare in CAs.
 */
export function firstDoubtfulName(
  constraints: NameConstraints,
  {subject, extensions}: Pick<Certificate, 'subject' | 'extensions'>,
): DoubtfulName | undefined {
  const lists = [constraints.permitted, constraints.excluded] as const;
  for (const name of extensions.subjectAltNames ?? []) {
    const [permitted, excluded] = lists.map((list) => list.filter(({type}) => type === name.type));
    const isLimited = (permitted?.length ?? 0) + (excluded?.length ?? 0) > 0;
    const isPlain = plainForms[name.type]?.test(name.value) === true;
    if (!isPlain || (isLimited && name.type === 'directory')) return {value: name.value, isRefused: false};
    if (!isLimited || name.type === 'dns') continue;
    const isMatch = ({value}: GeneralName): boolean => proxiesMatch(name, value);
    const isAllowedByProxies = permitted?.length === 0 || permitted?.some(isMatch) === true;
    if (name.type === 'ip' || !isAllowedByProxies) return {value: name.value, isRefused: true};
  }
  const address = subject.attributes.find(({type}) => type === 'emailAddress');
  const isLimited = lists.some((list) => list.some(({type}) => type === 'email'));
  return address && isLimited ? {value: address.value, isRefused: false} : undefined;
}

const plainDomain = '(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?';

/** Forms of names that Go and BoringSSL read alike. */
const plainForms: Readonly<Partial<Record<GeneralName['type'], RegExp>>> = {
  dns: /^(?:[a-z0-9_-]+\.)*[a-z][a-z0-9_-]*$/i,
  uri: new RegExp(`^[a-z][a-z0-9+.-]*://${plainDomain}(?::[0-9]{1,5})?(?:/|$)`, 'i'),
  email: new RegExp(`^[a-z0-9_+-]+(?:\\.[a-z0-9_+-]+)*@${plainDomain}$`, 'i'),
  ip: /^/,
  directory: /^/,
};

/** BoringSSL's nc_uri and nc_email: only a leading dot stands for subdomains. */
function proxiesMatch(name: GeneralName, constraint: string): boolean {
  if (name.type === 'email' && constraint.includes('@')) return matches(name, constraint);
  const host = (name.type === 'uri' ? hostOfUri(name.value) : hostOfEmail(name.value)).toLowerCase();
  return constraint.startsWith('.') ? host.endsWith(constraint.toLowerCase()) : host === constraint.toLowerCase();
}

function isAllowed({permitted, excluded}: NameConstraints, name: GeneralName): boolean {
  // Go has no constraints for other types.
  if (name.type === 'directory' || name.type === 'other') return true;
  const sameType = (constraint: GeneralName): boolean => constraint.type === name.type;
  if (excluded.some((constraint) => sameType(constraint) && matches(name, constraint.value))) return false;
  const allowed = permitted.filter(sameType);
  return allowed.length === 0 || allowed.some((constraint) => matches(name, constraint.value));
}

function matches(name: GeneralName, constraint: string): boolean {
  switch (name.type) {
    case 'dns':
      return domainMatches(name.value, constraint);
    case 'uri':
      return domainMatches(hostOfUri(name.value), constraint);
    case 'email':
      return constraint.includes('@')
        ? withLowerCaseHost(name.value) === withLowerCaseHost(constraint)
        : domainMatches(hostOfEmail(name.value), constraint);
    case 'ip':
      return addressMatches(name.value, constraint);
    default:
      return false;
  }
}

function hostOfUri(uri: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^:/?#]*)/i.exec(uri)?.[1] ?? '';
}

function hostOfEmail(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

function withLowerCaseHost(address: string): string {
  return `${address.slice(0, -hostOfEmail(address).length)}${hostOfEmail(address).toLowerCase()}`;
}

/** A constraint with a leading dot requires a further label; one without matches the domain and its subdomains. */
function domainMatches(domain: string, constraint: string): boolean {
  if (constraint === '') return true;
  const [name, suffix] = [domain.toLowerCase(), constraint.toLowerCase()];
  if (suffix.startsWith('.')) return name.endsWith(suffix) && name.length > suffix.length;
  return name === suffix || name.endsWith(`.${suffix}`);
}

function addressMatches(address: string, constraint: string): boolean {
  const [network, mask] = constraint.split('/').map(addressBytes);
  const bytes = addressBytes(address);
  if (!network || !mask || bytes.length !== network.length || bytes.length !== mask.length) return false;
  return bytes.every((byte, index) => (byte & (mask[index] ?? 0)) === ((network[index] ?? 0) & (mask[index] ?? 0)));
}

function addressBytes(text: string): readonly number[] {
  return text.includes(':') ? [...Buffer.from(text.replaceAll(':', ''), 'hex')] : text.split('.').map(Number);
}
