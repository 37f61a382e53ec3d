/**
 * No process of a run outlives it, however it ends: no kubectl, no credential plugin below kubectl, no other program, no
 * supervisor; nor does a directory with sockets.
 */
import type {ChildProcess} from 'node:child_process';
import {readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {sendSignal} from '../../src/tools/end-tree.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {runInTerminal} from '../helpers/pseudo-terminal.js';
import {clusterNames, emptyBox, meshBox, snapshot, type Box} from './harness/box.js';
import {Descendants} from './harness/descendants.js';
import {expectExit, program, type Run, type RunOptions} from './harness/run.js';

let box: Box;
let kube: FakeKube;
let followed: Descendants | undefined;

beforeEach(async () => {
  kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
  box = await meshBox([kube.bin]);
});

afterEach(async () => {
  followed?.dispose();
  followed = undefined;
  await kube.stop();
  await box.dispose();
});

const supervisor = /run\.js __supervise$/;
/** The innermost process of a fake credential plugin. */
const plugin = /^sleep 300$/;

/** Every kubectl that contacts a cluster has a child as a credential plugin would be, which has a child itself. */
async function addPlugins(setup = ''): Promise<void> {
  const plugin = `( ${setup} sleep 300; exit 0 ) </dev/null >/dev/null 2>&1 &`;
  const lines = [`case " $* " in *" config view "*) ;; *) ${plugin} ;; esac`, `exec ${join(kube.bin, 'kubectl')} "$@"`];
  await box.tool('kubectl', lines.join('\n'));
}

/** No API server answers. */
function silence(): void {
  for (const name of clusterNames) kube.cluster(`ctx-${name}`).fault({}, 'hang', 999);
}

interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly processes: Descendants;
  readonly ended: Promise<Run>;
}

/** Starts a run, and follows its processes. */
async function start(args: readonly string[], options: Partial<RunOptions> = {}): Promise<Started> {
  let ended: Promise<Run> | undefined;
  const child = await new Promise<ChildProcess>((resolve, reject) => {
    ended = box.run(args, {onStart: resolve, ...options});
    ended.catch(reject);
  });
  const {pid} = child;
  if (pid === undefined || ended === undefined) throw new Error('the run was not started');
  const processes = new Descendants(pid);
  followed = processes;
  return {child, pid, processes, ended};
}

/** A verify in which every kubectl runs with its plugin, and waits for the API server. */
async function startVerify(options: Partial<RunOptions> = {}): Promise<Started> {
  silence();
  const started = await start(['verify', '--request-timeout', '10m'], options);
  await started.processes.waitFor(plugin, clusterNames.length);
  await started.processes.waitFor(supervisor);
  // Until then a kubectl may die of SIGPIPE when the run dies, before the supervisor has found its plugin.
  const isWaiting = (name: string): boolean => kube.cluster(`ctx-${name}`).requests.length > 0;
  await vi.waitFor(() => expect(clusterNames.every(isWaiting)).toBe(true), 60_000);
  return started;
}

/** Orphans would hold our pipes. */
const withoutPipes = {stdio: 'ignore'} as const;

describe('a run of verify that dies', () => {
  it.each(['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)('of %s leaves no process and no socket', async (signal) => {
    await addPlugins();
    const {child, processes, ended} = await startVerify(withoutPipes);
    child.kill(signal);
    expect((await ended).signal).toBe(signal);
    await processes.waitUntilGone();
    expect(await snapshot(box.tmp)).toEqual({});
  });

  it('of a native abort of Node leaves no process and no socket', async () => {
    await addPlugins();
    await box.put('../abort.cjs', `process.on('SIGUSR2', () => process.abort());`);
    const env = {...box.env, NODE_OPTIONS: `--require=${join(box.dir, 'abort.cjs')}`};
    const {child, processes, ended} = await startVerify({...withoutPipes, env});
    child.kill('SIGUSR2');
    expect((await ended).signal).toBe('SIGABRT');
    await processes.waitUntilGone();
    expect(await snapshot(box.tmp)).toEqual({});
  });

  it('of SIGKILL while it is stopped leaves no process; until then none is ended', async () => {
    await addPlugins();
    const {child, processes, ended} = await startVerify(withoutPipes);
    child.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(processes.running().filter((line) => line.endsWith('sleep 300'))).toHaveLength(clusterNames.length);
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
  });

  it('of SIGKILL leaves no plugin that ignores signals', async () => {
    await addPlugins(`trap '' TERM INT HUP;`);
    const {child, processes, ended} = await startVerify(withoutPipes);
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
  });

  it('of SIGKILL after SIGTERM to all its processes, as from a service manager, leaves no process and no socket', async () => {
    await addPlugins();
    const {child, processes, ended} = await startVerify(withoutPipes);
    child.kill('SIGSTOP');
    for (const {pid} of processes.collect()) sendSignal(pid, 'SIGTERM');
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
    expect(await snapshot(box.tmp)).toEqual({});
  });
});

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s', (signal) => {
  it('ends verify with 130; no process and no socket is left when it exits', async () => {
    await addPlugins();
    const {child, processes, ended} = await startVerify();
    child.kill(signal);
    expectExit(await ended, 130, signal);
    expect(processes.running()).toEqual([]);
    expect(await snapshot(box.tmp)).toEqual({});
  });

  it('twice ends it at once; no plugin is left, although it ignores signals', async () => {
    await addPlugins(`trap '' TERM INT HUP;`);
    const {child, processes, ended} = await startVerify(withoutPipes);
    child.kill(signal);
    // The run waits for its plugins now: kubectl has exited.
    await vi.waitFor(() => expect(processes.running().filter((line) => line.includes(' proxy '))).toEqual([]), 10_000);
    child.kill(signal);
    expect((await ended).code).toBe(130);
    await processes.waitUntilGone();
  });
});

describe('a run of verify that ends by itself', () => {
  it('leaves no process, and no supervisor either', async () => {
    await addPlugins();
    const {processes, ended} = await start(['verify']);
    const run = await ended;
    expect(run.signal).toBeNull();
    expect(processes.running()).toEqual([]);
    expect(processes.collect().some(({commandLine}) => commandLine.endsWith('run.js __supervise'))).toBe(true);
    expect(await snapshot(box.tmp)).toEqual({});
  });

  it.each([
    ['standard output is closed', (child: ChildProcess) => child.stdout?.destroy()],
    [
      'both outputs are closed',
      (child: ChildProcess) => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      },
    ],
  ])('leaves no process if %s', async (_what, close) => {
    await addPlugins();
    const {child, processes, ended} = await start(['verify']);
    close(child);
    await ended;
    expect(processes.running()).toEqual([]);
    expect(await snapshot(box.tmp)).toEqual({});
  });

  it('leaves no process at its timeout', async () => {
    await addPlugins();
    silence();
    const {processes, ended} = await start(['verify', '--timeout', '3s']);
    expectExit(await ended, 124, 'timeout');
    expect(processes.running()).toEqual([]);
  });

  it('does not need its supervisor', async () => {
    await addPlugins();
    const {processes, ended} = await start(['trust', 'push']);
    for (const {pid} of await processes.waitFor(supervisor)) process.kill(pid, 'SIGKILL');
    expectExit(await ended, 0, 'trust push');
    expect(processes.running()).toEqual([]);
  });
});

describe('other programs of a run that dies of SIGKILL', () => {
  it('are ended: a passphrase command, with its children', async () => {
    const empty = await emptyBox();
    const command = 'sleep 300 & wait';
    const args = ['certs', 'generate', 'cluster1', '--key-algorithm', 'ecdsa-p256', '--passphrase-command', command];
    const {child, processes, ended} = await start(args, {cwd: empty.work, ...withoutPipes});
    await processes.waitFor(plugin);
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
    await empty.dispose();
  });

  /** Prepares an `install apply` whose istioctl has a child and does not end. */
  async function prepareInstall(): Promise<void> {
    await box.tool(
      'istioctl',
      `case $1 in version) echo '{"clientVersion":{"version":"1.31.0"}}' ;; *) sleep 300; exit 0 ;; esac`,
    );
    expectExit(await box.run(['trust', 'push', 'cluster1']), 0, 'trust push');
  }

  it('are ended: istioctl while it installs, with its children', async () => {
    await prepareInstall();
    const {child, processes, ended} = await start(['install', 'apply', 'cluster1', '--yes'], withoutPipes);
    await processes.waitFor(plugin);
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
  });

  it('are ended: istioctl whose process ID the run had no time to report, with its children', async () => {
    await prepareInstall();
    // The run blocks for ever after it has started istioctl, before any other code learns of it.
    const hang = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
    await box.put(
      '../hang.cjs',
      `const {prototype} = require('node:child_process').ChildProcess;
const {spawn} = prototype;
prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  if (options.args.includes('install')) ${hang};
  return result;
};`,
    );
    const env = {...box.env, NODE_OPTIONS: `--require=${join(box.dir, 'hang.cjs')}`};
    const {child, processes, ended} = await start(['install', 'apply', 'cluster1', '--yes'], {...withoutPipes, env});
    await processes.waitFor(plugin);
    child.kill('SIGKILL');
    await ended;
    await processes.waitUntilGone();
  });
});

describe('the real kubectl with a credential plugin that never answers', () => {
  const env = async (interactiveMode: string): Promise<Readonly<Record<string, string>>> => {
    await box.put('../plugin', '#!/bin/sh\necho "password: " >&2\nsleep 300\n', 0o755);
    const exec = {apiVersion: 'client.authentication.k8s.io/v1', command: join(box.dir, 'plugin'), interactiveMode};
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{name: 'c', cluster: {server: 'https://127.0.0.1:1'}}],
      users: [{name: 'u', user: {exec}}],
      contexts: clusterNames.map((name) => ({name: `ctx-${name}`, context: {cluster: 'c', user: 'u'}})),
    };
    await box.put('../kubeconfig', JSON.stringify(config));
    const path = `${box.bin}:${process.env.PATH ?? ''}`;
    return {...box.env, PATH: path, KUBECONFIG: join(box.dir, 'kubeconfig')};
  };
  const args = ['verify', '--request-timeout', '10m'];

  it.each(['SIGKILL', 'SIGTERM'] as const)('leaves neither after %s', async (signal) => {
    const {child, processes, ended} = await start(args, {...withoutPipes, env: await env('Never')});
    await processes.waitFor(plugin, clusterNames.length);
    child.kill(signal);
    await ended;
    await processes.waitUntilGone();
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'leaves neither after %s to all processes of the run, as from a terminal or a service manager',
    async (signal) => {
      const {processes, ended} = await start(args, {...withoutPipes, env: await env('Never')});
      await processes.waitFor(plugin, clusterNames.length);
      for (const {pid} of processes.collect()) sendSignal(pid, signal);
      expect((await ended).code).toBe(130);
      expect(processes.running()).toEqual([]);
    },
  );

  it('leaves neither after --request-timeout', async () => {
    const words = ['verify', 'cluster1', '--request-timeout', '2s'];
    const {processes, ended} = await start(words, {env: await env('Never')});
    expectExit(await ended, 4, 'request timeout');
    expect(processes.collect().some(({commandLine}) => plugin.test(commandLine))).toBe(true);
    expect(processes.running()).toEqual([]);
  });

  it('leaves neither after SIGKILL while the plugin prompts on a terminal', async () => {
    const below = new Descendants(process.pid);
    followed = below;
    await runInTerminal(
      `"${process.execPath}" "${program}" ${args.join(' ')}`,
      [
        {
          when: /password: /,
          before: async () => {
            await below.waitFor(plugin);
            const [run] = below
              .collect()
              .filter(({commandLine}) => commandLine.includes('run.js verify') && commandLine.includes('node'));
            process.kill(run!.pid, 'SIGKILL');
          },
          type: '',
        },
      ],
      {cwd: box.work, env: await env('Always')},
    );
    const left = (): readonly string[] =>
      below.running().filter((line) => line.includes('run.js verify') || /sleep 300|kubectl|__supervise/.test(line));
    await vi.waitFor(() => expect(left()).toEqual([]), 30_000);
  });
});

describe('the supervisor', () => {
  it('has neither secrets nor streams of the run, and belongs to no terminal', async () => {
    await addPlugins();
    const env = {...box.env, VAULT_TOKEN: 'vault-1', AWS_SECRET_ACCESS_KEY: 'aws-1'};
    const {processes, ended, child} = await startVerify({...withoutPipes, env});
    const [{pid} = {pid: 0}] = await processes.waitFor(supervisor);
    const folder = `/proc/${String(pid)}`;
    expect(readFileSync(`${folder}/cmdline`, 'utf8').split('\0')).toEqual([
      process.execPath,
      program,
      '__supervise',
      '',
    ]);
    expect(readFileSync(`${folder}/environ`, 'utf8').split('\0').filter(Boolean)).toEqual([]);
    expect([1, 2].map((fd) => readlinkSync(`${folder}/fd/${String(fd)}`))).toEqual(['/dev/null', '/dev/null']);
    expect(readlinkSync(`${folder}/cwd`)).toBe('/');
    const session = readFileSync(`${folder}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(session).toBe(String(pid));
    child.kill('SIGTERM');
    await ended;
  });

  it('is not started by a run that needs none', async () => {
    const {processes, ended} = await start(['certs', 'list']);
    expectExit(await ended, 0, 'certs list');
    expect(processes.collect().filter(({commandLine}) => commandLine.endsWith('run.js __supervise'))).toEqual([]);
  });

  it('exits at once without a run', async () => {
    const run = await box.run(['__supervise'], {input: ''});
    expect([run.code, run.stdout, run.stderr]).toEqual([0, '', '']);
  });

  it('is no command: no help and no manifest lists it', async () => {
    const help = await box.run(['--help']);
    expect(help.stdout).not.toContain('supervise');
    expect(readFileSync(join(program, '../../oclif.manifest.json'), 'utf8')).not.toContain('supervise');
  });
});
