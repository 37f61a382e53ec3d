import type {Report} from './scenario.js';

/** What became of one scenario: its rows, or why it could not be measured. */
export interface ScenarioResult extends Report {
  readonly name: string;
  readonly title: string;
  /** Seconds it took. */
  readonly seconds: number;
  readonly error?: string;
}

/** The whole bench, as `--json` prints it. */
export interface BenchResult {
  readonly schemaVersion: 1;
  readonly machine: {
    readonly date: string;
    readonly node: string;
    readonly platform: string;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Runnable processes in the last minute, before the bench began: other people's work. */
    readonly loadBefore: number;
  };
  readonly scenarios: readonly ScenarioResult[];
}
