/** Tables for people: columns as wide as their widest cell, two spaces between, nothing cut, no trailing spaces. */

/** Lays rows out under a header, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = columnWidths(all);
  return all
    .map((row) =>
      header
        .map((_, column) => (row[column] ?? '').padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The width of each column's widest cell. The first row has all columns. */
export function columnWidths([first = [], ...rows]: readonly (readonly string[])[]): readonly number[] {
  return first.map((name, column) =>
    // There may be more rows than a function takes arguments.
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  );
}
