import type {Size} from './scenario.js';

/** One run of a contender; returns its measurement. Round 0 is the warm-up. */
export type Contender = (round: number) => Promise<number>;

/**
 * Runs contenders in turn, A B C A B C, so that other load on the machine affects all of them alike. Each round starts
 * with another contender, so that none always runs directly after the same other one. Returns the counted measurements.
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  {runs, warmUp}: Size,
  progress: (message: string) => void = () => undefined,
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contenders) as Name[];
  const measured = Object.fromEntries(names.map((name): [string, number[]] => [name, []])) as Record<Name, number[]>;
  for (let round = warmUp ? 0 : 1; round <= runs; round++) {
    progress(round === 0 ? 'warm-up' : `round ${String(round)} of ${String(runs)}`);
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await contenders[name](round);
      if (round > 0) measured[name].push(value);
    }
  }
  return measured;
}
