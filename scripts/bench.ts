/**
 * `npm run bench`: durations, memory and process counts, as ratios to an alternative that is measured in the same run
 * (docs/performance.md). Targets are printed beside the figures and never asserted. Exits with 1 when a scenario could
 * not be measured.
 */
import {availableParallelism, loadavg, totalmem} from 'node:os';
import {parseArgs} from 'node:util';
import buildOnce from '../test/helpers/build-once.js';
import {BenchError} from './bench/bench-error.js';
import {installCopy} from './bench/installed-copy.js';
import {scenarios} from './bench/registry.js';
import {type BenchResult, exitCodeOf, type ScenarioResult} from './bench/result.js';
import {runScenario} from './bench/run-scenario.js';
import type {SizedScenario, SizeName} from './bench/scenario.js';
import {scenarioText} from './bench/text.js';

const usage = `npm run bench [-- [--quick] [--json] [--runs N] [--only NAME]...]
  --quick      run each scenario once, at its smallest size, to prove that it can be measured: the figures mean nothing
  --json       print JSON
  --runs N     counted runs of each contender
  --only NAME  run only this scenario; may be repeated: ${scenarios.map(({name}) => name).join(', ')}
Exits with 1 when a scenario could not be measured, with 2 when the arguments are invalid.`;

/** How each size is printed. */
const modes = {
  full: {targets: true, notice: ''},
  quick: {
    targets: false,
    notice: '--quick: every scenario runs once at its smallest size. THESE FIGURES MEAN NOTHING.',
  },
} as const satisfies Readonly<Record<SizeName, {readonly targets: boolean; readonly notice: string}>>;

interface Options {
  readonly json: boolean;
  readonly size: SizeName;
  readonly chosen: readonly SizedScenario[];
}

const options = readOptions();
process.exit(options === undefined ? 2 : await bench(options));

/** Reads the command line. Prints an error and returns undefined when it is invalid. */
function readOptions(): Options | undefined {
  try {
    const {values} = parseArgs({
      options: {
        quick: {type: 'boolean', default: false},
        json: {type: 'boolean', default: false},
        runs: {type: 'string'},
        only: {type: 'string', multiple: true, default: []},
      },
    });
    const unknown = values.only.find((name) => !scenarios.some((scenario) => scenario.name === name));
    if (unknown !== undefined) throw new BenchError(`unknown scenario "${unknown}"`);
    const runs = values.runs === undefined ? undefined : Number(values.runs);
    if (runs !== undefined && !(Number.isInteger(runs) && runs > 0)) {
      throw new BenchError(`invalid --runs "${values.runs ?? ''}": must be a positive integer`);
    }
    const size = values.quick ? 'quick' : 'full';
    const chosen = scenarios.filter(({name}) => values.only.length === 0 || values.only.includes(name));
    return {json: values.json, size, chosen: chosen.map((scenario) => scenario.atSize(size, runs))};
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return undefined;
  }
}

/** Runs the scenarios. Returns the exit code. */
async function bench({json, size, chosen}: Options): Promise<number> {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruption.abort(new BenchError('interrupted'));
    });
  }
  const print = (text: string): void => {
    if (!json && text !== '') console.log(text);
  };
  const machine = {
    date: new Date().toISOString(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0] ?? 0,
  };
  buildOnce();
  print(
    `${machine.date.slice(0, 10)}, Node ${machine.node}, ${machine.platform}, ${String(machine.cores)} cores, ` +
      `${String(machine.memoryGiB)} GiB, load before ${machine.loadBefore.toFixed(1)}. Times: min median max xRUNS.`,
  );
  const {targets, notice} = modes[size];
  print(notice);
  const copy = installCopy();
  const results: ScenarioResult[] = [];
  try {
    for (const scenario of chosen) {
      const {name} = scenario;
      const measured = await runScenario(scenario, {
        program: copy.program,
        signal: interruption.signal,
        progress: (message) => {
          if (process.stderr.isTTY) process.stderr.write(`${name}: ${message}\n`);
        },
      });
      if (interruption.signal.aborted) return 130;
      results.push(measured);
      print(scenarioText(measured, {targets}));
      if (measured.error !== undefined) console.error(`${name} was not measured: ${measured.error}`);
    }
  } finally {
    copy.remove();
  }
  print(notice && `\n${notice}`);
  const result: BenchResult = {schemaVersion: 1, size, machine, scenarios: results};
  if (json) console.log(JSON.stringify(result, undefined, 2));
  return exitCodeOf(results);
}
