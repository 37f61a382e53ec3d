/** Programs first on PATH whose starts are counted. */
import {existsSync} from 'node:fs';
import {chmod, readFile, writeFile} from 'node:fs/promises';
import {delimiter, join} from 'node:path';
import {BenchError} from './bench-error.js';
import type {Sandbox} from './sandbox.js';

/** Counted programs. */
export interface CountedPrograms {
  /** Their directory: the first entry of PATH. */
  readonly directory: string;
  /** Runs something and returns how often it started one of them. */
  readonly during: (run: () => Promise<unknown>) => Promise<number>;
}

/** Writes, for each name, a shell script that records its start and becomes the program. It takes about a millisecond. */
export async function countedPrograms(
  sandbox: Sandbox,
  programs: Readonly<Record<string, string>>,
): Promise<CountedPrograms> {
  const directory = sandbox.directory();
  const log = join(sandbox.directory(), 'started');
  await writeFile(log, '');
  for (const [name, program] of Object.entries(programs)) {
    const script = join(directory, name);
    await writeFile(script, `#!/bin/sh\necho ${name} >>'${log}'\nexec '${program}' "$@"\n`);
    await chmod(script, 0o755);
  }
  const started = async (): Promise<number> => (await readFile(log, 'utf8')).split('\n').length - 1;
  return {
    directory,
    async during(run) {
      const before = await started();
      await run();
      return (await started()) - before;
    },
  };
}

/** The first program of this name on PATH. Throws `BenchError` when there is none. */
export function programOnPath(name: string): string {
  const found = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new BenchError(`${name} is not on PATH`);
  return found;
}
