import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {describe, expect, it} from 'vitest';

const folder = fileURLToPath(new URL('../../src/commands', import.meta.url));
const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'));

interface CommandModule {
  readonly default: {readonly args?: Readonly<Record<string, {multiple?: boolean; ignoreStdin?: boolean}>>};
}

describe('command arguments', () => {
  it.each(files)('%s reads no argument from standard input', async (file) => {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as CommandModule;
    // oclif reads a missing argument from a pipe, unless it accepts several values.
    const fromPipe = Object.entries(module.default.args ?? {}).filter(
      ([, {multiple, ignoreStdin}]) => multiple !== true && ignoreStdin !== true,
    );
    expect(fromPipe).toEqual([]);
  });
});
