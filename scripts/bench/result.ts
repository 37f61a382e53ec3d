import type {Report, SizeName} from './scenario.js';

/** The outcome of one scenario: its rows, or the reason why it could not be measured. */
export interface ScenarioResult extends Report {
  readonly name: string;
  readonly title: string;
  /** Duration of the whole scenario. Seconds. */
  readonly seconds: number;
  /** Present when the scenario could not be measured; there are no rows then. */
  readonly error?: string;
}

/** The outcome of the whole bench, as `--json` prints it. */
export interface BenchResult {
  readonly schemaVersion: 1;
  /** `quick`: the figures mean nothing. */
  readonly size: SizeName;
  readonly machine: {
    readonly date: string;
    readonly node: string;
    readonly platform: string;
    readonly cores: number;
    readonly memoryGiB: number;
    /** Load average of the last minute before the bench began. */
    readonly loadBefore: number;
  };
  readonly scenarios: readonly ScenarioResult[];
}

/** The exit code of the bench: 0 only when something was measured and nothing failed. */
export function exitCodeOf(results: readonly ScenarioResult[]): 0 | 1 {
  return results.length > 0 && results.every(({error}) => error === undefined) ? 0 : 1;
}
