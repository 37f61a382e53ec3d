/**
 * push and verify of 20 clusters whose API servers take half a second for every answer, against the least that the
 * order of the requests allows.
 */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {HealthyMesh} from './healthy-mesh.js';
import {interleave} from './interleave.js';
import {runNode} from './node-usage.js';
import type {BenchContext, Report, Scenario} from './scenario.js';
import {exactly, ratioOfMedians, spread} from './statistics.js';

const size = {clusters: 20, istiods: 1};
const latencyMs = 500;
const concurrency = 10;
const rounds = Math.ceil(size.clusters / concurrency);

/** Requests that must wait for each other's answers, in each command; all others go beside these. */
const chains = {
  push: [
    'GET /version (alone: it makes the credential plugin run once)',
    'what is there',
    'the namespace',
    'the Secret',
  ],
  verify: ['GET /version', 'what is there'],
} as const;

/**
 * Starts the kubectl processes of a command as it does, a group of clusters after the other, and nothing else.
 * Usage: node start-kubectl.mjs SOCKET_DIRECTORY AT_A_TIME [POD] -- CONTEXT...
 */
const kubectlStarter = `import {spawn} from 'node:child_process';
const words = process.argv.slice(2);
const [directory, atATime, pod] = words.slice(0, words.indexOf('--'));
const contexts = words.slice(words.indexOf('--') + 1);
const running = [];
const start = (...args) => new Promise((resolve, reject) => {
  const child = spawn('kubectl', args, {stdio: ['ignore', 'pipe', 'ignore']});
  running.push(child);
  child.on('exit', reject);
  child.stdout.once('data', () => resolve(child.removeListener('exit', reject)));
});
for (let at = 0; at < contexts.length; at += Number(atATime)) {
  await Promise.all(contexts.slice(at, at + Number(atATime)).map(async (context) => {
    await start('proxy', '--context=' + context, '--unix-socket=' + directory + '/' + context);
    if (pod) await start('port-forward', '--context=' + context, 'pod/' + pod, ':15012');
  }));
}
await Promise.all(running.map((child) => new Promise((resolve) => child.on('exit', resolve).kill())));
`;

export const slowApi: Scenario = {
  name: 'slow-api',
  title: `trust push and verify: ${String(size.clusters)} clusters, ${String(latencyMs / 1000)} s an API request, concurrency ${String(concurrency)}`,
  measure,
};

async function measure({program, runs, sandbox, say}: BenchContext): Promise<Report> {
  const mesh = await HealthyMesh.create(program, sandbox, size);
  const slow = async (run: () => Promise<{readonly ms: number}>): Promise<number> => {
    mesh.latencyMs = latencyMs;
    const {ms} = await run();
    mesh.latencyMs = 0;
    return ms;
  };
  const starter = join(sandbox.directory(), 'start-kubectl.mjs');
  await writeFile(starter, kubectlStarter);
  const kubectl = async (...pod: string[]): Promise<number> => {
    const contexts = mesh.clusters.map(({context}) => context);
    const args = [starter, sandbox.directory(), String(concurrency), ...pod, '--', ...contexts];
    return (await runNode(sandbox, {args, env: mesh.environment})).ms;
  };
  const found = await interleave(
    {
      push: () => slow(() => mesh.push()),
      proxies: () => kubectl(),
      verify: () => slow(() => mesh.verify()),
      forwards: () => kubectl('istiod-1'),
    },
    runs(7),
    {onRound: (round) => say(`round ${String(round)}`)},
  );
  const ideal = (chain: readonly string[]): number => chain.length * latencyMs * rounds;
  const rowsOf = (what: string, chain: readonly string[], ours: readonly number[], processes: readonly number[]) => {
    const waiting = `${String(chain.length)} requests x ${String(rounds)} rounds x 0.5 s`;
    const least = processes.map((ms) => ms + ideal(chain));
    return [
      ratioOfMedians(what, waiting, spread(ours), exactly(ideal(chain))),
      ratioOfMedians(what, 'the same, and starting the same kubectl processes', spread(ours), spread(least)),
    ];
  };
  return {
    rows: [
      ...rowsOf('trust push', chains.push, found.push, found.proxies),
      ...rowsOf('verify', chains.verify, found.verify, found.forwards),
    ],
    notes: [
      `Push waits for: ${chains.push.join(', ')}. Verify waits for: ${chains.verify.join(', ')}.`,
      'kubectl is a Node script here, which starts in about the time that kubectl takes. What a port-forward asks the API server has no latency here.',
    ],
  };
}
