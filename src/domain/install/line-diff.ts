/** Above this many lines a diff is not worth its quadratic time: install.yaml files have some dozens. */
const longest = 2000;

/**
 * What changes from one text to another: removed lines with `- `, added ones with `+ `, in order, without the lines that
 * stay (longest common subsequence).
 */
export function lineDiff(before: string, after: string): readonly string[] {
  const left = linesOf(before);
  const right = linesOf(after);
  if (left.length > longest || right.length > longest) {
    return [`- ${String(left.length)} lines`, `+ ${String(right.length)} lines`];
  }
  const lengths = commonLengths(left, right);
  const changes: string[] = [];
  let [row, column] = [0, 0];
  while (row < left.length || column < right.length) {
    if (row < left.length && column < right.length && left[row] === right[column]) {
      row += 1;
      column += 1;
    } else if (
      column === right.length ||
      (row < left.length && at(lengths, row + 1, column) >= at(lengths, row, column + 1))
    ) {
      changes.push(`- ${left[row] ?? ''}`);
      row += 1;
    } else {
      changes.push(`+ ${right[column] ?? ''}`);
      column += 1;
    }
  }
  return changes;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** `[i][j]`: the length of the longest common subsequence of the lines from i and from j on. */
function commonLengths(left: readonly string[], right: readonly string[]): readonly (readonly number[])[] {
  const lengths: number[][] = Array.from({length: left.length + 1}, () => new Array<number>(right.length + 1).fill(0));
  for (let row = left.length - 1; row >= 0; row -= 1) {
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const cell =
        left[row] === right[column]
          ? at(lengths, row + 1, column + 1) + 1
          : Math.max(at(lengths, row + 1, column), at(lengths, row, column + 1));
      lengths[row]?.splice(column, 1, cell);
    }
  }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], row: number, column: number): number {
  return lengths[row]?.[column] ?? 0;
}
