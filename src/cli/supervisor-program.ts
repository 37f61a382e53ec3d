import {createRequire} from 'node:module';
import {join} from 'node:path';
import {isSea} from 'node:sea';
import type {Program} from '../tools/programs.js';

/** The first argument that makes bin/run.js the supervisor (src/supervise.ts). Not a command: no help lists it. */
const superviseArgument = '__supervise';

/**
 * The program that supervises a run: this executable again, either a single binary (nodejs.org, Single executable
 * applications) or Node with the package's bin/run.js. Undefined if another program runs our code, such as a test.
 *
 * @param root the directory of package.json
 * @param started how this process was started; the file is undefined for an ES module
 */
export function supervisorProgram(
  root: string,
  started = {isSingleBinary: isSea(), file: createRequire(import.meta.url).main?.filename},
): Program | undefined {
  if (started.isSingleBinary) return {file: process.execPath, args: [superviseArgument]};
  const executable = join(root, 'bin', 'run.js');
  if (started.file !== executable) return undefined;
  return {file: process.execPath, args: [executable, superviseArgument]};
}
