/**
 * BER (X.690 8.1), as far as it takes to find the parts of an envelope: lengths may be indefinite or longer than needed,
 * which Microsoft's and older Java's PKCS#7 have. What is inside is handed out byte for byte and read strictly elsewhere.
 */

/** One value: what its header says, and where it is. */
export interface Ber {
  /** The identifier octet: class, constructed bit and tag number; envelopes have no tags above 30. */
  readonly identifier: number;
  /** Header, content and end marker. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** Envelopes nest a handful of levels; deeper input is an attack on the parser. */
const maxDepth = 32;

/** The values that stand one after another in these bytes. Throws a plain Error. */
export function readBerValues(bytes: Buffer): readonly Ber[] {
  const values: Ber[] = [];
  for (let at = 0; at < bytes.length;) {
    const value = readAt(bytes, at, 0);
    values.push(value);
    at += value.whole.length;
  }
  return values;
}

/** The first value of these bytes; bytes after it are left alone. Throws a plain Error. */
export function readBer(bytes: Buffer): Ber {
  return readAt(bytes, 0, 0);
}

function readAt(bytes: Buffer, start: number, depth: number): Ber {
  if (depth > maxDepth) throw new Error('the value nests too deeply');
  const identifier = byteAt(bytes, start);
  if ((identifier & 0x1f) === 0x1f) throw new Error('a tag number above 30');
  const length = readLength(bytes, start + 1);
  if (length.value !== undefined) {
    const end = length.end + length.value;
    if (end > bytes.length) throw new Error('the value ends before its length says');
    return {identifier, whole: bytes.subarray(start, end), content: bytes.subarray(length.end, end)};
  }
  if ((identifier & 0x20) === 0) throw new Error('a primitive value of indefinite length');
  let at = length.end;
  while (byteAt(bytes, at) !== 0 || byteAt(bytes, at + 1) !== 0) at += readAt(bytes, at, depth + 1).whole.length;
  return {identifier, whole: bytes.subarray(start, at + 2), content: bytes.subarray(length.end, at)};
}

/** The length octets (X.690 8.1.3); undefined is the indefinite form. */
function readLength(bytes: Buffer, start: number): {readonly value: number | undefined; readonly end: number} {
  const first = byteAt(bytes, start);
  if (first < 0x80) return {value: first, end: start + 1};
  if (first === 0x80) return {value: undefined, end: start + 1};
  const octets = first & 0x7f;
  const end = start + 1 + octets;
  let value = 0;
  for (let at = start + 1; at < end; at += 1) {
    value = value * 256 + byteAt(bytes, at);
    if (value > bytes.length) throw new Error('the value ends before its length says');
  }
  return {value, end};
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new Error('the value ends too early');
  return byte;
}
