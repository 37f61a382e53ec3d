/**
 * `npm run bench`: how long things take, as ratios against an alternative that is measured in the same run. Prints a
 * table; `-- --json` prints JSON, `-- --only NAME` runs one scenario (may be repeated), `-- --runs N` says how often.
 *
 * Targets are printed beside the figures and never asserted. Exits 1 only if a scenario could not be measured.
 */
import {availableParallelism, loadavg, totalmem} from 'node:os';
import {parseArgs} from 'node:util';
import buildOnce from '../test/helpers/build-once.js';
import {BenchError} from './bench/bench-error.js';
import {installCopy} from './bench/installed-copy.js';
import {scenarios} from './bench/registry.js';
import type {BenchResult, ScenarioResult} from './bench/result.js';
import {Sandbox} from './bench/sandbox.js';
import type {Scenario} from './bench/scenario.js';
import {scenarioText} from './bench/text.js';

const usage = `npm run bench [-- [--json] [--runs N] [--only NAME]...]
scenarios: ${scenarios.map(({name}) => name).join(', ')}`;

interface Options {
  readonly json: boolean;
  readonly runs: number | undefined;
  readonly chosen: readonly Scenario[];
}

const options = readOptions();
process.exit(options === undefined ? 2 : await bench(options));

/** What the command line asks for; undefined when it is wrong, which is then said. */
function readOptions(): Options | undefined {
  try {
    const {values} = parseArgs({
      options: {
        json: {type: 'boolean', default: false},
        runs: {type: 'string'},
        only: {type: 'string', multiple: true, default: []},
      },
    });
    const unknown = values.only.find((name) => !scenarios.some((scenario) => scenario.name === name));
    if (unknown !== undefined) throw new BenchError(`there is no scenario ${unknown}`);
    const runs = values.runs === undefined ? undefined : Number(values.runs);
    if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) {
      throw new BenchError(`--runs ${values.runs ?? ''} is not a number of runs`);
    }
    const chosen = scenarios.filter(({name}) => values.only.length === 0 || values.only.includes(name));
    return {json: values.json, runs, chosen};
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return undefined;
  }
}

/** Runs the scenarios; returns the exit code. */
async function bench({json, runs, chosen}: Options): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruption.abort(new BenchError('interrupted'));
    });
  }
  const machine = {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0] ?? 0,
  };
  buildOnce();
  if (!json) {
    console.log(
      `${machine.date.slice(0, 10)}, Node ${machine.node}, ${machine.platform}, ${String(machine.cores)} cores, ` +
        `${String(machine.memoryGiB)} GiB, load before ${machine.loadBefore.toFixed(1)}. Times: min median max xRUNS.`,
    );
  }
  const copy = installCopy();
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of chosen) {
      const result = await runScenario(scenario, copy.program, runs, interruption.signal);
      if (interruption.signal.aborted) return 130;
      results.push(result);
      if (!json) console.log(scenarioText(result));
    }
  } finally {
    copy.remove();
  }
  const answer: BenchResult = {schemaVersion: 1, machine, scenarios: results};
  if (json) console.log(JSON.stringify(answer, undefined, 2));
  return results.some(({error}) => error !== undefined) ? 1 : 0;
}

async function runScenario(
  scenario: Scenario,
  program: string,
  runs: number | undefined,
  signal: AbortSignal,
): Promise<ScenarioResult> {
  const {name, title} = scenario;
  const began = Date.now();
  const seconds = (): number => Math.round((Date.now() - began) / 1000);
  const sandbox = new Sandbox(signal);
  try {
    const report = await scenario.measure({
      program,
      runs: (enough) => runs ?? enough,
      sandbox,
      say: (line) => {
        if (process.stderr.isTTY) process.stderr.write(`${name}: ${line}\n`);
      },
    });
    return {name, title, seconds: seconds(), ...report};
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {name, title, seconds: seconds(), rows: [], notes: [], error: message};
  } finally {
    await sandbox.close();
  }
}
