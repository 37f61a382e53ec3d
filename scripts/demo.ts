/**
 * `npm run demo`: joins two real control planes on this machine into one mesh, step by step, then removes them.
 * `npm run demo -- --keep` leaves them running and prints how to use and stop them.
 *
 * Exits 0 only if all checks passed. Ctrl-C removes everything.
 */
import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {Cluster} from '../test/e2e/harness/cluster.js';
import {controlPlanes, type ControlPlanes} from '../test/e2e/harness/control-planes.js';
import {MeshCli} from '../test/e2e/harness/mesh-cli.js';
import {bothWays} from '../test/e2e/harness/mtls.js';
import {HarnessError, Sandbox} from '../test/e2e/harness/processes.js';
import {requirePrograms} from '../test/e2e/harness/requirements.js';
import {startWorkload} from '../test/e2e/harness/workload.js';
import buildOnce from '../test/helpers/build-once.js';

const usage = `npm run demo             create a mesh of two clusters on this machine, verify it, remove it
npm run demo -- --keep   the same, but leave it running and print how to use it`;

const clusterNames = ['cluster1', 'cluster2'] as const;

const args = process.argv.slice(2);
const unknown = args.find((argument) => argument !== '--keep');
if (unknown === undefined && args.includes('--keep') && process.send === undefined) runInBackground();
else if (unknown === undefined) process.exit(await demo(args.includes('--keep')));
else {
  console.error(usage);
  process.exitCode = ['--help', '-h'].includes(unknown) ? 0 : 2;
}

/**
 * Runs the demo in a separate process that outlives this one: the kubelet is simulated as long as the mesh exists. The
 * process sends a message when the mesh is ready.
 */
function runInBackground(): void {
  const script = fileURLToPath(import.meta.url);
  const streams = [process.stdout, process.stderr].map((stream) => (stream.isTTY ? 'inherit' : 'pipe'));
  const background = spawn(process.execPath, [...process.execArgv, script, '--keep'], {
    detached: true,
    stdio: ['ignore', ...streams, 'ipc'] as ('ignore' | 'inherit' | 'pipe' | 'ipc')[],
  });
  background.stdout?.pipe(process.stdout);
  background.stderr?.pipe(process.stderr);
  process.on('SIGINT', () => background.kill('SIGINT'));
  process.on('SIGTERM', () => background.kill('SIGTERM'));
  background.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
  background.on('message', () => {
    // Its last output may still be in the pipe, whose end cannot be awaited: the background process lives on.
    setTimeout(() => process.exit(0), 500);
  });
}

/** The whole demo; returns the exit code. */
async function demo(keep: boolean): Promise<number> {
  const began = Date.now();
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interruption.abort(new HarnessError('interrupted'));
    });
  }
  const {signal} = interruption;
  const interrupted = once(signal, 'abort').then(() => {
    throw signal.reason as HarnessError;
  });
  interrupted.catch(() => undefined);
  let sandbox: Sandbox | undefined;
  let creating: Promise<MeshCli> | undefined;
  let code = 1;
  try {
    await requirePrograms('kubectl');
    buildOnce();
    const planes = await Promise.race([controlPlanes(), interrupted]);
    sandbox = new Sandbox();
    creating = createMesh(sandbox, planes, signal);
    const cli = await Promise.race([creating, interrupted]);
    announce(`All checks passed after ${seconds(began)}.`);
    code = 0;
    if (keep) {
      printUsage(sandbox, cli);
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

/** Starts the clusters and runs the commands of the quick start. Throws when a command fails. */
async function createMesh(sandbox: Sandbox, planes: ControlPlanes, signal: AbortSignal): Promise<MeshCli> {
  announce(
    'Starting two Kubernetes control planes: real etcd and API servers, on 127.0.0.1 only. Nodes and pods are simulated.',
  );
  const began = Date.now();
  const clusters = await Promise.all(clusterNames.map((name) => Cluster.create(sandbox, planes, {name})));
  const cli = new MeshCli(
    sandbox,
    planes,
    Object.fromEntries(clusters.map((cluster) => [cluster.context, cluster])),
    'you',
  );
  cli.env.KUBECTL_MESH_PASSPHRASE = randomBytes(12).toString('base64url');
  announce(`Running after ${seconds(began)}.`);

  await type(cli, signal, ['init', ...clusters.map(({name, context}) => `${name}=${context}`)]);
  // The API servers listen on 127.0.0.1, and all istiods run on this machine.
  await type(cli, signal, ['up', '--allow-local-address']);
  await type(cli, signal, ['verify']);

  signal.throwIfAborted();
  announce('A workload in each cluster requests a certificate from its istiod, and the two connect with mutual TLS.');
  const workloads = await Promise.all(clusters.map((cluster) => startWorkload(cluster)));
  const [one, two] = await Promise.all(workloads.map((workload) => workload.identity()));
  if (one === undefined || two === undefined) throw new HarnessError('no workload identities');
  for (const [direction, result] of Object.entries(await bothWays(one, two))) {
    const arrow = direction === 'there' ? 'cluster1 → cluster2' : 'cluster2 → cluster1';
    if (!result.ok) throw new HarnessError(`mutual TLS ${arrow}: ${result.reason}`);
    console.log(`  ${arrow}: accepted`);
  }
  await Promise.all(workloads.map((workload) => workload.stop()));
  return cli;
}

/** Prints a command line and runs it with its output; a signal interrupts it like Ctrl-C. */
async function type(cli: MeshCli, signal: AbortSignal, command: readonly string[]): Promise<void> {
  signal.throwIfAborted();
  console.log(`\n$ kubectl mesh ${command.join(' ')}`);
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn('kubectl', ['mesh', ...command], {
      cwd: cli.workDir,
      env: {...process.env, ...cli.env},
      stdio: ['ignore', 'inherit', 'inherit'],
      signal,
      killSignal: 'SIGINT',
    });
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new HarnessError(`kubectl mesh ${command.join(' ')} exited with ${String(code)}`);
}

function printUsage(sandbox: Sandbox, cli: MeshCli): void {
  const file = join(sandbox.dir, 'env');
  const names = ['PATH', 'KUBECONFIG', 'WORK_DIR', 'KUBECTL_MESH_PASSPHRASE'];
  const lines = names.map((name) => `export ${name}='${cli.env[name] ?? ''}'\n`);
  writeFileSync(file, lines.join(''), {mode: 0o600});
  console.log(`
The mesh keeps running. To use it:

  source ${file}
  cd "$WORK_DIR" && kubectl mesh verify
  kubectl --context kwok-cluster1 get pods --all-namespaces

To remove it:

  kill ${String(process.pid)}
`);
}

function announce(text: string): void {
  console.log(`\n# ${text}`);
}

function seconds(since: number): string {
  return `${String(Math.round((Date.now() - since) / 1000))} s`;
}
