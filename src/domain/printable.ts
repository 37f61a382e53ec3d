/**
 * Control characters except for line feeds and tabs, and characters that reorder, hide or separate text without being
 * visible (Unicode general categories Cc, Cf, Zl and Zp, and default-ignorable code points: bidirectional controls,
 * zero-width and tag characters): text from clusters and tools could otherwise rewrite the terminal, or look like
 * another text.
 */
const unprintable = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
/** ECMA-48 control sequences and strings, introduced by ESC or by a single C1 character. */
const ansiSequence =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:[\u0007\u009c]|\u001b\\)?|\u001b[@-Z\\-_]?/g;

/**
 * Makes text from a cluster, a tool or a file safe for a terminal and a log: removes ANSI sequences and control
 * characters except for line feeds and tabs. Carriage returns are removed, so that CRLF text is split into lines.
 */
export function printable(text: string): string {
  return text.replace(ansiSequence, '').replace(unprintable, '');
}

/** Makes text safe and puts it on one line: line feeds and tabs become spaces, repeated spaces become one. */
export function printableLine(text: string): string {
  return printable(text.replace(/[\r\n\t]+/g, ' '))
    .replace(/ {2,}/g, ' ')
    .trim();
}

/** JSON with two spaces of indentation, in which unprintable characters are escaped: the values are unchanged. */
export function printableJson(value: object): string {
  const escape = (text: string): string =>
    // JSON escapes code units (RFC 8259, section 7).
    Array.from({length: text.length}, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return JSON.stringify(value, undefined, 2).replace(unprintable, escape);
}
