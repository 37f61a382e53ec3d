/** The demo from start to removal, in a process of its own. */
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {controlPlanes} from '../../test/e2e/harness/control-planes.js';
import {hasOwnNetwork} from '../../test/e2e/harness/data-path/own-network.js';
import type {MeshCli} from '../../test/e2e/harness/mesh-cli.js';
import {HarnessError, Sandbox} from '../../test/e2e/harness/processes.js';
import {meshWithHandshakes} from './handshakes.js';
import {meshWithRequests} from './requests.js';
import {announce, seconds} from './terminal.js';

/** The whole demo; returns the exit code. */
export async function demo(keep: boolean): Promise<number> {
  const began = Date.now();
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(new HarnessError('interrupted'));
  };
  for (const event of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(event, interrupt);
  // The process that the user started is gone.
  process.on('disconnect', interrupt);
  const {signal} = interruption;
  const interrupted = once(signal, 'abort').then(() => {
    throw signal.reason as HarnessError;
  });
  interrupted.catch(() => undefined);
  let sandbox: Sandbox | undefined;
  let creating: Promise<MeshCli> | undefined;
  let code = 1;
  try {
    const planes = await controlPlanes();
    sandbox = new Sandbox();
    const withRequests = hasOwnNetwork();
    creating = (withRequests ? meshWithRequests : meshWithHandshakes)(sandbox, planes, signal);
    const cli = await Promise.race([creating, interrupted]);
    announce(`All steps succeeded after ${seconds(began)}.`);
    code = 0;
    if (keep) {
      printUsage(sandbox, cli, withRequests);
      process.off('disconnect', interrupt);
      process.send?.('ready');
      process.disconnect();
      // The streams may be closed by now; the mesh stays until a signal.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
      await interrupted.catch(() => undefined);
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    code = signal.aborted ? 130 : 1;
    console.error(`\ndemo: ${error.message}`);
  } finally {
    if (sandbox !== undefined) {
      announce('Removing everything.');
      // Nothing must start after the removal; pending starts observe the signal soon.
      await Promise.race([creating?.catch(() => undefined), sleep(10_000, undefined, {ref: false})]);
      await sandbox.close();
    }
  }
  return code;
}

function printUsage(sandbox: Sandbox, cli: MeshCli, ownNetwork: boolean): void {
  const file = join(sandbox.dir, 'env');
  const names = ['PATH', 'KUBECONFIG', 'WORK_DIR', 'KUBECTL_MESH_PASSPHRASE'];
  const lines = names.map((name) => `export ${name}='${cli.env[name] ?? ''}'\n`);
  writeFileSync(file, lines.join(''), {mode: 0o600});
  const enter = `\n  nsenter --target ${String(process.pid)} --net    # a shell in the network of the mesh`;
  console.log(`
The mesh keeps running. To use it:
${ownNetwork ? enter : ''}
  source ${file}
  cd "$WORK_DIR" && kubectl mesh verify
  kubectl --context kwok-cluster1 get pods --all-namespaces

To remove it:

  kill ${String(process.pid)}
`);
}
