import {createPrivateKey} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {CorporateCa} from '../helpers/corporate-ca.js';
import {startFakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {clusterNames, emptyBox, meshBox, passphrase, snapshot, type Box} from './harness/box.js';
import {endGroup, isGroupAlive, strike, type Moment} from './harness/interrupt.js';
import {expectExit, expectNoCrash, type Run} from './harness/run.js';
import {expectWholeWorkDir, journalFaults} from './harness/work-dir-rules.js';

/** Runs and strikes; the run's process group is left alone, for the test to look at. */
async function struck(
  box: Box,
  args: readonly string[],
  signal: NodeJS.Signals,
  moment: Moment,
): Promise<Run & {readonly pid: number | undefined}> {
  let pid: number | undefined;
  const run = await box.run(args, {
    onStart: (child) => {
      pid = child.pid;
      strike(child, signal, moment);
    },
    // Children that a SIGKILL orphans would hold our pipes.
    ...(signal === 'SIGKILL' && {stdio: 'ignore'}),
  });
  return {...run, pid};
}

const generate = ['certs', 'generate', ...clusterNames, '--key-algorithm', 'ecdsa-p256'];

/** Moments all over a run of `certs generate`: by time, and by changes in the work directory. */
const byTime = Array.from({length: 8}, (_, at) => 120 + at * 80);
const byChange = [1, 2, 3, 5, 8, 11, 14, 18, 22, 26, 30, 36, 44, 52];

describe('certs generate, killed', () => {
  it.each([
    ...byTime.map((afterMs) => [`after ${String(afterMs)} ms`, {afterMs}] as const),
    ...byChange.map((afterChanges) => [`after ${String(afterChanges)} changes`, {afterChanges}] as const),
  ])('%s, leaves nothing half-written or open to others; the next run completes it', async (_when, when) => {
    const box = await emptyBox();
    const moment = 'afterMs' in when ? when : {...when, folder: box.work};
    await struck(box, generate, 'SIGKILL', moment);
    await expectWholeWorkDir(box.work, clusterNames);
    expect(await journalFaults(box.work)).toEqual([]);
    const before = await snapshot(box.work);
    const again = await box.run(generate);
    expectExit(again, 0, 'again');
    await expectWholeWorkDir(box.work, clusterNames);
    expect(await journalFaults(box.work)).toEqual([]);
    const after = await snapshot(box.work);
    // Every key that was there is there.
    for (const file of Object.keys(before).filter((name) => /^(?!.*\.pending).*\.pem$/.test(name))) {
      expect(after[file], file).toBe(before[file]);
    }
    // A claim on the lock that was never written is removed once it is old enough not to be another run's.
    const isEmptyClaim = (name: string): boolean => /lock\.\w+\.new$/.test(name) && after[name] === '600 ';
    expect(Object.keys(after).filter((name) => /pending|tmp|lock/.test(name) && !isEmptyClaim(name))).toEqual([]);
    const third = await box.run(generate);
    expectExit(third, 0, 'third');
    expect(await snapshot(box.work)).toEqual(after);
    await box.dispose();
  });
});

describe('certs import, killed', () => {
  const root = CorporateCa.root();
  const files = async (box: Box): Promise<readonly string[]> =>
    (await readdir(join(box.work, 'cluster1'))).filter((name) => name.endsWith('.pem')).sort();
  it.each([1, 3, 5, 7, 9, 11, 13, 15, 17, 20])(
    'after %i changes, has lost no key; the next run completes it',
    async (afterChanges) => {
      const box = await emptyBox();
      expectExit(await box.run(['certs', 'request', 'cluster1', '--key-algorithm', 'ecdsa-p256']), 0, 'request');
      const key = await box.read('cluster1/request/ca-key.pem');
      await box.put('../answer.pem', root.sign(await box.read('cluster1/request/ca.csr')));
      const words = ['certs', 'import', 'cluster1', '../answer.pem', '--root', root.certificatePath];
      await struck(box, words, 'SIGKILL', {afterChanges, folder: box.work});
      const keys = Object.entries(await snapshot(box.work)).filter(([, text]) => text.endsWith(key));
      expect(keys.map(([file]) => file)).not.toEqual([]);
      // All four files or none; those of a committed set are in place when the next command runs.
      if (!existsSync(join(box.work, 'cluster1/.pending/commit'))) expect([0, 4]).toContain((await files(box)).length);
      expect(await journalFaults(box.work)).toEqual([]);
      expectExit(await box.run(words), 0, 'again');
      expect(await files(box)).toEqual(['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem']);
      expectExit(await box.run(['certs', 'inspect', 'cluster1']), 0, 'inspect');
      expect(await box.read('cluster1/ca-key.pem')).toBe(key);
      expect(existsSync(join(box.work, 'cluster1/request'))).toBe(false);
      expect(await journalFaults(box.work)).toEqual([]);
      await box.dispose();
    },
  );
});

describe('certs passphrase, killed', () => {
  const other = 'another passphrase';
  const opensWith = (pem: string, secret: string): boolean => {
    try {
      return createPrivateKey({key: pem, passphrase: secret}).type === 'private';
    } catch {
      return false;
    }
  };

  it.each([
    ...[150, 300, 450, 600, 750, 900].map((afterMs) => [`after ${String(afterMs)} ms`, {afterMs}] as const),
    ...[1, 2, 3, 4, 5, 6, 8, 10].map(
      (afterChanges) => [`after ${String(afterChanges)} changes`, {afterChanges}] as const,
    ),
  ])('%s, leaves a root key that one of the two opens, and nobody else reads', async (_when, when) => {
    const box = await meshBox();
    const env = {...box.env, KUBECTL_MESH_NEW_PASSPHRASE: other};
    await struck(
      {...box, run: (args, options) => box.run(args, {...options, env})},
      ['certs', 'passphrase'],
      'SIGKILL',
      'afterMs' in when ? when : {...when, folder: box.work},
    );
    const pem = await box.read('root-key.pem');
    expect([opensWith(pem, passphrase), opensWith(pem, other)].filter(Boolean)).toHaveLength(1);
    expect(await journalFaults(box.work)).toEqual([]);
    const now = {...env, KUBECTL_MESH_PASSPHRASE: opensWith(pem, other) ? other : passphrase};
    expectExit(await box.run(['certs', 'passphrase'], {env: now}), 0, 'again');
    expect(opensWith(await box.read('root-key.pem'), other)).toBe(true);
    const names = Object.entries(await snapshot(box.work)).filter(
      ([name, text]) => name.includes('key.pem') && !text.startsWith('600'),
    );
    expect(names).toEqual([]);
    await box.dispose();
  });
});

describe('trust push to three clusters', () => {
  it.each([200, 400, 600, 800, 1000])('killed after %i ms, is completed by the next run', async (afterMs) => {
    const kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
    for (const name of clusterNames) kube.cluster(`ctx-${name}`).latencyMs = 40;
    const box = await meshBox([kube.bin]);
    const {pid} = await struck(box, ['trust', 'push'], 'SIGKILL', {afterMs});
    // The supervisor ends its kubectl, but a little later.
    endGroup(pid);
    expect(await journalFaults(box.work)).toEqual([]);
    for (const name of clusterNames) kube.cluster(`ctx-${name}`).latencyMs = 0;
    expectExit(await box.run(['trust', 'push']), 0, 'again');
    for (const name of clusterNames) {
      const secret = kube.cluster(`ctx-${name}`).secretText('istio-system/cacerts');
      for (const file of ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem']) {
        expect(secret[file], `${name} ${file}`).toBe(await box.read(`${name}/${file}`));
      }
    }
    expect(await journalFaults(box.work)).toEqual([]);
    const third = await box.run(['trust', 'push', '-o', 'json']);
    expectExit(third, 0, 'third');
    expect(third.stdout).not.toContain('"done"');
    await kube.stop();
    await box.dispose();
  });
});

describe('trust push, killed while a Secret is on its way', () => {
  it('leaves a change that is open, the next run closes it as unknown, and the cluster still agrees', async () => {
    const kube = await startFakeKube(['ctx-cluster1']);
    const box = await meshBox([kube.bin]);
    let pid: number | undefined;
    // The Secret arrives all the same.
    kube.cluster('ctx-cluster1').before({verb: 'create', resource: 'secrets'}, () => {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    });
    await box.run(['trust', 'push', 'cluster1', '--reason', 'CHG-7'], {
      onStart: (child) => (pid = child.pid),
      stdio: 'ignore',
    });
    endGroup(pid);
    const ofSecret = async (): Promise<readonly string[]> => {
      const run = await box.run(['journal', 'show', 'cluster1', '--command', 'trust push', '-o', 'json']);
      expectExit(run, 0, 'show');
      const {changes} = JSON.parse(run.stdout) as {changes: {action: string; status: string; reason: string}[]};
      return changes
        .filter(({action}) => action === 'cluster1/cacerts')
        .map(({status, reason}) => `${status} ${reason}`);
    };
    expect(await ofSecret()).toEqual(['open CHG-7']);
    expect(kube.cluster('ctx-cluster1').secretText('istio-system/cacerts')).toHaveProperty(['ca-key.pem']);
    expectExit(await box.run(['journal', 'verify', 'cluster1']), 0, 'verify while it is open');
    expectExit(await box.run(['trust', 'push', 'cluster1']), 0, 'again');
    expect(await ofSecret()).toEqual(['unknown CHG-7']);
    expectExit(await box.run(['journal', 'verify', 'cluster1']), 0, 'verify');
    await kube.stop();
    await box.dispose();
  });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  it.each([
    ['in the middle of API requests', ['trust', 'push'], 300],
    ['while kubectl says nothing', ['trust', 'diff'], 0],
    ['while verify waits', ['verify', '--wait', '--timeout', '1m'], 20],
    ['in up', ['up', '--key-algorithm', 'ecdsa-p256'], 300],
  ] as const)('%s ends the run with 130, and its children with it', async (_what, args, latency) => {
    const kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
    for (const name of clusterNames) kube.cluster(`ctx-${name}`).latencyMs = latency;
    const box = await meshBox([kube.bin]);
    if (latency === 0) await box.tool('kubectl', 'exec sleep 300');
    const {pid, ...run} = await struck(box, args, signal, {afterMs: 700});
    expectExit(run, 130, args.join(' '));
    expect(isGroupAlive(pid)).toBe(false);
    expect(await snapshot(box.tmp)).toEqual({});
    expect(existsSync(join(box.work, '.kubectl-mesh.lock'))).toBe(false);
    expect(await journalFaults(box.work)).toEqual([]);
    await kube.stop();
    await box.dispose();
  });

  it('while a passphrase is awaited ends the run with 130 and lets the lock go', async () => {
    const box = await emptyBox();
    const {pid, ...run} = await struck(box, [...generate, '--passphrase-command', 'exec sleep 300'], signal, {
      afterMs: 800,
    });
    expectExit(run, 130, 'passphrase');
    expect(isGroupAlive(pid)).toBe(false);
    expect(existsSync(join(box.work, '.kubectl-mesh.lock'))).toBe(false);
    expectExit(await box.run(generate), 0, 'again');
    await box.dispose();
  });
});

describe('two runs at once', () => {
  it('the second says who has the work directory; nothing is broken; readers need not wait', async () => {
    const box = await emptyBox();
    const started = join(box.dir, 'started');
    const first = box.run([...generate, '--passphrase-command', `touch ${started}; sleep 4; echo ${'x'.repeat(20)}`]);
    while (!existsSync(started)) await new Promise((resolve) => setTimeout(resolve, 50));
    const pid = (JSON.parse(await readFile(join(box.work, '.kubectl-mesh.lock'), 'utf8')) as {pid: number}).pid;
    const second = await box.run([...generate, '-o', 'json']);
    expectExit(second, 1, 'second');
    expect(second.stdout).toContain('WORKDIR_LOCKED');
    expect(second.stdout).toContain(`pid ${String(pid)}`);
    expectNoCrash(await box.run(['certs', 'list']), 'list');
    expectExit(await first, 0, 'first');
    const env = {...box.env, KUBECTL_MESH_PASSPHRASE: 'x'.repeat(20)};
    expectExit(await box.run(generate, {env}), 0, 'after');
    await box.dispose();
  });

  it('ten at once do the work once', async () => {
    const box = await emptyBox();
    const runs = await Promise.all(Array.from({length: 10}, () => box.run(generate)));
    for (const run of runs) expectNoCrash(run, 'one of ten');
    expect(runs.filter(({code}) => code === 0).length).toBeGreaterThan(0);
    expect([...new Set(runs.map(({code}) => code))].every((code) => code === 0 || code === 1)).toBe(true);
    expectExit(await box.run(generate), 0, 'after');
    await expectWholeWorkDir(box.work, clusterNames);
    expect(await journalFaults(box.work)).toEqual([]);
    await box.dispose();
  });
});

describe('a lock', () => {
  /** A lock file as a run that was killed leaves it. */
  async function leftLock(box: Box): Promise<Record<string, unknown>> {
    const args = [...generate, '--passphrase-command', 'exec sleep 300'];
    const file = join(box.work, '.kubectl-mesh.lock');
    let pid: number | undefined;
    const killed = box.run(args, {onStart: (child) => (pid = child.pid), stdio: 'ignore'});
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), {timeout: 60_000}).toMatch(/\}\s*$/);
    endGroup(pid);
    await killed;
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  }

  it('of a dead process is taken over', async () => {
    const box = await emptyBox();
    await leftLock(box);
    expectExit(await box.run(generate), 0, 'after a dead run');
    expect(existsSync(join(box.work, '.kubectl-mesh.lock'))).toBe(false);
    await box.dispose();
  });

  it('of a dead process whose parent never waited for it (a zombie) is taken over', async () => {
    const box = await emptyBox();
    const holder = await leftLock(box);
    const done = join(box.dir, 'zombie');
    // The shell starts a child and becomes a program that never waits for it.
    const through = ['sh', '-c', `sh -c 'echo $$ > ${done}; exit 0' & exec sleep 2`, 'sh'];
    const parent = box.run([], {through});
    await new Promise((resolve) => setTimeout(resolve, 500));
    const pid = Number(await readFile(done, 'utf8'));
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    expect(stat).toContain(') Z ');
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const ticks = String(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    await box.put('.kubectl-mesh.lock', JSON.stringify({...holder, pid, started: `${boot}/${ticks}`}));
    expectExit(await box.run(generate), 0, 'after a zombie');
    await parent;
    await box.dispose();
  });

  it('of another host is never taken over, and the message says what to do', async () => {
    const box = await emptyBox();
    const holder = await leftLock(box);
    await box.put('.kubectl-mesh.lock', JSON.stringify({...holder, host: 'elsewhere/1/2'}));
    const run = await box.run(generate);
    expectExit(run, 1, 'another host');
    expect(run.stderr).toContain('elsewhere');
    expect(run.stderr).toContain('.kubectl-mesh.lock');
    await box.dispose();
  });

  it.each(['', 'garbage', '{}', '{"pid":1}', '\u0000'.repeat(100)])(
    'that is not a lock of this program is reported: %j',
    async (text) => {
      const box = await emptyBox();
      await box.put('.kubectl-mesh.lock', text);
      const run = await box.run(generate);
      expectExit(run, 1, text);
      expect(run.stderr).toContain('.kubectl-mesh.lock');
      expect(await box.read('.kubectl-mesh.lock')).toBe(text);
      await box.dispose();
    },
  );
});
