/**
 * One root and some RSA cluster CAs. The alternative is the least that they can take: generating as many keys and nothing
 * else. The duration of an RSA key generation is random (the search for two primes): a single pair of runs says little.
 */
import {readdir} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {BenchError} from './bench-error.js';
import {interleave} from './interleave.js';
import {makefileSteps} from './makefile-steps.js';
import {runNode, type Usage} from './node-usage.js';
import {type BenchContext, defineScenario, once, type RatioRow, type Report, type Size} from './scenario.js';
import {ratioOfMedians, spread, sum} from './statistics.js';

const target = 1.15;

/** The number of keys and their length. */
interface KeySize {
  readonly clusters: number;
  readonly bits: 2048 | 4096;
}

/** Generates RSA keys as `certs generate` does: all at once, on libuv's threads. */
function keyGeneration(count: number, bits: number): string {
  return `
const {generateKeyPair} = require('node:crypto');
const generate = require('node:util').promisify(generateKeyPair);
Promise.all(Array.from({length: ${String(count)}}, () => generate('rsa', {modulusLength: ${String(bits)}})));`;
}

export const rsaKeys = defineScenario({
  name: 'rsa-keys',
  sizes: {
    full: {runs: 15, warmUp: true, clusters: 4, bits: 4096},
    quick: {...once, clusters: 4, bits: 2048},
  },
  title: ({clusters, bits}) =>
    `certs generate: one root and ${String(clusters)} cluster CAs with RSA keys of ${String(bits)} bits`,
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size & KeySize): Promise<Report> {
  const clusters = Array.from({length: size.clusters}, (_, index) => `cluster${String(index + 1)}`);
  const keyCount = clusters.length + 1;
  const algorithm = `rsa-${String(size.bits)}` as 'rsa-2048' | 'rsa-4096';
  const usages = {unencrypted: [] as Usage[], native: [] as Usage[], ecdsa: [] as Usage[], bare: [] as Usage[]};
  const generate = async (keyAlgorithm: string, more: readonly string[], passphrase?: string): Promise<Usage> => {
    const cwd = sandbox.directory();
    const usage = await runNode(sandbox, {
      args: [program, 'certs', 'generate', ...clusters, '--key-algorithm', keyAlgorithm, ...more],
      cwd,
      env: {...process.env, KUBECTL_MESH_PASSPHRASE: passphrase},
    });
    await requireKeys(cwd, keyCount);
    return usage;
  };
  const keep = async (of: keyof typeof usages, round: number, run: Promise<Usage>): Promise<number> => {
    const usage = await run;
    if (round > 0) usages[of].push(usage);
    return usage.ms;
  };
  const threads = String(Math.max(4, availableParallelism()));
  const nativeKeys = {
    args: ['-e', keyGeneration(keyCount, size.bits)],
    env: {...process.env, UV_THREADPOOL_SIZE: threads},
  };
  const measured = await interleave(
    {
      unencrypted: (round) => keep('unencrypted', round, generate(algorithm, ['--no-passphrase'])),
      native: (round) => keep('native', round, runNode(sandbox, nativeKeys)),
      encrypted: async () => (await generate(algorithm, [], 'a passphrase for the bench')).ms,
      openssl: async () => {
        const directory = sandbox.directory();
        const {ms} = await sandbox.run(await makefileSteps(directory, clusters, algorithm));
        await requireKeys(directory, keyCount);
        return ms;
      },
      ecdsa: (round) => keep('ecdsa', round, generate('ecdsa-p256', ['--no-passphrase'])),
      bare: (round) => keep('bare', round, runNode(sandbox, {args: ['-e', '0']})),
    },
    size,
    progress,
  );
  const native = spread(measured.native);
  const openssl = spread(measured.openssl);
  const keys = `${String(keyCount)} native key generations, all cores`;
  const makefile = "the Makefile's openssl calls";
  const unencrypted = ratioOfMedians('--no-passphrase', keys, spread(measured.unencrypted), native);
  return {
    rows: [
      {...unencrypted, target},
      {...unencrypted, ratio: sum(measured.unencrypted) / sum(measured.native), how: 'totals of all runs'},
      {...byCpuTime(unencrypted, usages), target},
      ratioOfMedians('with a passphrase', keys, spread(measured.encrypted), native),
      ratioOfMedians('--no-passphrase', makefile, spread(measured.unencrypted), openssl),
      ratioOfMedians('with a passphrase', makefile, spread(measured.encrypted), openssl),
      {
        kind: 'figure',
        what: '--no-passphrase with ECDSA P-256 keys: everything but RSA key generation',
        value: spread(measured.ecdsa),
        unit: 'ms',
      },
    ],
    notes: [
      'RSA key generation is a random search: even after a dozen runs the medians of two equal programs may differ by a third. The row "by CPU time" removes the randomness: it compares the wall-clock time for each second of CPU time spent on keys (the CPU time of the run, less that of the same command with ECDSA keys, or of `node -e 0`).',
    ],
  };
}

/** Our wall-clock time for each second of key generation, divided by the native one: independent of chance. */
function byCpuTime(
  row: RatioRow,
  {unencrypted, native, ecdsa, bare}: Readonly<Record<'unencrypted' | 'native' | 'ecdsa' | 'bare', readonly Usage[]>>,
): RatioRow {
  const cpu = (runs: readonly Usage[]): number => sum(runs.map(({cpuMs}) => cpuMs));
  const wall = (runs: readonly Usage[]): number => sum(runs.map(({ms}) => ms));
  const ours = wall(unencrypted) / (cpu(unencrypted) - cpu(ecdsa));
  const alternative = wall(native) / (cpu(native) - cpu(bare));
  return {...row, ratio: ours / alternative, how: 'by CPU time'};
}

/** Throws `BenchError` unless this many keys were created: a contender that did less would look faster. */
async function requireKeys(directory: string, count: number): Promise<void> {
  const names = await readdir(directory, {recursive: true});
  const keys = names.filter((name) => name.endsWith('-key.pem')).length;
  if (keys !== count) throw new BenchError(`${String(keys)} keys were created, not ${String(count)}`);
}
