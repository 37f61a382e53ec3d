/** Name constraints (RFC 5280 4.2.1.10), matched the way Go's crypto/x509 does, which is what istiod asks. */
import type {GeneralName, NameConstraints} from './extensions.js';
import type {Name} from './name.js';

/** The first of these names that the constraints do not allow; undefined when all are allowed. */
export function firstForbiddenName(
  constraints: NameConstraints,
  names: readonly GeneralName[],
): GeneralName | undefined {
  return names.find((name) => !isAllowed(constraints, name));
}

/**
 * Whether SPIFFE identities of a trust domain are forbidden, by Go or by proxies. Go takes a URI constraint for a domain and
 * all below it; RFC 5280 4.2.1.10, OpenSSL and BoringSSL (nc_uri) take one without a leading dot for that host alone.
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
 * The first of these subjects that constraints on directory names do not allow; undefined when all are allowed. Go passes over
 * them where they are not critical, OpenSSL and BoringSSL (nc_dn) hold every CA below to them.
 */
export function firstForbiddenSubject(
  {permitted, excluded}: NameConstraints,
  subjects: readonly Name[],
): Name | undefined {
  const within = ({text}: Name, {value}: GeneralName): boolean => `${fold(text)}, `.startsWith(`${fold(value)}, `);
  const [allowed, forbidden] = [permitted, excluded].map((list) => list.filter(({type}) => type === 'directory'));
  return subjects.find(
    (subject) =>
      forbidden?.some((one) => within(subject, one)) === true ||
      (allowed !== undefined && allowed.length > 0 && !allowed.some((one) => within(subject, one))),
  );
}

/** As OpenSSL compares names (x509_name_canon): letters of either case, spaces once. */
function fold(text: string): string {
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

/** A constraint with a leading dot wants at least one more label; without one it matches the domain and below. */
function domainMatches(domain: string, constraint: string): boolean {
  if (constraint === '') return true;
  const [name, limit] = [domain.toLowerCase(), constraint.toLowerCase()];
  if (limit.startsWith('.')) return name.endsWith(limit) && name.length > limit.length;
  return name === limit || name.endsWith(`.${limit}`);
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
