/**
 * Nothing of `verify --traffic` is left behind by runs that are killed at random moments, each followed by a complete one.
 * TRAFFIC_KILLS sets their number, TRAFFIC_SEED the moments.
 */
import {readFileSync, readdirSync} from 'node:fs';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {Random} from '../robustness/harness/alterations.js';
import {Descendants} from '../robustness/harness/descendants.js';
import type {Cluster} from './harness/cluster.js';
import type {DataPath} from './harness/data-path/data-path.js';
import {startTwoNetworks} from './harness/data-path/mesh-steps.js';
import {trafficNamespace} from './harness/data-path/traffic.js';
import {HarnessError, type Ran} from './harness/processes.js';

const kills = Number(process.env.TRAFFIC_KILLS ?? 2);
const seed = Number(process.env.TRAFFIC_SEED ?? 20_261_130);
const random = new Random(seed);

let path: DataPath;
let followed: Descendants | undefined;
/** How long a complete run takes. Milliseconds. */
let duration: number;
/** For each killed run, the clusters in which it left its namespace. */
const left: (readonly string[])[] = [];

/** Runs the program, and calls `started` with its processes. */
async function verifyTraffic(started: (processes: Descendants, pid: number) => void = () => undefined): Promise<Ran> {
  const ran = await path.cli.run(['verify', '--traffic'], {
    onStart: ({pid}) => {
      if (pid === undefined) throw new HarnessError('the program was not started');
      followed = new Descendants(pid);
      started(followed, pid);
    },
  });
  await followed?.waitUntilGone();
  expect(usersProcesses()).toEqual([]);
  return ran;
}

/** Every process with the user's kubeconfig. */
function usersProcesses(): readonly string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      return environment.split('\0').includes(`KUBECONFIG=${path.cli.kubeconfig}`);
    } catch {
      // Not a process, or one that has just ended.
      return false;
    }
  });
}

async function complete(): Promise<void> {
  const {code, stdout, stderr} = await verifyTraffic();
  expect([code, code === 0 ? '' : `${stdout}${stderr}`]).toEqual([0, '']);
  expect(await withNamespace()).toEqual([]);
}

/** The clusters that have the namespace of the requests. */
async function withNamespace(): Promise<readonly string[]> {
  const hasIt = ({api}: Cluster): Promise<unknown> => api.find(`/api/v1/namespaces/${trafficNamespace}`);
  const found = await Promise.all(path.clusters.map(async (cluster) => ((await hasIt(cluster)) ? [cluster.name] : [])));
  return found.flat();
}

describe(`verify --traffic (TRAFFIC_SEED=${String(seed)})`, () => {
  beforeAll(async () => {
    path = await startTwoNetworks();
    const began = Date.now();
    await complete();
    duration = Date.now() - began;
  });
  afterEach(() => followed?.dispose());
  afterAll(() => path.sandbox.close());

  // One moment in each part of the run, of equally long parts.
  const moments = Array.from({length: kills}, (_, part) => (part + random.below(1000) / 1000) / kills);
  const cases = moments.map((moment, index) => ({moment, victim: index % 2 === 0 ? 'program' : 'whole process tree'}));

  it.each(cases)('whose $victim is killed after $moment of its time is cleaned up by the next run', async (one) => {
    const {code, signal} = await verifyTraffic((processes, pid) => {
      setTimeout(() => {
        if (one.victim === 'program') process.kill(pid, 'SIGKILL');
        else processes.dispose();
      }, one.moment * duration);
    });
    // A run may be faster than the first one, and complete.
    expect(['SIGKILL', 0]).toContain(signal ?? code);
    left.push(await withNamespace());
    await complete();
  });

  it('leaves something behind in some of these runs, without which they show nothing', () => {
    expect(left.flat()).not.toEqual([]);
  });
});
