/**
 * One root and four RSA-4096 cluster CAs. The alternative is the least that it could take: five key generations and
 * nothing else. How long an RSA key takes is luck (the search for two primes): a single pair of runs says little.
 */
import {readdir} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {BenchError} from './bench-error.js';
import {interleave} from './interleave.js';
import {makefileSteps} from './makefile-steps.js';
import {runNode, type Usage} from './node-usage.js';
import type {BenchContext, Report, RatioRow, Scenario} from './scenario.js';
import {ratioOfMedians, spread, sum} from './statistics.js';

const target = 1.15;
const clusters = ['cluster1', 'cluster2', 'cluster3', 'cluster4'];

/** As `certs generate` makes its keys: asynchronously, all at once, on libuv's threads; one for each core at least. */
const nativeKeys = `
const {generateKeyPair} = require('node:crypto');
const generate = require('node:util').promisify(generateKeyPair);
Promise.all(Array.from({length: ${String(clusters.length + 1)}}, () => generate('rsa', {modulusLength: 4096})));`;

export const rsaKeys: Scenario = {
  name: 'rsa-keys',
  title: 'certs generate: one root and four cluster CAs, RSA 4096',
  measure,
};

async function measure({program, runs, sandbox, say}: BenchContext): Promise<Report> {
  const usages = {clear: [] as Usage[], native: [] as Usage[], fixed: [] as Usage[], bare: [] as Usage[]};
  const generate = async (more: readonly string[], passphrase?: string): Promise<Usage> => {
    const cwd = sandbox.directory();
    const usage = await runNode(sandbox, {
      args: [program, 'certs', 'generate', ...clusters, ...more],
      cwd,
      env: {...process.env, KUBECTL_MESH_PASSPHRASE: passphrase},
    });
    await requireKeys(cwd);
    return usage;
  };
  const keep = async (of: keyof typeof usages, round: number, run: Promise<Usage>): Promise<number> => {
    const usage = await run;
    if (round > 0) usages[of].push(usage);
    return usage.ms;
  };
  const threads = String(Math.max(4, availableParallelism()));
  const found = await interleave(
    {
      clear: (round) => keep('clear', round, generate(['--no-passphrase'])),
      native: (round) =>
        keep(
          'native',
          round,
          runNode(sandbox, {args: ['-e', nativeKeys], env: {...process.env, UV_THREADPOOL_SIZE: threads}}),
        ),
      encrypted: async () => (await generate([], 'a passphrase for the bench')).ms,
      openssl: async () => {
        const directory = sandbox.directory();
        const {ms} = await sandbox.run(await makefileSteps(directory, clusters, 'rsa-4096'));
        await requireKeys(directory);
        return ms;
      },
      fixed: (round) => keep('fixed', round, generate(['--no-passphrase', '--key-algorithm', 'ecdsa-p256'])),
      bare: (round) => keep('bare', round, runNode(sandbox, {args: ['-e', '0']})),
    },
    runs(15),
    {onRound: (round) => say(`round ${String(round)}`)},
  );
  const native = spread(found.native);
  const openssl = spread(found.openssl);
  const keys = 'five native key generations, all cores';
  const makefile = "the Makefile's openssl calls";
  const clear = ratioOfMedians('--no-passphrase', keys, spread(found.clear), native);
  return {
    rows: [
      {...clear, target},
      {...clear, ratio: sum(found.clear) / sum(found.native), how: 'totals of all runs'},
      {...withoutLuck(clear, usages), target},
      ratioOfMedians('with a passphrase', keys, spread(found.encrypted), native),
      ratioOfMedians('--no-passphrase', makefile, spread(found.clear), openssl),
      ratioOfMedians('with a passphrase', makefile, spread(found.encrypted), openssl),
      {kind: 'figure', what: 'the same with ECDSA P-256: all but RSA', value: spread(found.fixed), unit: 'ms'},
    ],
    notes: [
      'RSA key generation is a search: after a dozen runs the medians of two equal programs may still differ by a third. The row "by CPU time" takes the luck out: wall clock for each second of CPU time spent on keys (CPU time of the run, less that of the same command with ECDSA keys, or of `node -e 0`).',
    ],
  };
}

/** Wall clock per second of key generation, ours through native: what is left when both had the same luck. */
function withoutLuck(
  row: RatioRow,
  {clear, native, fixed, bare}: Readonly<Record<'clear' | 'native' | 'fixed' | 'bare', readonly Usage[]>>,
): RatioRow {
  const cpu = (runs: readonly Usage[]): number => sum(runs.map(({cpuMs}) => cpuMs));
  const wall = (runs: readonly Usage[]): number => sum(runs.map(({ms}) => ms));
  const ours = wall(clear) / (cpu(clear) - cpu(fixed));
  const alternative = wall(native) / (cpu(native) - cpu(bare));
  return {...row, ratio: ours / alternative, how: 'by CPU time'};
}

/** A contender that did less would look faster. */
async function requireKeys(directory: string): Promise<void> {
  const names = await readdir(directory, {recursive: true});
  const keys = names.filter((name) => name.endsWith('-key.pem')).length;
  if (keys !== clusters.length + 1)
    throw new BenchError(`${String(keys)} keys were made, not ${String(clusters.length + 1)}`);
}
