/** The bench's report as text. */
import type {ScenarioResult} from './result.js';
import type {CountRow, RatioRow, Row, Spread, Unit} from './scenario.js';

/** A scenario as text: one line for each row, aligned. */
export function scenarioText(result: ScenarioResult, {targets}: {readonly targets: boolean}): string {
  const lines = [`\n${result.name}: ${result.title}`];
  if (result.error !== undefined) lines.push('  NOT MEASURED: standard error has the reason');
  const cells = result.rows.map((row) => cellsOf(row, targets));
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    const padded = row.map((cell, column) => (column < widths.length ? cell.padEnd(widths[column] ?? 0) : cell));
    lines.push(`  ${padded.join('  ')}`.trimEnd());
  }
  lines.push(...result.notes.map((note) => `  * ${note}`));
  return lines.join('\n');
}

/** What is measured, its figure, the target and whether it is met, the measurements. */
function cellsOf(row: Row, targets: boolean): readonly string[] {
  switch (row.kind) {
    case 'ratio': {
      const against = `${row.what} / ${row.against}`;
      const sides = `${shown(row.ours, row.unit)} / ${shown(row.alternative, row.unit)}`;
      const how = row.how === undefined ? '' : ` (${row.how})`;
      return [against, row.ratio.toFixed(2), targets ? ratioVerdict(row) : '', `${sides}${how}`];
    }
    case 'figure':
      return [row.what, '', '', shown(row.value, row.unit)];
    case 'count':
      return [row.what, String(row.count), targets ? countVerdict(row) : '', ''];
  }
}

function ratioVerdict({ratio, target}: RatioRow): string {
  return target === undefined ? '' : `<= ${String(target)} ${met(ratio <= target)}`;
}

function countVerdict({count, target}: CountRow): string {
  return target === undefined ? '' : `= ${String(target)} ${met(count === target)}`;
}

function met(yes: boolean): string {
  return yes ? 'met' : 'NOT MET';
}

/** `min median max unit xRUNS`; a derived value is marked as such. */
function shown({min, median, max, runs}: Spread, unit: Unit): string {
  if (runs === 0) return `${round(median)} ${unit} derived`;
  return `${[min, median, max].map(round).join(' ')} ${unit} x${String(runs)}`;
}

function round(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
