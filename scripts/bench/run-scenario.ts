import {BenchError} from './bench-error.js';
import type {ScenarioResult} from './result.js';
import {Sandbox} from './sandbox.js';
import type {BenchContext, Report, Row, SizedScenario, Spread} from './scenario.js';

/** The settings of a scenario's run. */
export interface RunOptions extends Pick<BenchContext, 'program' | 'progress'> {
  /** Aborts the child processes of the scenario. */
  readonly signal: AbortSignal;
}

/** Measures a scenario in its own sandbox. Never throws: a scenario that fails has an `error`. */
export async function runScenario(scenario: SizedScenario, options: RunOptions): Promise<ScenarioResult> {
  const {name, title} = scenario;
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1000);
  try {
    const report = await measureInSandbox(scenario, options);
    requireFigures(report);
    return {name, title, seconds: seconds(), ...report};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {name, title, seconds: seconds(), rows: [], notes: [], error: message};
  }
}

async function measureInSandbox(scenario: SizedScenario, {program, progress, signal}: RunOptions): Promise<Report> {
  const sandbox = new Sandbox(signal);
  try {
    return await scenario.measure({program, sandbox, progress});
  } finally {
    await sandbox.close();
  }
}

/** Throws `BenchError` unless the report has rows and every figure in it is a positive, finite number. */
export function requireFigures({rows}: Report): void {
  if (rows.length === 0) throw new BenchError('the scenario reported no figures');
  for (const row of rows) {
    const wrong = figuresOf(row).find((figure) => !(Number.isFinite(figure) && figure > 0));
    if (wrong !== undefined) throw new BenchError(`the row "${row.what}" has the figure ${String(wrong)}`);
  }
}

function figuresOf(row: Row): readonly number[] {
  switch (row.kind) {
    case 'ratio':
      return [row.ratio, ...valuesOf(row.ours), ...valuesOf(row.alternative)];
    case 'figure':
      return valuesOf(row.value);
    case 'count':
      return [row.count];
  }
}

function valuesOf({min, median, max}: Spread): readonly number[] {
  return [min, median, max];
}
