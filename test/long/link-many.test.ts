/** Many clusters, of which some hang, refuse connections or fail halfway: the others are completed, and a second run does the rest. */
import {afterEach, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

const names = Array.from({length: 50}, (_, index) => `c${String(index + 1)}`);
const pairs = names.flatMap((reader) => names.filter((peer) => peer !== reader).map((peer) => `${reader} ${peer}`));
const hanging = ['c7', 'c23', 'c41'];
const refused = ['c11', 'c29'];
const failing = 'c19';
const broken = [...hanging, ...refused, failing];
const healthy = names.filter((name) => !broken.includes(name));

/** What `kubectl proxy` responds if the API server refuses the connection. */
const noConnection = {status: 502, text: 'dial tcp 192.0.2.1:6443: connect: connection refused'};

async function link(...argv: string[]): Promise<{code: number; result: LinkResult}> {
  const run = await runCommand(Link, [...argv, '-q', '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult};
}

/** The versions of all remote secrets: `c1 c2` is the one in c1 for c2. */
function versions(): ReadonlyMap<string, string> {
  return new Map(
    names.flatMap((reader) =>
      mesh
        .cluster(reader)
        .all('Secret')
        .filter(({metadata}) => metadata.name.startsWith('istio-remote-secret-'))
        .map(({metadata}) => [
          `${reader} ${metadata.name.replace('istio-remote-secret-', '')}`,
          metadata.resourceVersion ?? '',
        ]),
    ),
  );
}

it('links 50 clusters except for those that hang, refuse connections or fail, names each, and then does only the rest', async () => {
  mesh = await linkMesh(names);
  for (const name of hanging) mesh.cluster(name).latencyMs = 3_600_000;
  const restart = refused.map((name) => mesh.cluster(name).fault({}, noConnection, Infinity));
  // It is read, and its Secrets are created; then it issues no token.
  const repair = mesh.cluster(failing).deny({verb: 'create', resource: 'serviceaccounts'});
  const first = await link('--keep-going', '--request-timeout', '10s', '--concurrency', '25');
  const byName = new Map(first.result.clusters.map((cluster) => [cluster.name, cluster]));
  expect(healthy.filter((name) => byName.get(name)?.outcome !== 'done')).toEqual([]);
  expect(broken.map((name) => [name, byName.get(name)?.error?.code])).toEqual([
    ...hanging.map((name) => [name, 'UNREACHABLE']),
    ...refused.map((name) => [name, 'UNREACHABLE']),
    [failing, 'FORBIDDEN'],
  ]);
  expect(first.code).not.toBe(0);
  const before = versions();
  const isHealthy = (pair: string): boolean => pair.split(' ').every((name) => healthy.includes(name));
  expect([...before.keys()].filter(isHealthy).toSorted()).toEqual(pairs.filter(isHealthy).toSorted());

  for (const name of hanging) mesh.cluster(name).latencyMs = 0;
  for (const undo of restart) undo();
  repair();
  const second = await link('--concurrency', '25');
  expect(second.code).toBe(0);
  const after = versions();
  expect([...after.keys()].toSorted()).toEqual(pairs.toSorted());
  expect([...before].filter(([pair, version]) => after.get(pair) !== version)).toEqual([]);
  // About 35 seconds of one core for 29,000 requests, whose fake API servers share the process; several times that on a busy machine.
}, 600_000);
