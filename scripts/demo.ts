/**
 * `npm run demo`: two real control planes on this machine become one mesh, in view, and are taken away again.
 * `npm run demo -- --keep` leaves them running and says how to use and how to stop them.
 *
 * Exits 0 only if everything was green. Ctrl-C takes everything away.
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

const usage = `npm run demo             make a mesh of two clusters on this machine, prove it, take it away
npm run demo -- --keep   the same, but leave it running and say how to use it`;

const clusterNames = ['cluster1', 'cluster2'] as const;

const args = process.argv.slice(2);
const unknown = args.find((argument) => argument !== '--keep');
if (unknown === undefined && args.includes('--keep') && process.send === undefined) keepInBackground();
else if (unknown === undefined) process.exit(await demo(args.includes('--keep')));
else {
  console.error(usage);
  process.exitCode = ['--help', '-h'].includes(unknown) ? 0 : 2;
}

/**
 * Runs the demo in a separate process that outlives this one: it acts as the kubelet as long as
 * the mesh is there. It tells us when the mesh is ready.
 */
function keepInBackground(): void {
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
    // Its last output may still be in the pipe, which never closes: the background process keeps running.
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
  let making: Promise<MeshCli> | undefined;
  let code = 1;
  try {
    await requirePrograms('kubectl');
    buildOnce();
    const planes = await Promise.race([controlPlanes(), interrupted]);
    sandbox = new Sandbox();
    making = makeMesh(sandbox, planes, signal);
    const cli = await Promise.race([making, interrupted]);
    say(`Green after ${seconds(began)}.`);
    code = 0;
    if (keep) {
      tellHowToUse(sandbox, cli);
      process.send?.('ready');
      process.disconnect();
      // Nobody may be listening any more; the mesh stays until a signal.
      for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
      await interrupted.catch(() => undefined);
    }
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    code = signal.aborted ? 130 : 1;
    console.error(`\ndemo: ${error.message}`);
  } finally {
    if (sandbox !== undefined) {
      say('Taking everything away.');
      // What is being started must not start after the end; it notices the signal soon.
      await Promise.race([making?.catch(() => undefined), sleep(10_000, undefined, {ref: false})]);
      await sandbox.close();
    }
  }
  return code;
}

/** Starts the clusters and runs the commands that a person would type. Throws when anything is not green. */
async function makeMesh(sandbox: Sandbox, planes: ControlPlanes, signal: AbortSignal): Promise<MeshCli> {
  say(
    'Starting two Kubernetes control planes: real etcd and API servers, on 127.0.0.1 only. Nodes and pods are played.',
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
  say(`They run, after ${seconds(began)}.`);

  await type(cli, signal, ['init', ...clusters.map(({name, context}) => `${name}=${context}`)]);
  await type(cli, signal, ['up']);
  await type(cli, signal, ['verify']);

  signal.throwIfAborted();
  say('A workload of each cluster asks its istiod for a certificate, and they shake hands by mutual TLS.');
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

/** Shows a command line and runs it, its output as it comes; a signal ends it as Ctrl-C would. */
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
  if (code !== 0) throw new HarnessError(`kubectl mesh ${command.join(' ')} ended with ${String(code)}`);
}

function tellHowToUse(sandbox: Sandbox, cli: MeshCli): void {
  const file = join(sandbox.dir, 'env');
  const names = ['PATH', 'KUBECONFIG', 'WORK_DIR', 'KUBECTL_MESH_PASSPHRASE'];
  const lines = names.map((name) => `export ${name}='${cli.env[name] ?? ''}'\n`);
  writeFileSync(file, lines.join(''), {mode: 0o600});
  console.log(`
The mesh stays. To use it:

  source ${file}
  cd "$WORK_DIR" && kubectl mesh verify
  kubectl --context kwok-cluster1 get pods --all-namespaces

To take it away:

  kill ${String(process.pid)}
`);
}

function say(text: string): void {
  console.log(`\n# ${text}`);
}

function seconds(since: number): string {
  return `${String(Math.round((Date.now() - since) / 1000))} s`;
}
