/** What a run measured, a JSON line each, so that test files that run at the same time do not disturb each other. */
import {appendFileSync, existsSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** Relative to the checkout. */
const file = join(fileURLToPath(new URL('../../../', import.meta.url)), '.cache', 'faults', 'results.jsonl');

/** What became of a seeded fault. */
export interface FaultResult {
  readonly kind: 'fault';
  readonly id: string;
  readonly check: string;
  readonly title: string;
  readonly caught: boolean;
  /** Ids of everything that was not well and no consequence. */
  readonly caughtBy: readonly string[];
  /** Ids of what changed, too, and is declared to follow. */
  readonly follows: readonly string[];
  /** Subjects (`MESH301 one`) of what changed, too, though nothing declares that. */
  readonly falseAlarms: readonly string[];
  /** The commands that verify printed, and what a person did where none could. */
  readonly fixedBy: string;
  readonly fixed: boolean;
  /** Everything that was not as it should be, a sentence each; empty when all was. */
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** The result of verify for a healthy mesh. */
export interface HealthyResult {
  readonly kind: 'healthy';
  readonly id: string;
  readonly title: string;
  /** How many judgements were ok. */
  readonly ok: number;
  /** Warnings that are true of this mesh, and why. */
  readonly trueWarnings: Readonly<Record<string, string>>;
  /** Subjects of errors, of unknowns and of warnings that are not true. */
  readonly falseAlarms: readonly string[];
  readonly problems: readonly string[];
  readonly seconds: number;
}

/** What it was measured with. */
export interface VersionsResult {
  readonly kind: 'versions';
  readonly istio: string;
  readonly kubernetes: string;
}

export type Result = FaultResult | HealthyResult | VersionsResult;

/** Adds a result to those of this run. */
export function record(result: Result): void {
  mkdirSync(dirname(file), {recursive: true});
  appendFileSync(file, `${JSON.stringify(result)}\n`);
}

/** The results of the last run. */
export function readResults(): readonly Result[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Result);
}

/** Forgets what earlier runs measured. */
export function forgetResults(): void {
  rmSync(file, {force: true});
}
