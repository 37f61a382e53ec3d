/**
 * push and verify of clusters whose API servers delay every response, compared with the shortest time that the order of
 * the requests allows.
 */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {HealthyMesh, istiodPod, type MeshSize} from './healthy-mesh.js';
import {interleave} from './interleave.js';
import {runNode} from './node-usage.js';
import {type BenchContext, defineScenario, once, type Report, type Size} from './scenario.js';
import {exactly, ratioOfMedians, spread} from './statistics.js';

/** Clusters that each command processes in parallel. */
const concurrency = 10;

/** The requests of each command that depend on the previous response; all others run in parallel. */
const chains = {
  push: [
    'GET /version (alone, so that the credential plugin runs once)',
    'the state of the cluster',
    'the identity of the user (for the journal)',
    'the namespace',
    'the Secret',
  ],
  verify: ['GET /version', 'the state of the cluster'],
} as const;

/**
 * Starts the same kubectl processes as a command, for one group of clusters after another, and does nothing else.
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
    if (pod) await start('port-forward', '--context=' + context, 'pod/' + pod, ':15012', ':15014');
  }));
}
await Promise.all(running.map((child) => new Promise((resolve) => child.on('exit', resolve).kill())));
`;

/** How slow the API servers are. */
interface Latency {
  /** Delay of every response. Milliseconds. */
  readonly latencyMs: number;
}

export const slowApi = defineScenario({
  name: 'slow-api',
  sizes: {
    full: {runs: 7, warmUp: true, clusters: 20, istiods: 1, latencyMs: 500},
    quick: {...once, clusters: 2, istiods: 1, latencyMs: 50},
  },
  title: ({clusters, latencyMs}) =>
    `trust push and verify: ${String(clusters)} clusters, ${String(latencyMs)} ms for each API request, concurrency ${String(concurrency)}`,
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size & MeshSize & Latency): Promise<Report> {
  const {latencyMs} = size;
  const rounds = Math.ceil(size.clusters / concurrency);
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
  const measured = await interleave(
    {
      push: () => slow(() => mesh.push()),
      proxies: () => kubectl(),
      verify: () => slow(() => mesh.verify()),
      forwards: () => kubectl(istiodPod(0)),
    },
    size,
    progress,
  );
  const ideal = (chain: readonly string[]): number => chain.length * latencyMs * rounds;
  const rowsOf = (what: string, chain: readonly string[], ours: readonly number[], processes: readonly number[]) => {
    const waiting = `${String(chain.length)} requests x ${String(rounds)} rounds x ${String(latencyMs)} ms`;
    const least = processes.map((ms) => ms + ideal(chain));
    return [
      ratioOfMedians(what, waiting, spread(ours), exactly(ideal(chain))),
      ratioOfMedians(what, 'the same, and starting the same kubectl processes', spread(ours), spread(least)),
    ];
  };
  return {
    rows: [
      ...rowsOf('trust push', chains.push, measured.push, measured.proxies),
      ...rowsOf('verify', chains.verify, measured.verify, measured.forwards),
    ],
    notes: [
      `One after another, push waits for: ${chains.push.join(', ')}; and verify for: ${chains.verify.join(', ')}.`,
      'kubectl is a shell script here, which starts faster than kubectl. The API requests of a port-forward have no latency here.',
    ],
  };
}
