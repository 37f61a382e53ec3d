/** The bench's report for people. JSON is the same rows as they are. */
import type {Row, Spread, Unit} from './scenario.js';
import type {ScenarioResult} from './result.js';

/** A scenario as text: one line for each row, aligned. */
export function scenarioText(result: ScenarioResult): string {
  const lines = [`\n${result.name}: ${result.title}`];
  if (result.error !== undefined) lines.push(`  NOT MEASURED: ${result.error.replaceAll('\n', '\n    ')}`);
  const cells = result.rows.map(cellsOf);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    const padded = row.map((cell, column) => (column < widths.length ? cell.padEnd(widths[column] ?? 0) : cell));
    lines.push(`  ${padded.join('  ')}`.trimEnd());
  }
  lines.push(...result.notes.map((note) => `  * ${note}`));
  return lines.join('\n');
}

function cellsOf(row: Row): readonly string[] {
  switch (row.kind) {
    case 'ratio': {
      const against = `${row.what} / ${row.against}`;
      const sides = `${shown(row.ours, row.unit)} / ${shown(row.alternative, row.unit)}`;
      const how = row.how === undefined ? '' : ` (${row.how})`;
      return [against, row.ratio.toFixed(2), verdict(row.ratio, row.target), `${sides}${how}`];
    }
    case 'figure':
      return [row.what, '', '', shown(row.value, row.unit)];
    case 'count': {
      const target = row.target === undefined ? '' : `= ${String(row.target)} ${met(row.count === row.target)}`;
      return [row.what, String(row.count), target, ''];
    }
  }
}

function verdict(ratio: number, target: number | undefined): string {
  return target === undefined ? '' : `<= ${String(target)} ${met(ratio <= target)}`;
}

function met(yes: boolean): string {
  return yes ? 'met' : 'NOT MET';
}

/** `min median max unit xRUNS`; a derived value is said as such. */
function shown({min, median, max, runs}: Spread, unit: Unit): string {
  if (runs === 0) return `${round(median)} ${unit} derived`;
  return `${[min, median, max].map(round).join(' ')} ${unit} x${String(runs)}`;
}

function round(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
