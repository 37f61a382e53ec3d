/** The cases of a run: each is determined by the seed and its index. */
import {encodeSet, baseSets, type Files} from './sets.js';
import {allMutators} from './mutators/all.js';
import type {Mutator} from './mutators/mutator.js';
import {Random} from './random.js';

/** A changed set of CA files. */
export interface Case {
  readonly index: number;
  readonly variant: string;
  /** The certificate or file that was changed. */
  readonly place: string;
  /** The valid set that was changed. */
  readonly base: string;
  readonly files: Files;
}

const rolesOf = new Map(
  Object.entries(baseSets).map(([name, create]) => [name, [...create().certificates.keys()] as readonly string[]]),
);

/** The base sets in which a mutator can change a place. */
function basesFor({bases}: Mutator, place: string): readonly string[] {
  const usable = bases ?? [...rolesOf.keys()];
  const isRole = [...rolesOf.values()].some((roles) => roles.includes(place));
  return isRole ? usable.filter((base) => rolesOf.get(base)?.includes(place) === true) : usable;
}

/**
 * The case of an index. Consecutive cases go through all mutators in a random order, so that a run of as many cases as
 * mutators uses each once. `only` selects variants by prefix.
 */
export function caseOf(seed: string, index: number, only: readonly string[] = []): Case {
  const mutators = allMutators.filter(
    ({variant}) => only.length === 0 || only.some((prefix) => variant.startsWith(prefix)),
  );
  const round = Math.floor(index / mutators.length);
  const mutator = orderOf(seed, round, mutators)[index % mutators.length];
  if (mutator === undefined) throw new RangeError(`no variant starts with ${only.join(', ')}`);
  const random = new Random(seed, 'case', index);
  const place = random.pick(mutator.places);
  const base = random.pick(basesFor(mutator, place));
  const draft = (baseSets[base] as () => ReturnType<(typeof baseSets)[string]>)();
  mutator.apply(draft, place, random);
  return {index, variant: mutator.variant, place, base, files: encodeSet(draft)};
}

let order: {key: string; mutators: readonly Mutator[]} | undefined;

function orderOf(seed: string, round: number, mutators: readonly Mutator[]): readonly Mutator[] {
  const key = `${seed} ${String(round)} ${String(mutators.length)}`;
  if (order?.key !== key) order = {key, mutators: new Random(seed, 'order', round).shuffle(mutators)};
  return order.mutators;
}
