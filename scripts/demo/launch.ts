/**
 * The process that the user starts. It prepares what needs the machine's network, then starts the demo itself in another process:
 * that one may have a network of its own, where nothing can be downloaded, and outlives this one as long as the mesh is kept.
 */
import {spawn} from 'node:child_process';
import {controlPlanes} from '../../test/e2e/harness/control-planes.js';
import {missingForDataPath} from '../../test/e2e/harness/data-path/requirements.js';
import {ownNetwork} from '../../test/e2e/harness/data-path/own-network.js';
import {HarnessError} from '../../test/e2e/harness/processes.js';
import {requirePrograms} from '../../test/e2e/harness/requirements.js';
import buildOnce from '../../test/helpers/build-once.js';

/** Runs `script` as the demo; its exit code becomes that of this process. */
export async function launch(script: string, args: readonly string[]): Promise<void> {
  try {
    await requirePrograms('kubectl', 'openssl');
    buildOnce();
    await controlPlanes();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    console.error(`demo: ${error.message}`);
    process.exitCode = 1;
    return;
  }
  const network = (await missingForDataPath()).length === 0 ? ownNetwork : [];
  runInBackground([...network, process.execPath, ...process.execArgv, script, ...args]);
}

/** The demo sends a message when the mesh is ready and stays. It ends when this process does before that. */
function runInBackground([command = '', ...args]: readonly string[]): void {
  const streams = [process.stdout, process.stderr].map((stream) => (stream.isTTY ? 'inherit' : 'pipe'));
  const background = spawn(command, args, {
    detached: true,
    stdio: ['ignore', ...streams, 'ipc'] as ('ignore' | 'inherit' | 'pipe' | 'ipc')[],
  });
  background.stdout?.pipe(process.stdout);
  background.stderr?.pipe(process.stderr);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => background.kill(signal));
  background.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
  background.on('message', () => {
    // Its last output may still be in the pipe, whose end cannot be awaited: the background process lives on.
    setTimeout(() => process.exit(0), 500);
  });
}
