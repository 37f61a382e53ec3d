/** One run of a contender; returns its measurement. */
export type Contender = (run: number) => Promise<number>;

/**
 * Runs contenders in turn, A B C A B C, so that whatever else the machine does meets all of them alike. The order turns
 * from round to round: none always runs in the wake of the same other. The first round fills caches and is not counted.
 */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, Contender>>,
  runs: number,
  options: {readonly warmUp?: boolean; readonly onRound?: (round: number) => void} = {},
): Promise<Readonly<Record<Name, readonly number[]>>> {
  const names = Object.keys(contenders) as Name[];
  const found = Object.fromEntries(names.map((name): [string, number[]] => [name, []])) as Record<Name, number[]>;
  for (let round = options.warmUp === false ? 1 : 0; round <= runs; round++) {
    options.onRound?.(round);
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const value = await contenders[name](round);
      if (round > 0) found[name].push(value);
    }
  }
  return found;
}
