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

const begin = /^-----BEGIN ([^\r\n]*?)-----\s*$/;
const header = /^([A-Za-z0-9-]+):\s*(.*)$/;
const base64Line = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads every block. `what` names the text in messages (a path). Text outside the blocks is ignored. Throws `NOT_PEM` for
 * a text without blocks, a block without END, and invalid base64: Go silently skips such a block, which loses a
 * certificate.
 */
export function parsePem(text: string, what: string): PemText {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const blocks: PemBlock[] = [];
  let hasOtherText = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    const label = begin.exec(line)?.[1];
    if (label === undefined) {
      if (line.includes('-----BEGIN') || line.includes('-----END')) {
        throw notPem(what, at, 'a PEM marker must be alone on its line');
      }
      if (line.trim() !== '') hasOtherText = true;
      continue;
    }
    let end = at + 1;
    while (end < lines.length && lines[end]?.startsWith('-----') === false) end++;
    if (lines[end]?.trimEnd() !== `-----END ${label}-----`) {
      throw notPem(what, at, `"BEGIN ${label}" has no matching END`);
    }
    blocks.push({label, line: at + 1, ...readBody(lines.slice(at + 1, end), what, at, label)});
    at = end;
  }
  if (blocks.length === 0) {
    throw new MeshError('NOT_PEM', `${what}: no PEM block found${text.trim() === '' ? ' (the text is empty)' : ''}`);
  }
  return {blocks, hasOtherText, hasCarriageReturns: text.includes('\r')};
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
  const body = lines
    .slice(start)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const base64 = body.join('');
  const valid = body.every((line) => base64Line.test(line)) && base64.length % 4 === 0 && !/=[^=]/.test(base64);
  if (!valid || base64 === '') throw notPem(what, at, `the base64 of "BEGIN ${label}" is invalid or truncated`);
  return {headers, bytes: Buffer.from(base64, 'base64')};
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
