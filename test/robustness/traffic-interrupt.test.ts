/** `verify --traffic`, interrupted or killed: the program removes its pods itself, or the next run does. */
import {afterEach, describe, expect, it} from 'vitest';
import {startFakeTraffic, trafficObjectsIn, type FakeTraffic} from '../helpers/fake-traffic.js';
import {verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';
import {emptyBox, type Box} from './harness/box.js';
import {endGroup, isGroupAlive} from './harness/interrupt.js';
import {expectExit, type Run} from './harness/run.js';
import {journalFaults} from './harness/work-dir-rules.js';

let mesh: VerifiedMesh;
let traffic: FakeTraffic;
let box: Box;

afterEach(async () => {
  traffic.stop();
  await mesh.stop();
  await box.dispose();
});

async function start(): Promise<void> {
  mesh = await verifiedMesh('c1', 'c2');
  traffic = await startFakeTraffic({c1: mesh.one('c1').kube, c2: mesh.one('c2').kube});
  box = await emptyBox([mesh.kube.bin]);
}

const words = (): readonly string[] => ['verify', '--traffic', '--only', 'MESH6', '-w', mesh.dir];
const left = (): readonly string[] =>
  mesh.clusters.flatMap(({name, kube}) => trafficObjectsIn(kube).map(({kind}) => `${name} ${kind}`));

/** Sends a signal when a condition holds. */
async function struck(signal: NodeJS.Signals, when: () => boolean): Promise<Run> {
  let pid: number | undefined;
  const run = await box.run(words(), {
    onStart: (child) => {
      pid = child.pid;
      const timer = setInterval(() => {
        if (when()) {
          clearInterval(timer);
          child.kill(signal);
        }
      }, 5);
      child.once('exit', () => {
        clearInterval(timer);
      });
    },
    ...(signal === 'SIGKILL' && {stdio: 'ignore'}),
  });
  if (signal === 'SIGKILL') endGroup(pid);
  else expect(isGroupAlive(pid)).toBe(false);
  return run;
}

/** Moments of a run, by what exists in c1. */
const moments: readonly (readonly [string, number])[] = [
  ['a namespace', 1],
  ['policies', 4],
  ['Services', 6],
  ['pods', 10],
];

describe.each(moments)('with %s in a cluster', (_, count) => {
  it('an interrupted run removes everything and exits with 130', async () => {
    await start();
    traffic.answer = () => 'no healthy upstream';
    const run = await struck('SIGINT', () => trafficObjectsIn(mesh.one('c1').kube).length >= count);
    expectExit(run, 130, run.stderr);
    expect(left()).toEqual([]);
    expect(await journalFaults(mesh.dir)).toEqual([]);
  });

  it('a killed run leaves it, and the next one removes it and completes', async () => {
    await start();
    traffic.answer = () => 'no healthy upstream';
    await struck('SIGKILL', () => trafficObjectsIn(mesh.one('c1').kube).length >= count);
    expect(left()).not.toEqual([]);
    traffic.answer = () => undefined;
    expectExit(await box.run(words()), 0, 'the next run');
    expect(left()).toEqual([]);
  });
});
