// C0 and C1 control characters, DEL, and the Unicode characters that reorder or hide text (bidirectional overrides,
// zero-width characters, line separators): text from clusters and tools could otherwise rewrite the terminal.
const unprintable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const ansiSequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

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
