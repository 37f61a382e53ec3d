/** Name constraints (RFC 5280 4.2.1.10), matched like Go's crypto/x509, which istiod uses. */
import type {NameConstraints} from './extensions.js';
import type {GeneralName} from './general-names.js';
import type {Name} from './name.js';

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

/**
 * The first subject that directory name constraints forbid; undefined if they allow all. Go ignores such constraints if they
 * are not critical, but OpenSSL and BoringSSL (nc_dn) apply them to every CA below.
 */
export function firstForbiddenSubject(
  {permitted, excluded}: NameConstraints,
  subjects: readonly Name[],
): Name | undefined {
  const within = ({text}: Name, {value}: GeneralName): boolean => `${canon(text)}, `.startsWith(`${canon(value)}, `);
  const [allowed, forbidden] = [permitted, excluded].map((list) => list.filter(({type}) => type === 'directory'));
  return subjects.find(
    (subject) =>
      forbidden?.some((one) => within(subject, one)) === true ||
      (allowed !== undefined && allowed.length > 0 && !allowed.some((one) => within(subject, one))),
  );
}

/** The form in which OpenSSL compares names (x509_name_canon): lower case, single spaces. */
function canon(text: string): string {
  return text.toLowerCase().replace(/\s+/g, ' ').trim();
}

function isAllowed({permitted, excluded}: NameConstraints, name: GeneralName): boolean {
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
        ? name.value === constraint
        : domainMatches(name.value.slice(name.value.lastIndexOf('@') + 1), constraint);
    case 'ip':
      return addressMatches(name.value, constraint);
    default:
      return false;
  }
}

function hostOfUri(uri: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^:/?#]*)/i.exec(uri)?.[1] ?? '';
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
