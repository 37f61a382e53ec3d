/** `verify --wait` on a real control plane: what it follows, and what it leaves behind when it is stopped. */
import type {ChildProcess} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, type MeshCli, type Verdict} from './harness/mesh-cli.js';
import {eventually, output, type Ran} from './harness/processes.js';

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;

beforeAll(async () => {
  // Its context is in the arguments of every kubectl, and nobody else's is the same.
  setting = await startSetting({name: `w${String(process.pid)}`});
  ({cli} = setting);
  cluster = at(setting.clusters, 0);
  await cli.must('init', `waited=${cluster.context}`);
  await cli.must('up', '--key-algorithm', 'ecdsa-p256');
});
afterAll(() => setting.sandbox.close());

/** A wait that is under way. */
interface Waiting {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
}

/** Starts to wait, and goes on when it has had the time to look. */
async function startWaiting(...args: string[]): Promise<Waiting> {
  const waiting = await new Promise<Waiting>((resolve, reject) => {
    const ended = cli.run(['verify', '--wait', '--timeout', '3m', ...args, '-o', 'json'], {
      onStart: (child) => {
        resolve({child, ended});
      },
    });
    ended.catch(reject);
  });
  await sleep(4000);
  expect(waiting.child.exitCode).toBeNull();
  return waiting;
}

/** kubectl processes that this user's program has started. */
async function kubectls(): Promise<readonly string[]> {
  const all = (await output('ps', ['-eo', 'args='])).split('\n');
  return all.filter((line) => line.startsWith('kubectl ') && line.includes(`--context=${cluster.context}`));
}

async function scale(replicas: number): Promise<void> {
  await cluster.kubectl('-n', 'istio-system', 'scale', 'deployment/istiod', `--replicas=${String(replicas)}`);
}

/** Takes istiod away, so that there is something to wait for. */
async function makeRed(): Promise<void> {
  await scale(0);
  await eventually('no istiod', async () => {
    const pods = await cluster.kubectl('-n', 'istio-system', 'get', 'pods', '-l', 'app=istiod', '-o', 'name');
    return pods === '' ? true : undefined;
  });
  expect((await cli.verify()).verdict).toBe('error');
}

async function expectGreen({ended}: Waiting): Promise<void> {
  const {code, stdout} = await ended;
  const verdict = JSON.parse(stdout) as Verdict;
  expect([code, verdict.verdict, findings(verdict)]).toEqual([0, 'ok', []]);
  expect(await kubectls()).toEqual([]);
}

describe('waiting', () => {
  it('first fails, and passes after istiod is scaled up', async () => {
    await makeRed();
    const waiting = await startWaiting();
    await scale(1);
    await expectGreen(waiting);
  });

  it('ends at Ctrl-C with 130, and leaves no kubectl', async () => {
    await makeRed();
    const waiting = await startWaiting();
    expect(await kubectls()).toHaveLength(1);
    waiting.child.kill('SIGINT');
    const {code, stdout} = await waiting.ended;
    expect([code, JSON.parse(stdout)]).toMatchObject([130, {error: {code: 'INTERRUPTED'}}]);
    expect(await kubectls()).toEqual([]);
  });

  it('outlasts an API server that is stopped and started again', async () => {
    await makeRed();
    const waiting = await startWaiting();
    await cluster.stop();
    await sleep(5000);
    await cluster.start();
    await scale(1);
    await expectGreen(waiting);
  });

  it('begins while the API server is down, and ends green when it is up', async () => {
    await cluster.stop();
    const waiting = await startWaiting();
    await cluster.start();
    await expectGreen(waiting);
  });
});
