/** The results of a run as text. Pure. */
import {type Direction, directions, type Disagreement, failing} from './verdict.js';

/** Disagreements of one direction and variant. */
export interface Row {
  readonly direction: Direction;
  readonly variant: string;
  readonly places: readonly string[];
  readonly count: number;
  readonly reason: string;
  /** Index of the first such case. */
  readonly example: number;
  /** What openssl verify reports for the example. */
  readonly openssl?: string;
}

export interface Summary {
  readonly cases: number;
  /** Distinct variants that these cases use. */
  readonly variants: number;
  readonly rows: readonly Row[];
}

/** Groups disagreements by direction and variant, in the order of the directions. */
export function rowsOf(found: readonly Disagreement[]): readonly Row[] {
  const groups = new Map<string, Disagreement[]>();
  for (const one of found) {
    const key = `${one.direction} ${one.judged.subject.variant}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const rows = [...groups.values()].flatMap((group): readonly Row[] => {
    const sorted = group.toSorted((one, other) => one.judged.subject.index - other.judged.subject.index);
    const [first] = sorted;
    if (first === undefined) return [];
    const places = [...new Set(sorted.map(({judged}) => judged.subject.place))].toSorted();
    const {direction, reason, judged} = first;
    const {variant, index} = judged.subject;
    return [{direction, variant, places, count: group.length, reason, example: index}];
  });
  const order = Object.keys(directions);
  return rows.toSorted(
    (one, other) =>
      order.indexOf(one.direction) - order.indexOf(other.direction) || one.variant.localeCompare(other.variant),
  );
}

/** Whether something valid here is rejected elsewhere. */
export function fails({rows}: Summary): boolean {
  return rows.some(({direction}) => failing.includes(direction));
}

/** The table and the sums. */
export function reportText({rows, cases, variants}: Summary): string {
  const wrong = rows.filter(({direction}) => failing.includes(direction));
  const others = (Object.keys(directions) as Direction[]).filter((direction) => !failing.includes(direction));
  const sums = failing.map(
    (direction) => `${direction} ${String(sumOf(wrong.filter((row) => row.direction === direction)))}`,
  );
  return [
    ...section('valid here, but rejected or ending our process', wrong),
    ...others.flatMap((direction) =>
      section(
        directions[direction],
        rows.filter((row) => row.direction === direction),
      ),
    ),
    // A case can be rejected by several consumers: there is no total.
    `${counted(cases, 'case')}, ${counted(variants, 'variant')}; valid here, but rejected elsewhere: ${sums.join(', ')}`,
  ].join('\n');
}

/** A heading and an entry for each variant: counts by direction, the places, and the reasons that differ. */
function section(heading: string, rows: readonly Row[]): readonly string[] {
  const byVariant = new Map<string, Row[]>();
  for (const row of rows) byVariant.set(row.variant, [...(byVariant.get(row.variant) ?? []), row]);
  if (byVariant.size === 0) return [];
  const entries = [...byVariant].toSorted(([one], [other]) => one.localeCompare(other));
  return [
    `${heading}: ${counted(byVariant.size, 'variant')}`,
    ...entries.flatMap(([variant, own]) => {
      const counts = own.map(({direction, count}) => `${direction} ${String(count)}`).join(', ');
      const places = [...new Set(own.flatMap((row) => row.places))].toSorted().join(', ');
      const reasons = new Map(own.toReversed().map((row) => [row.reason, row]));
      return [
        `  ${variant}: ${counts} (${places})`,
        ...[...reasons.values()]
          .toReversed()
          .map(({direction, reason, example}) => `    ${direction}, case ${String(example)}: ${oneLine(reason)}`),
        ...own.slice(0, 1).flatMap(({openssl}) => (openssl === undefined ? [] : [`    openssl: ${oneLine(openssl)}`])),
      ];
    }),
    '',
  ];
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, {count}) => sum + count, 0);
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Printable, on one line, at most 240 characters. */
function oneLine(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]+/g, ' ').trim();
  return plain.length > 240 ? `${plain.slice(0, 239)}...` : plain;
}
