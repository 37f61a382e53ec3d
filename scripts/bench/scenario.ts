/** The scenarios of the bench and their reports: rows of figures, each a plain value. */
import type {Sandbox} from './sandbox.js';

/** The distribution of repeated measurements. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** How many there were; 0 for a value that was derived, not measured. */
  readonly runs: number;
}

export type Unit = 'ms' | 'MiB';

/** This program compared with an alternative that was measured in the same run. */
export interface RatioRow {
  readonly kind: 'ratio';
  readonly what: string;
  readonly against: string;
  /** Our median divided by the alternative's, unless `how` states another method. */
  readonly ratio: number;
  /** How the ratio was calculated, where it is not the ratio of the medians. */
  readonly how?: string;
  /** The largest ratio that meets the target. */
  readonly target?: number;
  readonly ours: Spread;
  readonly alternative: Spread;
  readonly unit: Unit;
}

/** A figure without an alternative. */
export interface FigureRow {
  readonly kind: 'figure';
  readonly what: string;
  readonly value: Spread;
  readonly unit: Unit;
}

/** A count. */
export interface CountRow {
  readonly kind: 'count';
  readonly what: string;
  readonly count: number;
  /** The count that meets the target. */
  readonly target?: number;
}

export type Row = RatioRow | FigureRow | CountRow;

/** The figures of a scenario. */
export interface Report {
  readonly rows: readonly Row[];
  /** Explanations of the rows. */
  readonly notes: readonly string[];
}

/** What a scenario runs with. */
export interface BenchContext {
  /** `bin/run.js` of the program that is measured. */
  readonly program: string;
  /** The temporary directories and child processes of this scenario, removed after it. */
  readonly sandbox: Sandbox;
  /** Reports progress on standard error. */
  readonly progress: (message: string) => void;
}

/** `full` gives figures to publish; `quick` only proves that the scenario can be measured. */
export type SizeName = 'full' | 'quick';

/** How much a scenario measures; scenarios add their own dimensions. */
export interface Size {
  /** Counted runs of each contender. */
  readonly runs: number;
  /** Whether each contender first runs once uncounted, to fill caches. */
  readonly warmUp: boolean;
}

/** One run of each contender: the repetitions of every quick size. */
export const once: Size = {runs: 1, warmUp: false};

/** A scenario as its file defines it. */
export interface ScenarioDefinition<S extends Size> {
  /** The name that `--only` accepts. */
  readonly name: string;
  readonly sizes: Readonly<Record<SizeName, S>>;
  readonly title: (size: S) => string;
  /** Throws when something cannot be measured. */
  readonly measure: (context: BenchContext, size: S) => Promise<Report>;
}

/** A scenario of a certain size. */
export interface SizedScenario {
  readonly name: string;
  readonly title: string;
  readonly measure: (context: BenchContext) => Promise<Report>;
}

/** One scenario of the bench. */
export interface Scenario {
  readonly name: string;
  /** The scenario at one of its sizes; `runs` replaces the size's own number of runs. */
  readonly atSize: (name: SizeName, runs?: number) => SizedScenario;
}

/** Hides the type of a scenario's size from its callers. */
export function defineScenario<S extends Size>({name, sizes, title, measure}: ScenarioDefinition<S>): Scenario {
  return {
    name,
    atSize(sizeName, runs = sizes[sizeName].runs) {
      const size = {...sizes[sizeName], runs};
      return {name, title: title(size), measure: (context) => measure(context, size)};
    },
  };
}
