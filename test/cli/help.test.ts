import {fileURLToPath} from 'node:url';
import {Errors} from '@oclif/core';
import {run} from '@oclif/core/run';
import {describe, expect, it, vi} from 'vitest';
import {helpArgv} from '../../src/cli/argv.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs `kubectl mesh` with these arguments; oclif prints help with console.log. */
async function help(...argv: string[]): Promise<{readonly code: number; readonly text: string}> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  let code = 0;
  try {
    await run([...helpArgv(argv)], root);
  } catch (thrown) {
    if (!(thrown instanceof Errors.ExitError)) throw thrown;
    code = thrown.oclif.exit ?? 1;
  }
  const text = log.mock.calls.map((line) => line.join(' ')).join('\n');
  log.mockRestore();
  return {code, text};
}

describe('help', () => {
  it('is printed without arguments, with exit code 0', async () => {
    const page = await help();
    expect(page.code).toBe(0);
    for (const title of ['USAGE', 'TOPICS', 'COMMANDS']) expect(page.text).toContain(title);
    expect(await help('help')).toEqual(page);
  });

  it.each([[['trust']], [['trust', 'push']], [['verify']]])('help %j prints the page of --help', async (words) => {
    const page = await help('help', ...words);
    expect(page.code).toBe(0);
    expect(page.text).toContain(`kubectl mesh ${words.join(' ')}`);
    expect(await help(...words, '--help')).toEqual(page);
  });

  it('of a topic is also printed without --help', async () => {
    expect(await help('trust')).toEqual(await help('help', 'trust'));
  });
});
