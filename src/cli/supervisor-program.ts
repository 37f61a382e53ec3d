import {createRequire} from 'node:module';
import {join} from 'node:path';
import type {Program} from '../tools/programs.js';

/** The first argument that makes bin/run.js the supervisor (src/supervise.ts). Not a command: no help lists it. */
const superviseArgument = '__supervise';

/**
 * The program that supervises a run: this executable again, Node with the package's bin/run.js. Without Node's own
 * options, such as `--inspect`. Undefined if another program runs our code, such as a test.
 *
 * @param root the directory of package.json
 * @param started the file that Node was started with, links resolved; undefined for an ES module
 */
export function supervisorProgram(
  root: string,
  started = createRequire(import.meta.url).main?.filename,
): Program | undefined {
  const executable = join(root, 'bin', 'run.js');
  return started === executable ? {file: process.execPath, args: [executable, superviseArgument]} : undefined;
}
