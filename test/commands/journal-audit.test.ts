/** User and reason in the journal, and that no change is made that cannot be recorded. */
import {execFileSync} from 'node:child_process';
import {access, chmod, mkdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsPassphrase from '../../src/commands/certs/passphrase.js';
import Init from '../../src/commands/init.js';
import JournalShow from '../../src/commands/journal/show.js';
import TrustPush from '../../src/commands/trust/push.js';
import type {ShowResult} from '../../src/operations/journal/show.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;

beforeEach(async () => {
  mesh = await trustMesh(['c1', 'c2']);
});
afterEach(() => mesh.stop());

const push = (...argv: string[]): Promise<CommandRun> => runCommand(TrustPush, argv, mesh.env);
const journal = (): string => join(mesh.dir, 'journal.jsonl');

async function changes(): Promise<ShowResult['changes']> {
  return (answerOf(await runCommand(JournalShow, ['-o', 'json'], mesh.env)) as ShowResult).changes;
}

describe('the user name on the API server', () => {
  it('is requested once per cluster and recorded only with changes to that cluster', async () => {
    mesh.cluster('c1').username = 'alice@example.com';
    mesh.cluster('c2').username = 'system:serviceaccount:ci:mesh\u001b[31m';
    expect((await push()).code).toBe(0);
    const names = new Set(
      (await changes()).map(({cluster, identity}) => `${cluster ?? ''} ${identity?.username ?? ''}`),
    );
    expect([...names].sort()).toEqual([' ', 'c1 alice@example.com', 'c2 system:serviceaccount:ci:mesh']);
    for (const name of ['c1', 'c2']) {
      expect(mesh.cluster(name).requests.filter(({resource}) => resource === 'selfsubjectreviews')).toHaveLength(1);
    }
  });

  it.each([403, 404, 405, 500])('is omitted without an error if it is not available (%i)', async (status) => {
    mesh.cluster('c1').fault({resource: 'selfsubjectreviews'}, {status}, 9);
    expect((await push('c1')).code).toBe(0);
    const all = await changes();
    expect(all.map(({status: ended}) => ended)).not.toContain('failed');
    expect(all.filter(({identity}) => identity)).toEqual([]);
  });

  it('is not requested without changes or in a dry run', async () => {
    expect((await push('--dry-run=server')).code).toBe(0);
    expect((await push()).code).toBe(0);
    const requested = () =>
      mesh.cluster('c1').requests.filter(({resource}) => resource === 'selfsubjectreviews').length;
    expect(requested()).toBe(1);
    expect((await push()).code).toBe(0);
    expect(requested()).toBe(1);
  });
});

describe('--reason', () => {
  it('is recorded in every intent of the run', async () => {
    expect((await push('--reason', '  CHG-42: new cluster ')).code).toBe(0);
    expect(new Set((await changes()).map(({reason}) => reason))).toEqual(new Set(['CHG-42: new cluster']));
  });

  it('is also read from the environment; the flag takes precedence', async () => {
    const env = {...mesh.env, KUBECTL_MESH_REASON: 'from the pipeline'};
    expect((await runCommand(TrustPush, ['c1'], env)).code).toBe(0);
    expect((await runCommand(TrustPush, ['c2', '--reason', 'by flag'], env)).code).toBe(0);
    expect([...new Set((await changes()).map(({reason}) => reason))]).toEqual(['from the pipeline', 'by flag']);
  });

  it.each([
    ['empty', '   '],
    ['two lines', 'one\ntwo'],
    ['not printable', 'x\u001b[31m'],
    ['hidden characters', 'x\u202ey'],
    ['too long', 'x'.repeat(501)],
  ])('that is %s is a usage error, and nothing changes', async (_, reason) => {
    const run = await push('--reason', reason);
    expect(run.code).toBe(2);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it('may have 500 characters in any script', async () => {
    const reason = '変'.repeat(500);
    expect((await push('c1', '--reason', reason)).code).toBe(0);
    expect((await changes())[0]?.reason).toBe(reason);
  });
});

describe('audit.reasonRequired', () => {
  beforeEach(async () => {
    const path = join(mesh.dir, 'mesh.yaml');
    await writeFile(path, `${await readFile(path, 'utf8')}audit:\n  reasonRequired: true\n`);
  });

  it.each<[string, () => Promise<CommandRun>]>([
    ['trust push', () => push('c1', '-o', 'json')],
    ['trust push --yes', () => push('c1', '--yes', '-o', 'json')],
    ['init', () => runCommand(Init, ['c9=ctx', '-o', 'json'], mesh.env)],
    [
      'certs generate',
      async () => {
        for (const name of ['root-cert.pem', 'c1', 'c2']) await rm(join(mesh.dir, name), {recursive: true});
        const words = ['c1', '--no-passphrase', '--key-algorithm', 'ecdsa-p256', '-o', 'json'];
        return runCommand(CertsGenerate, words, mesh.env);
      },
    ],
  ])('refuses %s without one, before anything happens', async (_, run) => {
    const before = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    const {code, stdout} = await run();
    expect([code, stdout]).toEqual([5, expect.stringContaining('REASON_NEEDED')]);
    expect(mesh.cluster('c1').writes).toEqual([]);
    await expect(readFile(journal())).rejects.toThrow('ENOENT');
    expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toBe(before);
  });

  it('refuses certs passphrase before any passphrase prompt', async () => {
    const key = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
    await writeFile(join(mesh.dir, 'root-key.pem'), key, {mode: 0o600});
    const prompted = join(mesh.dir, 'prompted');
    const words = ['--new-passphrase-command', `touch ${prompted}; echo a-new-passphrase`, '-o', 'json'];
    const run = await runCommand(CertsPassphrase, words, mesh.env);
    expect([run.code, run.stdout]).toEqual([5, expect.stringContaining('REASON_NEEDED')]);
    await expect(access(prompted)).rejects.toThrow('ENOENT');
    expect((await runCommand(CertsPassphrase, [...words, '--reason', 'rotation'], mesh.env)).code).toBe(0);
    await access(prompted);
  });

  it('does not apply to dry runs, read-only commands and runs that change nothing', async () => {
    expect((await push('--dry-run')).code).toBe(0);
    expect((await push('--dry-run=server')).code).toBe(0);
    expect((await push('--reason', 'first')).code).toBe(0);
    expect((await push()).code).toBe(0);
    expect((await changes()).every(({reason}) => reason === 'first')).toBe(true);
  });

  it('is satisfied by the environment', async () => {
    expect((await runCommand(TrustPush, ['c1'], {...mesh.env, KUBECTL_MESH_REASON: 'CHG-1'})).code).toBe(0);
  });
});

describe('a journal that cannot be written', () => {
  const isRoot = process.getuid?.() === 0;
  const outside = (): string => join(mesh.kube.bin, 'elsewhere');

  /** Makes the file read-only, for root, too; returns a function that undoes it. */
  async function readOnly(): Promise<() => void> {
    await writeFile(journal(), '');
    if (!isRoot) {
      await chmod(journal(), 0o444);
      return () => undefined;
    }
    execFileSync('mount', ['--bind', journal(), journal()]);
    execFileSync('mount', ['-o', 'remount,bind,ro', journal()]);
    return () => execFileSync('umount', [journal()]);
  }

  function makePipe(): Promise<void> {
    execFileSync('mkfifo', [journal()]);
    return Promise.resolve();
  }

  /** As root, on a kernel without mounts, no file can be read-only. */
  const canBeReadOnly =
    !isRoot ||
    ((): boolean => {
      try {
        execFileSync('unshare', ['-m', 'true'], {stdio: 'pipe'});
        return true;
      } catch {
        return false;
      }
    })();

  const cases: [string, () => Promise<unknown>][] = [
    ['is a directory', () => mkdir(journal())],
    [
      'is a symbolic link',
      async () => {
        await writeFile(outside(), '');
        await symlink(outside(), journal());
      },
    ],
    ['is a symbolic link to nothing', () => symlink(join(mesh.dir, 'nowhere'), journal())],
    ['is a pipe', makePipe],
    ['is on a full disk', () => symlink('/dev/full', journal())],
    ...(canBeReadOnly ? ([['is read-only', readOnly]] as [string, () => Promise<unknown>][]) : []),
  ];
  it.each(cases)('because it %s stops every change before it is made', async (_, spoil) => {
    const before = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    const undo = await spoil();
    try {
      const run = await push('-o', 'json');
      expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('WORKDIR_UNWRITABLE')]);
      expect(mesh.cluster('c1').writes).toEqual([]);
      expect(mesh.cluster('c2').writes).toEqual([]);
      expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toBe(before);
      const init = await runCommand(Init, ['c9=ctx'], mesh.env);
      expect(init.code).toBe(1);
      expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toBe(before);
    } finally {
      if (undo instanceof Function) (undo as () => void)();
    }
    expect(await readFile(outside(), 'utf8').catch(() => '')).toBe('');
  });

  it('stops every change if its recorded head cannot be read either', async () => {
    await mkdir(join(mesh.dir, '.journal-head.json'));
    const run = await push('-o', 'json');
    expect([run.code, run.stdout]).toEqual([2, expect.stringContaining('.journal-head.json is a directory')]);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it('stops only runs that would make changes', async () => {
    expect((await push()).code).toBe(0);
    await rm(journal());
    await symlink('/dev/full', journal());
    const run = await push('-o', 'json', '--dry-run');
    expect((answerOf(run) as PushResult).clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
  });
});
