/** What a scenario of the bench is, and what it answers with: rows of figures, each a plain value. */
import type {Sandbox} from './sandbox.js';

/** Repeated measurements of one thing. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
  readonly runs: number;
}

export type Unit = 'ms' | 'MiB';

/** This program against an alternative that was measured in the same run. */
export interface RatioRow {
  readonly kind: 'ratio';
  readonly what: string;
  readonly against: string;
  /** Median of ours through median of the alternative, unless `how` says otherwise. */
  readonly ratio: number;
  /** How the ratio was made, where it is not the ratio of the medians. */
  readonly how?: string;
  /** At most this. */
  readonly target?: number;
  readonly ours: Spread;
  readonly alternative: Spread;
  readonly unit: Unit;
}

/** A figure with nothing to hold it against: what a ratio is made of. */
export interface FigureRow {
  readonly kind: 'figure';
  readonly what: string;
  readonly value: Spread;
  readonly unit: Unit;
}

/** Something counted. */
export interface CountRow {
  readonly kind: 'count';
  readonly what: string;
  readonly count: number;
  /** Exactly this. */
  readonly target?: number;
}

export type Row = RatioRow | FigureRow | CountRow;

/** What a scenario found. */
export interface Report {
  readonly rows: readonly Row[];
  /** What a reader must know to read the rows: one sentence each. */
  readonly notes: readonly string[];
}

/** What a scenario is run with. */
export interface BenchContext {
  /** `bin/run.js` of this checkout, built. */
  readonly program: string;
  /** Runs of each contender: what the command line says, else what the scenario thinks enough. */
  readonly runs: (enough: number) => number;
  /** A fresh temporary directory and the processes of this scenario; taken away after it. */
  readonly sandbox: Sandbox;
  /** A line for whoever waits, on standard error. */
  readonly say: (line: string) => void;
}

/** One scenario of the bench. */
export interface Scenario {
  /** As `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly measure: (context: BenchContext) => Promise<Report>;
}
