import {printableLine} from './printable.js';

/** Schemes whose URLs have an authority with credentials (RFC 3986, 3.2.1; WHATWG URL, special schemes; curl: socks5). */
const withAuthority: readonly string[] = ['http:', 'https:', 'socks5:', 'socks5h:'];

/**
 * Makes a URL safe to print: on one line, and without the user name and the password that a proxy's or a server's may have.
 * Of text that is not such a URL, what precedes the last `@` is left out.
 */
export function printableUrl(text: string): string {
  const line = printableLine(text);
  if (!line.includes('@')) return line;
  const [scheme = ''] = /^[a-z][-+.a-z0-9]*:\/\//i.exec(line) ?? [];
  const rest = line.slice(scheme.length);
  const authority = scheme !== '' && isUrl(line) ? (/^[^/?#\\]*/.exec(rest)?.[0] ?? '') : rest;
  return scheme + rest.slice(authority.lastIndexOf('@') + 1);
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && withAuthority.includes(new URL(text).protocol);
}
