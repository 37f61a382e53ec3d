/** CPU time and peak memory of a Node child process, which reports them itself when it ends: this works on any platform. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import type {Child, Sandbox} from './sandbox.js';

/** The resources that one run used. */
export interface Usage {
  /** Wall clock. Milliseconds. */
  readonly ms: number;
  /** User and system time of all threads. Milliseconds. */
  readonly cpuMs: number;
  /** Peak resident memory. MiB. */
  readonly peakMiB: number;
}

const fileVariable = 'KUBECTL_MESH_BENCH_USAGE';

/** Loaded with `--import`, not through NODE_OPTIONS, which the child's own children would inherit. */
const reporter = `import {writeFileSync} from 'node:fs';
process.on('exit', () => {
  const {userCPUTime, systemCPUTime, maxRSS} = process.resourceUsage();
  writeFileSync(process.env.${fileVariable}, JSON.stringify({micro: userCPUTime + systemCPUTime, kib: maxRSS}));
});
`;

/** Runs `node ARGS` and returns the resources that it used. Throws `BenchError` when it fails. */
export async function runNode(sandbox: Sandbox, child: Omit<Child, 'file'>): Promise<Usage> {
  const directory = sandbox.directory();
  const module = join(directory, 'usage.mjs');
  const file = join(directory, 'usage.json');
  await writeFile(module, reporter);
  const {ms} = await sandbox.run({
    ...child,
    file: process.execPath,
    args: ['--import', pathToFileURL(module).href, ...child.args],
    env: {...(child.env ?? process.env), [fileVariable]: file},
  });
  const {micro, kib} = JSON.parse(await readFile(file, 'utf8')) as {micro: number; kib: number};
  return {ms, cpuMs: micro / 1000, peakMiB: kib / 1024};
}
