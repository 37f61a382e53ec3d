/** What the user of the demo sees. */
import {spawn} from 'node:child_process';
import type {MeshCli} from '../../test/e2e/harness/mesh-cli.js';
import {HarnessError} from '../../test/e2e/harness/processes.js';

/** Prints a command line and runs it with its output; a signal interrupts it like Ctrl-C. */
export async function type(cli: MeshCli, signal: AbortSignal, line: string): Promise<void> {
  signal.throwIfAborted();
  console.log(`\n$ ${line}`);
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('bash', ['-o', 'pipefail', '-c', line], {
      cwd: cli.workDir,
      env: {...process.env, ...cli.env},
      stdio: ['ignore', 'inherit', 'inherit'],
      signal,
      killSignal: 'SIGINT',
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new HarnessError(`${line} exited with ${String(code)}`);
}

/** Prints what comes next. */
export function announce(text: string): void {
  console.log(`\n# ${text}`);
}

/** The time since then, as text. */
export function seconds(since: number): string {
  return `${String(Math.round((Date.now() - since) / 1000))} s`;
}

/** Columns of a table, aligned; the first is text, the others are numbers. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
    );
    console.log(`  ${cells.join('  ')}`);
  }
}
