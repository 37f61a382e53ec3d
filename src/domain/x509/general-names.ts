/** General names (RFC 5280 4.2.1.6), in subject alternative names, name constraints and the issuers of key identifiers. */
import {
  childrenOf,
  contentOf,
  type Der,
  encodeDer,
  isContext,
  OutsideProfile,
  readSequence,
  tagClasses,
} from '../asn1/der.js';
import {readName} from './name.js';

/** A general name. `ip` is a dotted or hexadecimal address, in constraints with its mask. `other` is not decoded. */
export interface GeneralName {
  readonly type: 'dns' | 'uri' | 'email' | 'ip' | 'directory' | 'other';
  readonly value: string;
  /** A directory name's encoding. */
  readonly encoded?: Buffer;
}

/** Context tags of GeneralName. */
export const generalNameTags = {email: 1, dns: 2, directory: 4, uri: 6, ip: 7} as const;

/** Tags of the types that this program does not decode: otherName, x400Address, ediPartyName, registeredID. */
const otherTags = [0, 3, 5, 8];

/**
 * Whether the name identifies the subject, stands for a set of names in a constraint, or is an address to download from,
 * which neither istiod nor proxies read.
 */
type Use = 'name' | 'constraint' | 'location';

/**
 * The names in a non-empty GeneralNames of any tag. Throws a plain Error for what Go refuses (crypto/x509 parser.go,
 * parseSANExtension), and {@link OutsideProfile}.
 */
export function readGeneralNames(
  value: Der | undefined,
  what: string,
  use: 'name' | 'location' = 'name',
): readonly GeneralName[] {
  const names = childrenOf(value, what).map((one) => readGeneralName(one, use));
  if (names.length === 0) throw new OutsideProfile(`${what} is empty`);
  return names;
}

/** The names in GeneralSubtrees (RFC 5280 4.2.1.10), like Go (parseNameConstraintsExtension). */
export function readSubtrees(value: Der): readonly GeneralName[] {
  return childrenOf(value, 'name constraints').map((subtree) => {
    const [base, ...distances] = readSequence(subtree, 'name constraint');
    if (distances.length > 0) throw new OutsideProfile('a name constraint has a minimum or maximum');
    return readGeneralName(base, 'constraint');
  });
}

function readGeneralName(value: Der | undefined, use: Use): GeneralName {
  if (value?.tagClass === tagClasses.context && otherTags.includes(value.tag)) {
    throw new OutsideProfile('a general name is of a type that this program does not decode');
  }
  const types = Object.keys(generalNameTags) as (keyof typeof generalNameTags)[];
  const type = types.find((one) => isContext(value, generalNameTags[one]));
  if (type === undefined) throw new Error('a general name is of an unknown type');
  if (type === 'directory') {
    const [name, ...rest] = childrenOf(value, 'directory name');
    if (rest.length > 0) throw new Error('a directory name is not valid');
    const {text, der} = readName(name, 'directory name');
    return {type, value: text, encoded: der};
  }
  const content = contentOf(value, 'general name');
  if (type === 'ip') return {type, value: readAddress(content, use)};
  const text = content.toString('latin1');
  if (use === 'location') {
    if (/[^ -~]/.test(text)) throw new OutsideProfile(`a ${type} name contains unusual characters`);
    return {type, value: text};
  }

  if (!/^[\x00-\x7f]*$/.test(text)) throw new Error(`a ${type} name contains characters outside ASCII`);
  // Go's net/url refuses control characters, and a space in the host.
  if (type === 'uri' && (/^[^:]*:\/\/[^/?#]* |[^ -~]/.test(text) || hasEmptyLabel(hostOf(text)))) {
    throw new Error(`the URI "${text}" is not valid`);
  }
  if (/[^!-~]/.test(text)) throw new OutsideProfile(`a ${type} name contains spaces or control characters`);
  requireKnownForm[use][type](text);
  return {type, value: text};
}

/** The host and port of a URI; empty without one. */
function hostOf(text: string): string {
  return /^[^:]*:\/\/(?:[^/?#]*@)?([^/?#]*)/.exec(text)?.[1] ?? '';
}

function hasEmptyLabel(host: string): boolean {
  return host !== '' && host.split('.').includes('');
}

/** Go 1.24.8 and 1.25.2 refuse longer labels and names (RFC 1035 2.3.4; golang/go issue 75835), other versions do not. */
function requireUsualLength(host: string): void {
  if (host.length > 253 || host.split('.').some(({length}) => length > 63)) {
    throw new OutsideProfile(`the domain name "${host}" is too long`);
  }
}

/** Domain names as in Go (domainNameValid), and no stricter: wildcards and underscores occur. */
const domain = /^[!-\-/-~]+(?:\.[!-\-/-~]+)*$/;

/** A URI without user information: a scheme, a host and optional port, and the characters of RFC 3986 2. */
const uri =
  /^[a-z][a-z0-9+.-]*:(?:\/\/(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*(?::[0-9]{1,5})?)?(?=[/?#]|$)|(?!\/\/))(?:[a-z0-9\-._~!$&'()*+,;=:@/?#]|%[0-9a-f]{2})*$/i;

function requireDomain(text: string): void {
  if (!domain.test(text)) throw new Error(`"${text}" is not a domain name`);
}

/** An empty constraint matches every name; a leading dot, only subdomains. */
function requireConstraint(text: string, allowed: RegExp): void {
  if (text === '') return;
  requireDomain(text.replace(/^\./, ''));
  requireUsualLength(text);
  if (!allowed.test(text)) throw new OutsideProfile(`the name constraint "${text}" contains unusual characters`);
}

/** BoringSSL (v3_ncons.cc) refuses other characters in constraints for URIs and email addresses. */
const hostCharacters = /^[a-z0-9.-]*$/i;

const requireKnownForm: Readonly<
  Record<'name' | 'constraint', Readonly<Record<'dns' | 'uri' | 'email', (text: string) => void>>>
> = {
  name: {
    dns: (text) => {
      if (!domain.test(text)) throw new OutsideProfile(`"${text}" is not a domain name`);
      requireUsualLength(text);
    },
    email: (text) => {
      if (!/^[^@]+@[^@]+$/.test(text)) throw new OutsideProfile(`"${text}" is not an email address`);
    },
    uri: (text) => {
      if (!uri.test(text)) throw new OutsideProfile(`"${text}" is not a URI with a host name`);
      requireUsualLength(hostOf(text));
    },
  },
  constraint: {
    dns: (text) => {
      requireConstraint(text, /^[a-z0-9._-]*$/i);
    },
    email: (text) => {
      if (!text.includes('@')) requireConstraint(text, hostCharacters);
      else if (!/^[A-Za-z0-9._+-]+@[^@]+$/.test(text)) {
        throw new OutsideProfile(`the name constraint "${text}" is not a usual email address`);
      }
    },
    uri: (text) => {
      if (/^[0-9.]+$/.test(text) || text.includes(':')) throw new Error(`the URI constraint "${text}" is an address`);
      requireConstraint(text, hostCharacters);
    },
  },
};

/** 4 or 16 bytes, in constraints followed by a mask of as many bytes, whose ones precede its zeros. */
function readAddress(bytes: Buffer, use: Use): string {
  const half = use === 'constraint' ? bytes.length / 2 : bytes.length;
  if (half !== 4 && half !== 16) throw new Error(`an IP address has ${String(bytes.length)} bytes`);
  if (use !== 'constraint') return formatAddress(bytes);
  const mask = bytes.subarray(half);
  const bits = [...mask].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  if (bits.includes('01')) throw new Error('an IP constraint has an invalid mask');
  return `${formatAddress(bytes.subarray(0, half))}/${formatAddress(mask)}`;
}

/** 4 bytes as a dotted quad, 16 in hexadecimal groups. */
function formatAddress(bytes: Buffer): string {
  return bytes.length === 4 ? [...bytes].join('.') : (bytes.toString('hex').match(/.{1,4}/g) ?? []).join(':');
}

/** The encoding of the first directory name in GeneralNames, which BoringSSL compares; undefined without one. */
export function firstDirectoryName(value: Der): Buffer | undefined {
  const first = childrenOf(value, 'issuer').find((one) => isContext(one, generalNameTags.directory));
  const [name] = first ? childrenOf(first, 'directory name') : [];
  return name && encodeDer(name);
}
