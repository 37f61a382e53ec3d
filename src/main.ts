import {fileURLToPath} from 'node:url';
import {Errors} from '@oclif/core';
import {run} from '@oclif/core/run';
import {flush} from '@oclif/core/flush';
import {helpArgv} from './cli/argv.js';

const root = fileURLToPath(import.meta.url);

/** Runs `kubectl mesh` with these arguments and exits with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exit(await runToExitCode(helpArgv(argv)));
}

async function runToExitCode(argv: readonly string[]): Promise<number> {
  try {
    await run([...argv], root);
    await flush();
    return 0;
  } catch (thrown) {
    if (thrown instanceof Errors.ExitError) return thrown.oclif.exit ?? 1;
    const {showUnknownCommand} = await import('./cli/unknown-command.js');
    return showUnknownCommand(thrown, argv, root);
  }
}
