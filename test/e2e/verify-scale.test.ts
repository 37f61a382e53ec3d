/**
 * verify on a cluster of some size, with a real API server: 1,000 namespaces with the trust bundle that istiod wrote into
 * each, and 5,000 Secrets, none of which is its business. Held are memory and processes, which are limits, not timings.
 */
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Resource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import {controlPlanes} from './harness/control-planes.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, type MeshCli, type Verdict} from './harness/mesh-cli.js';
import {eventually, output} from './harness/processes.js';

const namespaces = 1000;
const secretsEach = 5;
/** Of the process itself, at its peak. */
const mostMemoryMB = 150;

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;

beforeAll(async () => {
  await controlPlanes();
  setting = await startSetting({name: 'one'});
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  await cli.must('init', `one=${cluster.context}`);
  await cli.must('up');
  await fill();
}, 900_000);
afterAll(() => setting.sandbox.close());

/** Sixteen at a time. */
async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({length: 16}, worker));
}

async function fill(): Promise<void> {
  const name = (index: number): string => `team-${String(index).padStart(4, '0')}`;
  await inParallel(namespaces, (index) =>
    cluster.api.create('/api/v1/namespaces', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {name: name(index), labels: {team: name(index)}},
    }),
  );
  await inParallel(namespaces * secretsEach, (index) => {
    const space = name(index % namespaces);
    // A few hundred bytes to 2 KiB.
    const content = 'x'.repeat(200 + ((index * 37) % 1850));
    return cluster.api.create(`/api/v1/namespaces/${space}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: `secret-${String(Math.floor(index / namespaces))}`},
      stringData: {content},
    });
  });
  const bundles = '/api/v1/configmaps?fieldSelector=metadata.name%3Distio-ca-root-cert';
  await eventually(
    'istiod to write its bundle into every namespace',
    async () => {
      // Each look is at all of them.
      await sleep(2000);
      return (await cluster.api.list<Resource>(bundles)).length > namespaces ? true : undefined;
    },
    300_000,
  );
}

/** Runs verify with a kubectl that is counted and a process that says at its end how much memory it took at most. */
async function measure(): Promise<{
  readonly verdict: Verdict;
  readonly code: number | null;
  readonly kubectls: readonly string[];
  readonly peakMB: number;
}> {
  const directory = join(setting.sandbox.dir, 'measured');
  const [log, peak, hook] = ['log', 'peak', 'hook.cjs'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(directory);
  writeFileSync(
    hook,
    `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(peak)}, String(process.resourceUsage().maxRSS)));\n`,
  );
  const real = (await output('sh', ['-c', 'command -v kubectl'])).trim();
  const wrapper = join(directory, 'kubectl');
  writeFileSync(wrapper, `#!/bin/sh\nprintf '%s\\n' "$*" >>'${log}'\nexec '${real}' "$@"\n`);
  chmodSync(wrapper, 0o755);
  const env = {
    ...cli.env,
    PATH: `${directory}${delimiter}${cli.env.PATH ?? ''}`,
    NODE_OPTIONS: `--require=${hook}`,
  };
  const ran = await cli.run(['verify', '-o', 'json'], {env});
  return {
    verdict: JSON.parse(ran.stdout) as Verdict,
    code: ran.code,
    kubectls: existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [],
    peakMB: (Number(readFileSync(peak, 'utf8')) * 1024) / 1e6,
  };
}

it('a healthy mesh is ok, below 150 MB, with one kubectl and one more for each istiod pod', async () => {
  const {verdict, code, kubectls, peakMB} = await measure();
  console.info(`verify took ${peakMB.toFixed(0)} MB at its peak`);
  expect(findings(verdict)).toEqual([]);
  expect([code, verdict.verdict]).toEqual([0, 'ok']);
  const bundles = verdict.checks.find(({id}) => id === 'MESH302');
  expect(Number(/^equal in (\d+) namespaces/.exec(bundles?.observed ?? '')?.[1])).toBeGreaterThan(namespaces);
  const pods = await cluster.api.list<Resource>('/api/v1/namespaces/istio-system/pods?labelSelector=app%3Distiod');
  const kinds = kubectls.map((line) => /\b(proxy|port-forward)\b/.exec(line)?.[1] ?? line);
  expect(kinds.sort()).toEqual([...pods.map(() => 'port-forward'), 'proxy']);
  expect(peakMB).toBeLessThan(mostMemoryMB);
});
