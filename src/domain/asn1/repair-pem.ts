/** Reads damaged PEM texts whose blocks are undamaged: what an editor or a shell added around and within them. */
import type {PemBlock} from './pem.js';

const [begin, end, dashes] = ['-----BEGIN ', '-----END ', '-----'] as const;

/**
 * Returns every block of a text that {@link import('./pem.js').parsePem} may refuse: with byte order marks, in UTF-16 (as read
 * by a UTF-8 decoder), with markers that share a line, and with white space, line breaks as JSON escapes them or lines of any
 * length in the base64. Undefined if a block is incomplete, is not base64 or has headers: nothing may be lost.
 */
export function repairPem(damaged: string): readonly PemBlock[] | undefined {
  // PEM is ASCII: in UTF-16, each character has a zero byte, and the mark is not UTF-8. Text outside blocks does not matter.
  const text = damaged.includes('\0') ? damaged.replace(/[\0\ufffd]/g, '') : damaged;
  const blocks: PemBlock[] = [];
  let at = text.indexOf(begin);
  while (at !== -1) {
    const block = blockAt(text, at);
    if (!block) return undefined;
    blocks.push(block);
    at = text.indexOf(begin, block.end);
  }
  // A marker that belongs to no block is what remains of a lost one.
  const isComplete = blocks.length > 0 && text.split(end).length - 1 === blocks.length;
  return isComplete ? blocks : undefined;
}

function blockAt(text: string, at: number): (PemBlock & {readonly end: number}) | undefined {
  const afterLabel = text.indexOf(dashes, at + begin.length);
  const label = text.slice(at + begin.length, afterLabel);
  if (afterLabel === -1 || !/^[A-Z0-9][A-Z0-9 #]*$/.test(label)) return undefined;
  const closing = text.indexOf(dashes, afterLabel + dashes.length);
  const marker = `${end}${label}${dashes}`;
  if (closing === -1 || !text.startsWith(marker, closing)) return undefined;
  const base64 = text.slice(afterLabel + dashes.length, closing).replace(/\\[nr]|[\s\u200b]/g, '');
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(base64) && base64.length % 4 === 0;
  if (!isBase64) return undefined;
  return {
    label,
    headers: {},
    bytes: Buffer.from(base64, 'base64'),
    line: text.slice(0, at).split('\n').length,
    end: closing + marker.length,
  };
}
