/**
 * Many ECDSA cluster CAs, every file synced to disk. Two alternatives: the same files only written and synced, without
 * key generation, signing, a journal or atomic sets of files (the share of the disk); and, for fewer clusters, the openssl
 * calls of Istio's Makefile, which sync nothing.
 */
import {readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {BenchError} from './bench-error.js';
import {interleave} from './interleave.js';
import {makefileSteps} from './makefile-steps.js';
import {runNode} from './node-usage.js';
import {type BenchContext, defineScenario, once, type Report, type Size} from './scenario.js';
import {ratioOfMedians, spread} from './statistics.js';

/** Clusters compared with the disk, and clusters compared with openssl. */
interface ClusterCounts {
  readonly many: number;
  readonly few: number;
}

const names = (count: number): readonly string[] =>
  Array.from({length: count}, (_, index) => `cluster${String(index + 1)}`);

/** Usage: node plain-write.mjs FILES.json AT_A_TIME, in an empty directory. FILES.json: [[path, content], …]. */
const plainWriter = `import {mkdir, open, readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
const [, , list, atATime] = process.argv;
const files = JSON.parse(await readFile(list, 'utf8'));
const next = files.values();
await Promise.all(Array.from({length: Number(atATime)}, async () => {
  for (const [path, content] of next) {
    await mkdir(dirname(path), {recursive: true});
    const file = await open(path, 'w', 0o600);
    await file.writeFile(content);
    await file.sync();
    await file.close();
  }
}));
`;

export const manyClusters = defineScenario({
  name: 'many-clusters',
  sizes: {
    full: {runs: 9, warmUp: true, many: 200, few: 20},
    quick: {...once, many: 4, few: 2},
  },
  title: ({many}) => `certs generate: ${String(many)} clusters, ECDSA P-256, every file synced`,
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size & ClusterCounts): Promise<Report> {
  const {many, few} = size;
  const generate = async (count: number): Promise<{readonly ms: number; readonly cwd: string}> => {
    const cwd = sandbox.directory();
    const words = ['certs', 'generate', ...names(count), '--no-passphrase', '--key-algorithm', 'ecdsa-p256'];
    const {ms} = await runNode(sandbox, {args: [program, ...words], cwd});
    return {ms, cwd};
  };
  const {cwd: model} = await generate(many);
  const files = await contents(model);
  const made = files.filter(([path]) => path.endsWith('ca-key.pem')).length;
  if (made !== many) throw new BenchError(`${String(made)} cluster CAs were made, not ${String(many)}`);
  const directory = sandbox.directory();
  const writer = join(directory, 'plain-write.mjs');
  const list = join(directory, 'files.json');
  await writeFile(writer, plainWriter);
  await writeFile(list, JSON.stringify(files));
  const plain = (atATime: number) => async (): Promise<number> =>
    (await runNode(sandbox, {args: [writer, list, String(atATime)], cwd: sandbox.directory()})).ms;
  const measured = await interleave(
    {
      many: async () => (await generate(many)).ms,
      plain: plain(1),
      together: plain(10),
      few: async () => (await generate(few)).ms,
      openssl: async () => (await sandbox.run(await makefileSteps(sandbox.directory(), names(few), 'ecdsa-p256'))).ms,
    },
    size,
    progress,
  );
  const ours = spread(measured.many);
  const [count, which] = [String(files.length), String(few)];
  return {
    rows: [
      ratioOfMedians(
        `${String(many)} clusters`,
        `its ${count} files written and synced, one by one`,
        ours,
        spread(measured.plain),
      ),
      ratioOfMedians(
        `${String(many)} clusters`,
        `its ${count} files written and synced, ten at a time`,
        ours,
        spread(measured.together),
      ),
      ratioOfMedians(
        `${which} clusters`,
        `the Makefile's openssl calls for ${which}`,
        spread(measured.few),
        spread(measured.openssl),
      ),
    ],
    notes: [
      `${(ours.median / many).toFixed(1)} ms a cluster. The openssl calls sync nothing and leave half-written files when they are killed.`,
    ],
  };
}

/** Every file below a directory: path and content. */
async function contents(directory: string): Promise<readonly (readonly [string, string])[]> {
  const files: (readonly [string, string])[] = [];
  for (const name of (await readdir(directory, {recursive: true})).toSorted()) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) files.push([name, await readFile(path, 'utf8')]);
  }
  return files;
}
