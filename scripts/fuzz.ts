/**
 * `npm run fuzz`: changes valid sets of CA files in many ways and compares our verdict with those of istiod's own loader,
 * the Istio agent, BoringSSL and openssl. `-- --seed S --count N` selects the cases; `-- --case I --output DIR` writes one.
 *
 * Exits 1 if something that is valid here is rejected elsewhere, or ends our process.
 */
import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {cpus, tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import pMap from 'p-map';
import {HarnessError} from '../test/e2e/harness/processes.js';
import {type Case, caseOf} from './fuzz/cases.js';
import {Judges} from './fuzz/judges.js';
import {opensslVerdict} from './fuzz/openssl.js';
import {fails, reportText, type Row, rowsOf, type Summary} from './fuzz/report.js';
import {disagreements, type Judged} from './fuzz/verdict.js';

const usage = `npm run fuzz -- --seed S --count N         compare the verdicts on N cases (default: seed 1, 3000 cases)
npm run fuzz -- --seed S --only PREFIX,...  only variants that start with one of these prefixes
npm run fuzz -- --seed S --no-proxies       without BoringSSL
npm run fuzz -- --seed S --case I           compare the verdicts on one case and print them
npm run fuzz -- --seed S --case I --output DIR  write the files of one case to a directory`;

interface Options {
  readonly seed: string;
  readonly count: number;
  readonly only: readonly string[];
  readonly proxies: boolean;
  readonly index: number | undefined;
  readonly output: string | undefined;
}

const options = readOptions();
process.exitCode = options === undefined ? 2 : await fuzz(options);

/** Reads the command line. Prints an error and returns undefined when it is invalid. */
function readOptions(): Options | undefined {
  try {
    const {values} = parseArgs({
      options: {
        seed: {type: 'string', default: '1'},
        count: {type: 'string', default: '3000'},
        only: {type: 'string', default: ''},
        'no-proxies': {type: 'boolean', default: false},
        case: {type: 'string'},
        output: {type: 'string'},
      },
    });
    const [count, index] = [wholeNumber('count', values.count), values.case && wholeNumber('case', values.case)];
    if (values.output !== undefined && typeof index !== 'number') throw new TypeError('--output requires --case');
    return {
      seed: values.seed,
      count,
      only: values.only.split(',').filter((prefix) => prefix !== ''),
      proxies: !values['no-proxies'],
      index: typeof index === 'number' ? index : undefined,
      output: values.output,
    };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return undefined;
  }
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`invalid --${name} "${text}": must be a whole number`);
  return Number(text);
}

/** Runs what the options select. Returns the exit code. */
async function fuzz({seed, count, only, proxies, index, output}: Options): Promise<number> {
  if (index !== undefined && output !== undefined) {
    const one = caseOf(seed, index, only);
    await write(one, output);
    console.log(`${output}: ${describe(one)}`);
    return 0;
  }
  const work = await mkdtemp(join(tmpdir(), 'kubectl-mesh-fuzz-'));
  const judges = await Judges.start({proxies}).catch((error: unknown) => {
    if (!(error instanceof HarnessError)) throw error;
    console.error(`error: ${error.message}`);
    return undefined;
  });
  try {
    if (judges === undefined) return 1;
    const judge = async (number: number): Promise<Judged> => {
      const one = caseOf(seed, number, only);
      const dir = join(work, String(number));
      await write(one, dir);
      const judged = await judges.judge(one, dir);
      await rm(dir, {recursive: true});
      return judged;
    };
    if (index !== undefined) {
      const judged = await judge(index);
      console.log(JSON.stringify(judged, (key, value: unknown) => (key === 'workload' ? undefined : value), 2));
      return fails(summaryOf([judged])) ? 1 : 0;
    }
    const numbers = Array.from({length: count}, (_, number) => number);
    const all = await pMap(numbers, judge, {concurrency: cpus().length * 8});
    const summary = summaryOf(all);
    const rows = await pMap(summary.rows, async (row) => withOpenssl(row, caseOf(seed, row.example, only), work), {
      concurrency: cpus().length,
    });
    console.log(`seed ${seed}\n\n${reportText({...summary, rows})}`);
    return fails(summary) ? 1 : 0;
  } finally {
    judges?.close();
    await rm(work, {recursive: true, force: true});
  }
}

function summaryOf(all: readonly Judged[]): Summary {
  return {
    cases: all.length,
    variants: new Set(all.map(({subject}) => subject.variant)).size,
    rows: rowsOf(all.flatMap(disagreements)),
  };
}

async function withOpenssl(row: Row, one: Case, work: string): Promise<Row> {
  const dir = join(work, `example-${row.direction}-${String(row.example)}`);
  await write(one, dir);
  return {...row, openssl: await opensslVerdict(dir)};
}

async function write({files}: Case, dir: string): Promise<void> {
  await mkdir(dir, {recursive: true, mode: 0o700});
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes, {mode: 0o600});
}

function describe({index, variant, place, base}: Case): string {
  return `case ${String(index)}: ${variant} of ${place} in ${base}`;
}
