import {execFile, spawn, type ChildProcess} from 'node:child_process';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {buildSync} from 'esbuild';
import {afterAll} from 'vitest';

/** Where the child is bundled to, once for a test file: starting it must not cost a TypeScript compiler each time. */
const folder = mkdtempSync(join(tmpdir(), 'kubectl-mesh-child-'));
const program = join(folder, 'child.mjs');
buildSync({
  entryPoints: [fileURLToPath(new URL('child.ts', import.meta.url))],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
});
afterAll(() => {
  rmSync(folder, {recursive: true, force: true});
});

/** How a child ended. */
export interface ChildEnd {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs test/workspace/child.ts to its end. */
export function runChild(root: string, job: string, argument = ''): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, root, job, argument], (_error, stdout, stderr) => {
      resolve({signal: child.signalCode, code: child.exitCode, stdout, stderr});
    });
  });
}

/** Starts it and resolves when it has printed its first line. */
export async function startChild(root: string, job: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [program, root, job], {stdio: ['ignore', 'pipe', 'inherit']});
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}
