// C0 and C1 control characters, DEL, and the Unicode characters that reorder or hide text (bidirectional overrides,
// zero-width characters, line separators): text from clusters and tools could otherwise rewrite the terminal.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const ansiSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/**
 * Text from a cluster, a tool or a file, fit for a terminal and a log: ANSI sequences and control characters are
 * removed, line feeds and tabs stay. Carriage returns go, so that CRLF text reads as lines.
 */
export function printable(text: string): string {
  return text.replace(ansiSequence, '').replace(unprintable, '');
}

/** The same on one line: line feeds and tabs become spaces, runs of spaces one. */
export function printableLine(text: string): string {
  return printable(text.replace(/[\r\n\t]+/g, ' '))
    .replace(/ {2,}/g, ' ')
    .trim();
}
