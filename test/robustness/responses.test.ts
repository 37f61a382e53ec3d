/**
 * Responses of an API server and of istiod that are not as they should be: no run crashes, and the other cluster of the mesh is
 * judged as if nothing had happened. Most commands run in this process, some as the built program,
 * against two clusters of which the second one is altered.
 */
import {isDeepStrictEqual} from 'node:util';
import {cp, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import AccessShow from '../../src/commands/access/show.js';
import CertsList from '../../src/commands/certs/list.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRotateClusterCa from '../../src/commands/trust/rotate/cluster-ca.js';
import Verify from '../../src/commands/verify.js';
import type {AlteredAnswer} from '../helpers/fake-kubectl/fake-cluster.js';
import {runCommand, type CommandClass, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {textsOf} from '../helpers/trust-mesh.js';
import type {VerifiedMesh} from '../helpers/verify-mesh.js';
import {meshOfNetworks} from '../helpers/verify-networks.js';
import {alterationOf, escapes, Random, withEscapes} from './harness/alterations.js';
import {expectNoCrash, runBuilt} from './harness/run.js';

const seed = Number(process.env.RESPONSES_SEED ?? 20_261_129);
const runs = Number(process.env.RESPONSES_RUNS ?? 500);
const healthy = 'c1';
const altered = 'c2';

interface Row {
  readonly cluster?: string;
  readonly peer?: string;
  readonly name?: string;
}

interface Tried {
  readonly name: string;
  readonly command: CommandClass;
  readonly argv: readonly string[];
  /** How often, relative to the others. */
  readonly weight: number;
  readonly rows: (result: Record<string, unknown>) => readonly Row[];
}

const ofClusters = ({clusters}: Record<string, unknown>): readonly Row[] =>
  (clusters as readonly Row[]).filter(({name}) => name === healthy);
const ofChecks = ({checks}: Record<string, unknown>): readonly Row[] =>
  (checks as readonly Row[]).filter(({cluster, peer}) => cluster === healthy && peer !== altered);

const tried: readonly Tried[] = [
  {name: 'verify', command: Verify, argv: ['--access'], weight: 4, rows: ofChecks},
  {name: 'certs list', command: CertsList, argv: ['--live'], weight: 2, rows: ofClusters},
  {name: 'trust push', command: TrustPush, argv: ['--dry-run', '--allow-root-change'], weight: 2, rows: ofClusters},
  {name: 'trust rotate cluster-ca', command: TrustRotateClusterCa, argv: ['--dry-run'], weight: 1, rows: ofClusters},
  {name: 'trust diff', command: TrustDiff, argv: [], weight: 1, rows: ofClusters},
  {name: 'access show', command: AccessShow, argv: [], weight: 2, rows: ofClusters},
];

let mesh: VerifiedMesh;
/** The same work directory with CAs of another root, which `trust push` would push. */
let pushed: string;

beforeAll(async () => {
  mesh = await meshOfNetworks();
  pushed = await mkdtemp(join(tmpdir(), 'km-responses-'));
  await cp(mesh.dir, pushed, {recursive: true});
  const root = await tinyRoot();
  await writeFile(join(pushed, 'root-cert.pem'), root.certificate.pem);
  for (const name of [healthy, altered]) {
    const texts = textsOf(bundleOf(await tinyClusterCa(root, name), [root]));
    for (const [file, text] of Object.entries(texts)) await writeFile(join(pushed, name, file), text);
  }
});
afterAll(async () => {
  await mesh.stop();
  await rm(pushed, {recursive: true, force: true});
});

function environmentOf({name}: Tried): Readonly<Record<string, string>> {
  return {...mesh.env, NO_COLOR: '1', ...(name === 'trust push' && {WORK_DIR: pushed})};
}

function run(one: Tried, ...more: string[]): Promise<CommandRun> {
  return runCommand(one.command, [...one.argv, ...more], environmentOf(one));
}

const rowsOf = (one: Tried, {stdout}: CommandRun): readonly Row[] =>
  one.rows(JSON.parse(stdout) as Record<string, unknown>);

/** A command's run while nothing is altered. */
interface Recorded {
  /** What the second cluster answers, by path with query. */
  readonly answers: ReadonlyMap<string, unknown>;
  /** What the command reports of the first cluster. */
  readonly rows: readonly Row[];
}

async function record(one: Tried): Promise<Recorded> {
  const answers = new Map<string, unknown>();
  const result = await runWith(one, (url, body) => void answers.set(url, body), '-o', 'json');
  return {answers, rows: rowsOf(one, result)};
}

/** Runs a command while answers of the second cluster are replaced. */
async function runWith(
  one: Tried,
  alter: (url: string, body: unknown) => AlteredAnswer | undefined,
  ...more: string[]
): Promise<CommandRun> {
  const {kube} = mesh.one(altered);
  kube.alter = ({url}, {body}) => alter(url, body);
  try {
    return await run(one, ...more);
  } finally {
    delete kube.alter;
  }
}

/** The exit codes of docs/exit-codes.md, except for those of a run that was stopped. */
const documented = [0, 1, 2, 3, 4, 5];

/** What is wrong with a run; undefined if nothing is. */
function crashOf({code, stdout, stderr}: CommandRun): string | undefined {
  const text = stdout + stderr;
  if (/\n\s+at .*[:(]|bug in kubectl mesh|"INTERNAL"/.test(text)) return `stack trace: ${text.slice(-600)}`;
  return documented.includes(code) ? undefined : `exit code ${String(code)}`;
}

const weighted = tried.flatMap((one) => Array.from({length: one.weight}, () => one));

describe(`altered responses of one cluster (RESPONSES_SEED=${String(seed)})`, () => {
  it(`crash none of ${String(runs)} runs, and change nothing in the other cluster`, {timeout: 600_000}, async () => {
    const random = new Random(seed);
    const recorded = new Map<string, Recorded>();
    const faults: string[] = [];
    for (let number = 0; number < runs; number++) {
      const one = random.pick(weighted);
      const {answers, rows} = recorded.get(one.name) ?? (await record(one));
      recorded.set(one.name, {answers, rows});
      const [url, body] = random.pick([...answers]);
      const {what, answer} = alterationOf(random, body);
      const result = await runWith(one, (requested) => (requested === url ? answer : undefined), '-o', 'json');
      const title = `#${String(number)} ${one.name}, GET ${url}: ${what}`;
      const crash = crashOf(result);
      if (crash !== undefined) faults.push(`${title}: ${crash}`);
      else if (!isDeepStrictEqual(rowsOf(one, result), rows)) faults.push(`${title}: the other cluster differs`);
    }
    expect(faults.join('\n\n'), `${String(faults.length)} runs`).toBe('');
  });

  it('crash none of 12 runs of the built program', {timeout: 300_000}, async () => {
    const random = new Random(seed + 1);
    for (let number = 0; number < 12; number++) {
      const one = random.pick(weighted);
      const {answers} = await record(one);
      const [url, body] = random.pick([...answers]);
      const {what, answer} = alterationOf(random, body);
      const {kube} = mesh.one(altered);
      kube.alter = ({url: requested}) => (requested === url ? answer : undefined);
      const env = {...(process.env as Record<string, string>), ...environmentOf(one)};
      const result = await runBuilt([...one.name.split(' '), ...one.argv, '-o', 'json'], {cwd: mesh.dir, env});
      delete kube.alter;
      const title = `#${String(number)} ${one.name}, GET ${url}: ${what}`;
      expectNoCrash(result, title);
      expect(result.stdout + result.stderr, title).not.toMatch(obeyed);
      expect(documented, title).toContain(result.code);
      expect(one.rows(JSON.parse(result.stdout) as Record<string, unknown>).length, title).toBeGreaterThan(0);
    }
  });

  it('of a running istiod crash no run', async () => {
    const random = new Random(seed);
    const verify = tried[0]!;
    const {rows} = await record(verify);
    const {says} = mesh.one(altered);
    for (const [path, texts] of Object.entries(istiodTexts)) {
      for (const text of [...texts, ...mutated(random, texts[0] ?? '', 10)]) {
        says.instead = {[path]: {status: 200, text}};
        const result = await run(verify, '-o', 'json');
        expect(crashOf(result), `${path}: ${text.slice(0, 200)}`).toBeUndefined();
        expect(rowsOf(verify, result)).toEqual(rows);
      }
    }
    says.instead = {};
  });

  it('write nothing to the terminal that it would obey', {timeout: 600_000}, async () => {
    const random = new Random(seed);
    let hostile = 0;
    for (let number = 0; hostile < 300; number++) {
      const one = random.pick(weighted);
      // Some runs alter a few values, which are then read, others all.
      const share = random.pick([1, 0.5, 0.1, 0.02]);
      const result = await runWith(one, (_, body) => {
        hostile += 1;
        return withEscapes(random, share, body);
      });
      const title = `#${String(number)} ${one.name}, ${String(share)}`;
      expect(crashOf(result), title).toBeUndefined();
      expect(result.stdout + result.stderr, title).not.toMatch(obeyed);
    }
  });
});

/** What a terminal obeys or hides: control characters other than line feed and tab, and bidirectional overrides. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/;

const series = 'citadel_server_csr_sign_err_count';

/** What istiod's endpoints return instead; the first is as it should be. */
const istiodTexts: Readonly<Record<string, readonly string[]>> = {
  '/metrics': [
    `istio_build{component="pilot",tag="1.31.0"} 1\n${series}{error="x"} 1\n`,
    '',
    '<html></html>',
    'istio_build{component="pilot",tag="1.31.0"} NaN\ncitadel_server_root_cert_expiry_timestamp 1e300\n',
    `istio_build{component="pilot",tag="${escapes}"} 1\n`,
    `istio_build{component="pilot",tag="1.31.0"} 1\n${series} -1\n`,
    // A list that is compared with itself would take minutes.
    `istio_build{tag="1",component="pilot"} 1\n${Array.from({length: 100_000}, (_, at) => `${series}{error="${String(at)}"} 1`).join('\n')}\n`,
  ],
  '/debug/clusterz': [
    '[{"id":"c2","secretName":"","syncStatus":"synced"}]',
    'null',
    '{}',
    '[null]',
    '[{"id":7,"syncStatus":"synced"}]',
    '[{"id":"c2"}]',
    JSON.stringify([{id: escapes, secretName: escapes, syncStatus: escapes}]),
    '['.repeat(100_000),
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
  ],
};

/** A text in which one character or a few are replaced, removed or repeated. */
function mutated(random: Random, text: string, count: number): readonly string[] {
  return Array.from({length: count}, () => {
    const at = random.below(text.length);
    const length = random.below(5);
    return (
      text.slice(0, at) + random.pick(['', '"', '{', '\n', '\u0000', '9'.repeat(400), text]) + text.slice(at + length)
    );
  });
}
