import {execFileSync} from 'node:child_process';
import {chmodSync, chownSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {startFakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {clusterNames, emptyBox, meshBox, snapshot, type Box} from './harness/box.js';
import {rows} from './harness/commands.js';
import {expectExit, expectNoCrash} from './harness/run.js';
import {expectWholeWorkDir, journalFaults} from './harness/work-dir-rules.js';

/** Mounting a file system of any size needs root. Where it cannot be had, test/workspace injects the same errors. */
const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'kmf-mount-'));
  try {
    mount(folder, '64k');
    unmount(folder);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
})();
const isRoot = process.getuid?.() === 0;

function mount(folder: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0755`, 'tmpfs', folder], {stdio: 'pipe'});
}

function remount(folder: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, folder], {stdio: 'pipe'});
}

function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder], {stdio: 'pipe'});
}

async function withDisk(size: string, work: (box: Box) => Promise<void>): Promise<void> {
  const box = await emptyBox();
  mount(box.work, size);
  try {
    await work(box);
  } finally {
    unmount(box.work);
    await box.dispose();
  }
}

describe.runIf(canMount)('a full disk', () => {
  const generate = ['certs', 'generate', 'cluster1', 'cluster2', '--key-algorithm', 'ecdsa-p256'];

  it('stops certs generate wherever it fills up, all or none, and the next run completes it', async () => {
    const codes = new Set<number | null>();
    // A page is 4 KiB, and every file and folder takes at least one.
    for (let size = 4; size <= 100; size += 8) {
      await withDisk(`${String(size)}k`, async (box) => {
        const full = await box.run(generate);
        expectNoCrash(full, `${String(size)}k`);
        codes.add(full.code);
        if (full.code !== 0) {
          expect(full.code, full.stderr).toBe(1);
          expect(full.stdout + full.stderr).toContain('no space left');
        }
        await expectWholeWorkDir(box.work, ['cluster1', 'cluster2']);
        const before = await snapshot(box.work);
        remount(box.work, 'size=2m');
        expectExit(await box.run(generate), 0, `after ${String(size)}k`);
        await expectWholeWorkDir(box.work, ['cluster1', 'cluster2']);
        expect(await journalFaults(box.work)).toEqual([]);
        // What the first run had finished was used, not made again.
        const after = await snapshot(box.work);
        for (const file of Object.keys(before).filter((name) => name.endsWith('.pem') && !name.includes('.pending'))) {
          expect(after[file], file).toBe(before[file]);
        }
      });
    }
    expect([...codes].sort()).toEqual([0, 1]);
  });

  it.each(rows(({writes, tools}) => writes && tools.length === 0))('%s says so', async (_name, row) => {
    await withDisk('4k', async (box) => {
      execFileSync('sh', ['-c', 'head -c 100000 /dev/zero > filler; true'], {cwd: box.work, stdio: 'pipe'});
      const before = await snapshot(box.work);
      const run = await box.run([...row.words('cluster1'), '-o', 'json']);
      expectExit(run, 1, 'full');
      expect(run.stdout).toContain('DISK_FULL');
      expect(await snapshot(box.work)).toEqual(before);
    });
  });

  it('stops a push before anything is written to a cluster: what cannot be recorded is not done', async () => {
    const kube = await startFakeKube(['ctx-cluster1']);
    const box = await emptyBox([kube.bin]);
    mount(box.work, '1m');
    try {
      for (const args of [
        ['init', 'cluster1=ctx-cluster1'],
        ['certs', 'generate', '--key-algorithm', 'ecdsa-p256'],
      ]) {
        expectExit(await box.run(args), 0, args.join(' '));
      }
      execFileSync('sh', ['-c', 'head -c 2000000 /dev/zero > filler; true'], {cwd: box.work, stdio: 'pipe'});
      const run = await box.run(['trust', 'push', '-o', 'json']);
      expectExit(run, 1, 'full');
      expect(run.stdout).toContain('DISK_FULL');
      expect(kube.cluster('ctx-cluster1').writes).toEqual([]);
      remount(box.work, 'size=4m');
      expectExit(await box.run(['trust', 'push']), 0, 'again');
      expect(await journalFaults(box.work)).toEqual([]);
    } finally {
      unmount(box.work);
      await box.dispose();
      await kube.stop();
    }
  });

  it('stops the answer, not in silence', async () => {
    const box = await meshBox();
    const through = ['sh', '-c', 'exec "$@" > /dev/full', 'sh'];
    const run = await box.run(['certs', 'list'], {through});
    expectNoCrash(run, '/dev/full');
    expect(run.code).toBe(1);
    const json = await box.run(['certs', 'list', '-o', 'json'], {through});
    expectNoCrash(json, '/dev/full');
    expect(json.code).toBe(1);
    expect(json.stderr).toContain('standard output');
    await box.dispose();
  });
});

describe.runIf(canMount)('a read-only disk', () => {
  it('is enough for commands that only read, and reported by commands that write', async () => {
    const box = await emptyBox();
    const {work} = box;
    mount(work, '2m');
    try {
      for (const args of [
        ['init', ...clusterNames.map((name) => `${name}=ctx-${name}`)],
        ['certs', 'generate', '--key-algorithm', 'ecdsa-p256'],
        ['install', 'render', '--istio-version', '1.31', '--mesh-id', 'mesh1', '--network', 'network1'],
      ]) {
        expectExit(await box.run(args), 0, args.join(' '));
      }
      remount(work, 'ro');
      for (const args of [
        ['certs', 'list'],
        ['certs', 'inspect', 'cluster1'],
        ['certs', 'generate', '--dry-run'],
        ['install', 'render', '--dry-run'],
        ['install', 'render', 'cluster1', '--output-file', '-'],
        ['verify', '--offline'],
      ]) {
        expectExit(await box.run(args), 0, args.join(' '));
      }
      for (const [, {words, writes}] of rows()) {
        if (!writes) continue;
        const refused = await box.run(words('cluster1'));
        expectExit(refused, 1, words('cluster1').join(' '));
        expect(refused.stderr).toContain('read-only');
      }
    } finally {
      unmount(work);
      await box.dispose();
    }
  });
});

describe('umask 000', () => {
  it('opens no key and no folder with a key to others', async () => {
    const box = await emptyBox();
    const through = ['sh', '-c', 'umask 000; exec "$@"', 'sh'];
    const env = {...box.env, WORK_DIR: join(box.work, 'new/er')};
    expectExit(
      await box.run(['certs', 'generate', 'cluster1', '--key-algorithm', 'ecdsa-p256'], {through, env}),
      0,
      'first',
    );
    expectExit(await box.run(['certs', 'generate', 'cluster1', '--renew', '--yes'], {through, env}), 0, 'renewed');
    const modes = Object.entries(await snapshot(join(box.work, 'new/er'))).map(([name, text]) => [
      name,
      text.split(' ')[0],
    ]);
    const seen = Object.fromEntries(modes) as Record<string, string>;
    expect([seen['root-key.pem'], seen['cluster1/ca-key.pem'], seen.cluster1]).toEqual(['600', '600', '700']);
    // Nothing is writable by others.
    expect(modes.filter(([, mode]) => /[2367].$|[2367]$/.test(String(mode)))).toEqual([]);
    expect(await snapshot(box.tmp)).toEqual({});
    await box.dispose();
  });

  it('leaves a work directory that others may enter as it was', async () => {
    const box = await emptyBox();
    chmodSync(box.work, 0o755);
    expectExit(await box.run(['certs', 'generate', 'cluster1', '--key-algorithm', 'ecdsa-p256']), 0, 'generate');
    expect((await snapshot(box.dir)).work).toBe('755 directory');
    await box.dispose();
  });
});

describe.runIf(isRoot)('another user', () => {
  const nobody = 65534;
  const asNobody = ['setpriv', `--reuid=${String(nobody)}`, `--regid=${String(nobody)}`, '--clear-groups'];

  async function sharedBox(): Promise<Box> {
    const box = await meshBox();
    chmodSync(box.dir, 0o755);
    chmodSync(box.work, 0o755);
    for (const folder of [box.tmp, join(box.dir, 'home')]) chownSync(folder, nobody, nobody);
    return box;
  }

  it("may not write to this user's work directory, and gets an error", async () => {
    const box = await sharedBox();
    const before = await snapshot(box.work);
    for (const words of [
      ['init', 'cluster9'],
      ['certs', 'generate'],
      ['install', 'render', '--istio-version', '1.31'],
    ]) {
      const run = await box.run(words, {through: asNobody});
      expectExit(run, 1, words.join(' '));
      expect(run.stderr).toContain('permission denied');
    }
    expect(await snapshot(box.work)).toEqual(before);
    await box.dispose();
  });

  it('reads what is readable, and gets an error for the rest', async () => {
    const box = await sharedBox();
    const run = await box.run(['verify', '--offline'], {through: asNobody});
    expectNoCrash(run, 'verify');
    // Cluster folders are 0700: unknown is never ok.
    expect([2, 4]).toContain(run.code);
    expect(run.stdout + run.stderr).toContain('permission denied');
    expectNoCrash(await box.run(['certs', 'list'], {through: asNobody}), 'list');
    await box.dispose();
  });

  it('has a work directory in which root may work, too', async () => {
    const box = await meshBox();
    for (const name of ['.', ...readdirSync(box.work, {recursive: true, encoding: 'utf8'})]) {
      chownSync(join(box.work, name), nobody, nobody);
    }
    expectExit(await box.run(['certs', 'generate', 'cluster1', '--renew', '--yes']), 0, 'renew');
    await expectWholeWorkDir(box.work, clusterNames);
    await box.dispose();
  });
});
