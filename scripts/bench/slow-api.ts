/**
 * push and verify of 20 clusters whose API servers take half a second for every answer, against the least that the
 * order of the requests allows.
 */
import {HealthyMesh} from './healthy-mesh.js';
import {interleave} from './interleave.js';
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
  verify: ['GET /version', 'what is there', 'the trust bundles, whose name the control plane says'],
} as const;

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
  const push = async (): Promise<{readonly ms: number}> => mesh.push();
  const verify = async (): Promise<{readonly ms: number}> => mesh.verify();
  const found = await interleave(
    {
      push: () => slow(push),
      verify: () => slow(verify),
      fastPush: async () => (await push()).ms,
      fastVerify: async () => (await verify()).ms,
    },
    runs(5),
    {onRound: (round) => say(`round ${String(round)}`)},
  );
  const ideal = (chain: readonly string[]) => exactly(chain.length * latencyMs * rounds);
  const without = (chain: readonly string[]) => `${String(chain.length)} requests x ${String(rounds)} rounds x 0.5 s`;
  return {
    rows: [
      ratioOfMedians('trust push', without(chains.push), spread(found.push), ideal(chains.push)),
      ratioOfMedians('verify', without(chains.verify), spread(found.verify), ideal(chains.verify)),
      {kind: 'figure', what: 'trust push, answers at once', value: spread(found.fastPush), unit: 'ms'},
      {kind: 'figure', what: 'verify, answers at once', value: spread(found.fastVerify), unit: 'ms'},
    ],
    notes: [
      `The longest chain of push: ${chains.push.join(', ')}. Of verify: ${chains.verify.join(', ')}.`,
      "The fake kubectl is a Node script: starting one for each cluster, which is most of what the answers-at-once rows take, is about what kubectl itself takes. A port-forward's own requests have no latency here.",
    ],
  };
}
