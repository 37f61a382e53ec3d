/** The results of `npm run test:versions` as text. Pure. */
import type {StepResult} from './steps.js';

/** A line for each step, and the totals: what was skipped did not pass. */
export function tableText(results: readonly StepResult[]): string {
  const rows = [
    ['VERSION', 'STEP', 'RESULT', 'SECONDS', 'NOTE'],
    ...results.map(({version, step, result, seconds, note}) => [
      version,
      step,
      result,
      result === 'skipped' ? '' : String(seconds),
      note.split('\n')[0] ?? '',
    ]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const count = (wanted: StepResult['result']): string =>
    String(results.filter(({result}) => result === wanted).length);
  return [...lines, '', `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`].join('\n');
}

/** Whether nothing failed, and something passed with every version: a version with skipped steps only was not tested. */
export function isPassed(results: readonly StepResult[]): boolean {
  const versions = new Set(results.map(({version}) => version));
  const tested = new Set(results.flatMap(({version, result}) => (result === 'passed' ? [version] : [])));
  return versions.size > 0 && tested.size === versions.size && results.every(({result}) => result !== 'failed');
}
