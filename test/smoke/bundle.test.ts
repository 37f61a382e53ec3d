import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {root} from './program.js';

interface Meta {
  readonly inputs: Readonly<Record<string, {readonly imports: readonly unknown[]}>>;
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly entryPoint?: string;
        readonly inputs: Readonly<Record<string, unknown>>;
        readonly imports: readonly {readonly path: string; readonly kind: string}[];
      }
    >
  >;
}

const meta = JSON.parse(readFileSync(join(root, 'dist/meta.json'), 'utf8')) as Meta;

/** Source files that this entry point loads through static imports. */
function loadedWith(entryPoint: string): readonly string[] {
  const start = Object.entries(meta.outputs).find(([, output]) => output.entryPoint === entryPoint)?.[0];
  if (start === undefined) throw new Error(`${entryPoint} is not in the bundle`);
  const seen = new Set([start]);
  for (const file of seen) {
    for (const {path, kind} of meta.outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && path in meta.outputs) seen.add(path);
    }
  }
  return [...seen].flatMap((file) => Object.keys(meta.outputs[file]?.inputs ?? {}));
}

describe('start-up', () => {
  it.each(['execa', 'listr2', 'node-forge', 'yaml', 'zod', '@inquirer/password'])('does not load %s', (library) => {
    expect(loadedWith('src/main.ts').filter((file) => file.includes(`node_modules/${library}/`))).toEqual([]);
  });

  it('loads oclif, which shows that the test above reads the right file', () => {
    expect(loadedWith('src/main.ts').some((file) => file.includes('node_modules/@oclif/core/'))).toBe(true);
  });
});
