import {fileURLToPath} from 'node:url';
import {Errors} from '@oclif/core';
import {run} from '@oclif/core/run';
import {flush} from '@oclif/core/flush';

/** Runs `kubectl mesh` with these words and ends the process with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exit(await runToExitCode(argv));
}

async function runToExitCode(argv: readonly string[]): Promise<number> {
  try {
    await run([...argv], fileURLToPath(import.meta.url));
    await flush();
    return 0;
  } catch (thrown) {
    if (thrown instanceof Errors.ExitError) return thrown.oclif.exit ?? 1;
    return showUnknownCommand(thrown, argv);
  }
}

/** An unknown command, or a fault before any command ran. */
async function showUnknownCommand(thrown: unknown, argv: readonly string[]): Promise<number> {
  const {showAndExit} = await import('./cli/base-command.js');
  try {
    return await showAndExit(thrown, argv);
  } catch (exit) {
    return exit instanceof Errors.ExitError ? (exit.oclif.exit ?? 1) : 1;
  }
}
