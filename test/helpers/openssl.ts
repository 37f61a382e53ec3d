import {execFileSync} from 'node:child_process';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** Runs openssl with arguments as an array; standard input is optional. Throws with openssl's own message. */
export function openssl(args: readonly string[], input?: string | Buffer): string {
  return execFileSync('openssl', args, {
    encoding: 'utf8',
    stdio: 'pipe',
    maxBuffer: 16 * 1024 * 1024,
    ...(input !== undefined && {input}),
  });
}

/** A fresh temporary directory with these files; returns a function that gives a file's path. */
export function temporaryFiles(files: Readonly<Record<string, string | Buffer>>): (name: string) => string {
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-mesh-test-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  return (name) => join(directory, name);
}
