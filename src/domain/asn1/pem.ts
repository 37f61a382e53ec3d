/** Encodes and decodes PEM (RFC 7468, and the older form with headers): labeled blocks of bytes as text. */
import {MeshError} from '../errors.js';

/** One PEM block. */
export interface PemBlock {
  /** The text after BEGIN: `CERTIFICATE`, `RSA PRIVATE KEY`, … */
  readonly label: string;
  /** RFC 1421 headers: `Proc-Type` and `DEK-Info` in legacy encrypted keys. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  /** The line number of BEGIN, from 1. */
  readonly line: number;
}

/** A parsed PEM text. */
export interface PemText {
  readonly blocks: readonly PemBlock[];
  /** Whether there is text outside the blocks. istiod ignores it. */
  readonly hasOtherText: boolean;
  readonly hasCarriageReturns: boolean;
}

const begin = /^-----BEGIN ([A-Z0-9][A-Z0-9 #]*)-----$/;
const header = /^([A-Za-z0-9-]+):[ \t]*(.*)$/;
/** How many bytes of a line BoringSSL reads at once (pem_lib.cc, PEM_read_bio: BIO_gets with 254). */
const pieceLength = 253;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads every block. `what` names the text in messages (a path). Text outside the blocks is ignored. Throws `NOT_PEM` for
 * a text without blocks, and for whatever a reader that istiod or proxies use reads differently: Go (encoding/pem, Decode)
 * silently skips a block with a malformed marker or base64, which loses a certificate, and BoringSSL (pem_lib.cc,
 * PEM_read_bio) ends a header, or what looks like one, at an empty line. Only spaces and tabs may follow on a line.
 */
export function parsePem(text: string, what: string): PemText {
  if (text.includes('\0')) {
    throw new MeshError('NOT_PEM', `${what}: the text is UTF-16, or binary: PEM must be ASCII or UTF-8`, {
      hints: ['PowerShell writes UTF-16 with ">": use "Set-Content -Encoding ascii" instead'],
    });
  }
  const rawLines = text.split('\n');
  const lines = rawLines.map((line) => withoutTrailingSpaces(line.replace(/\r$/, '')));
  const blocks: PemBlock[] = [];
  let hasOtherText = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const label = begin.exec(line)?.[1];
    if (label === undefined) {
      if (line.includes('-----BEGIN') || line.includes('-----END')) throw notPem(what, at, markerFault(line));
      if (line !== '') hasOtherText = true;
      continue;
    }
    let end = at + 1;
    while (end < lines.length && lines[end]?.includes('-----') === false) end++;
    const last = lines[end];
    if (last !== `-----END ${label}-----`) {
      if (last === undefined || begin.test(last)) throw notPem(what, at, `"BEGIN ${label}" has no matching END`);
      throw notPem(what, end, markerFault(last));
    }
    const split = rawLines.slice(at, end + 1).findIndex(endsInBlankPiece);
    if (split !== -1)
      throw notPem(what, at + split, 'proxies cannot read a line of this length: break it at 64 characters');
    blocks.push({label, line: at + 1, ...readBody(lines.slice(at + 1, end), what, at, label)});
    at = end;
  }
  if (blocks.length === 0) {
    throw new MeshError('NOT_PEM', `${what}: no PEM block found${text.trim() === '' ? ' (the text is empty)' : ''}`);
  }
  return {blocks, hasOtherText, hasCarriageReturns: text.includes('\r')};
}

/** Whether BoringSSL reads the line's end, or spaces before it, as a piece of its own: it takes that for an empty line. */
function endsInBlankPiece(line: string): boolean {
  const {length} = withoutTrailingSpaces(line.replace(/\r$/, ''));
  return length > 0 && Math.floor(line.length / pieceLength) > Math.floor((length - 1) / pieceLength);
}

/** In linear time, unlike a regular expression. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === ' ' || line[end - 1] === '\t') end--;
  return line.slice(0, end);
}

function readBody(
  lines: readonly string[],
  what: string,
  at: number,
  label: string,
): {readonly headers: Readonly<Record<string, string>>; readonly bytes: Buffer} {
  const headers: Record<string, string> = {};
  let start = 0;
  for (; start < lines.length; start++) {
    const match = header.exec(lines[start] ?? '');
    if (!match?.[1]) break;
    headers[match[1]] = match[2] ?? '';
  }
  // An empty line separates the headers (RFC 1421 4.4).
  if (start > 0 && lines[start] === '') start++;
  const body = lines.slice(start);
  const odd = body.findIndex((line) => !base64Line.test(line));
  if (odd !== -1) throw notPem(what, at + 1 + start + odd, bodyFault(body[odd] ?? '', label));
  const base64 = body.join('');
  if (base64 === '' || base64.length % 4 !== 0 || /=[^=]/.test(base64)) {
    throw notPem(what, at, `the base64 of "BEGIN ${label}" is invalid or truncated`);
  }
  return {headers, bytes: Buffer.from(base64, 'base64')};
}

/** Characters that no editor shows, by their names. */
const invisible: Readonly<Record<string, string>> = {
  '\u{feff}': 'a byte order mark',
  '\u{a0}': 'a no-break space',
  '\u{200b}': 'a zero-width space',
  '\f': 'a form feed',
  '\v': 'a vertical tab',
  '\r': 'a carriage return',
};

/** A line break as JSON, YAML and environment files write it. */
const escapedBreak = String.raw`\n`;

function invisibleIn(line: string): string | undefined {
  const found = Object.keys(invisible).find((character) => line.includes(character));
  return found === undefined ? undefined : invisible[found];
}

function markerFault(line: string): string {
  const character = invisibleIn(line);
  if (character !== undefined) return `a PEM marker must be alone on its line, but there is ${character}`;
  if (line.includes(escapedBreak)) return String.raw`there is "\n" (a backslash and a letter) instead of a line break`;
  if (/-----END .*-----BEGIN /.test(line)) return 'a line break is missing between END and BEGIN';
  const orphan = /^-----END ([A-Z0-9 #]+)-----$/.exec(line)?.[1];
  if (orphan !== undefined) return `"END ${orphan}" has no matching BEGIN`;
  return 'a PEM marker must be alone on its line';
}

function bodyFault(line: string, label: string): string {
  if (line === '') return `an empty line in "BEGIN ${label}": istiod skips it, proxies do not`;
  const character = invisibleIn(line);
  return `the base64 of "BEGIN ${label}" is invalid${character === undefined ? '' : `: it contains ${character}`}`;
}

function notPem(what: string, index: number, reason: string): MeshError {
  return new MeshError('NOT_PEM', `${what}: line ${String(index + 1)}: ${reason}`);
}

/** Writes one block as RFC 7468 requires: 64 characters per line, a newline at the end. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
