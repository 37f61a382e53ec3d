import {diffArrays} from 'diff';

/** Above this many lines a diff is not worth its quadratic time: install.yaml files have some dozens. */
const longest = 2000;

/** What changes from one text to another: removed lines with `- `, added ones with `+ `, in order, without those that stay. */
export function lineDiff(before: string, after: string): readonly string[] {
  const left = linesOf(before);
  const right = linesOf(after);
  if (left.length > longest || right.length > longest) {
    return [`- ${String(left.length)} lines`, `+ ${String(right.length)} lines`];
  }
  return diffArrays(left, right)
    .filter(({added, removed}) => added || removed)
    .flatMap(({added, value}) => value.map((line) => `${added ? '+' : '-'} ${line}`));
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
