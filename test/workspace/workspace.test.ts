import {execFileSync} from 'node:child_process';
import {chmod, lstat, mkdir, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {Sensitive} from '../../src/domain/sensitive.js';
import type {Faults} from '../../src/workspace/atomic.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {createTemporaryDirectory} from '../../src/workspace/temporary.js';
import {temporaryRoot} from './temporary-root.js';

const now = (): Date => new Date('2024-01-01T00:00:00Z');
const key = new Sensitive('the key');

function workspaceAt(root: string, faults?: Faults) {
  return createWorkspace({root, now, ...(faults && {faults})});
}

/** Fails like a file system, at the first step of this name. */
function failing(point: string, code: string): Faults {
  return (at) => {
    if (at === point) throw Object.assign(new Error(`${code}: injected`), {code});
  };
}

async function mode(...path: readonly string[]): Promise<number> {
  return (await lstat(join(...path))).mode & 0o777;
}

describe('writing', () => {
  it.each([0o000, 0o022, 0o077, 0o777])('sets modes explicitly under umask %o', async (umask) => {
    const root = await temporaryRoot();
    const before = process.umask(umask);
    try {
      const workspace = workspaceAt(root);
      await workspace.write([{path: 'root-key.pem', content: key}]);
      await workspace.write([
        {path: 'cluster1/ca-key.pem', content: key},
        {path: 'cluster1/ca-cert.pem', content: 'ca'},
      ]);
      await workspace.write([{path: 'cluster2/request/ca-key.pem', content: key}]);
    } finally {
      process.umask(before);
    }
    expect(await mode(root, 'root-key.pem')).toBe(0o600);
    expect(await mode(root, 'cluster1')).toBe(0o700);
    expect(await mode(root, 'cluster1/ca-key.pem')).toBe(0o600);
    expect(await mode(root, 'cluster1/ca-cert.pem')).toBe(0o644);
    expect(await mode(root, 'cluster2/request')).toBe(0o700);
  });

  it('restricts the mode of an existing key, and keeps modes and directories of the user', async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, 'cluster1'));
    await chmod(join(root, 'cluster1'), 0o755);
    await writeFile(join(root, 'cluster1/ca-key.pem'), 'old', {mode: 0o644});
    await writeFile(join(root, 'mesh.yaml'), 'old');
    await chmod(join(root, 'mesh.yaml'), 0o664);
    const workspace = workspaceAt(root);
    await workspace.write([{path: 'cluster1/ca-key.pem', content: key}]);
    await workspace.write([{path: 'mesh.yaml', content: 'new'}]);
    expect(await mode(root, 'cluster1/ca-key.pem')).toBe(0o600);
    expect(await mode(root, 'cluster1')).toBe(0o755);
    expect(await mode(root, 'mesh.yaml')).toBe(0o664);
  });

  const sets = {
    one: [{path: 'cluster1/ca-key.pem', content: key}],
    several: [
      {path: 'cluster1/ca-key.pem', content: key},
      {path: 'cluster1/ca-cert.pem', content: 'new'},
    ],
  };
  const faults: readonly [string, string, string][] = [
    ['ENOSPC', 'write', 'DISK_FULL'],
    ['EDQUOT', 'write', 'DISK_FULL'],
    ['EROFS', 'create', 'WORKDIR_UNWRITABLE'],
    ['EACCES', 'create', 'WORKDIR_UNWRITABLE'],
    ['EIO', 'sync', 'WORKDIR_UNWRITABLE'],
    ['ENOSPC', 'rename', 'DISK_FULL'],
  ];
  it.each(faults.flatMap((fault) => (['one', 'several'] as const).map((set) => [...fault, set] as const)))(
    'leaves the old files when %s stops it at %s (%s), %s',
    async (code, point, expected, set) => {
      const root = await temporaryRoot();
      await mkdir(join(root, 'cluster1'));
      for (const name of ['ca-key.pem', 'ca-cert.pem']) await writeFile(join(root, 'cluster1', name), 'old');
      await expect(workspaceAt(root, failing(point, code)).write(sets[set])).rejects.toMatchObject({
        code: expected,
        message: expect.stringContaining(join(root, 'cluster1')) as string,
        hints: [expect.any(String)],
      });
      expect(await readdir(join(root, 'cluster1'))).toEqual(['ca-cert.pem', 'ca-key.pem']);
      expect(await readFile(join(root, 'cluster1/ca-key.pem'), 'utf8')).toBe('old');
      // The same command works once there is room again.
      await workspaceAt(root).write(sets[set]);
      expect(await readFile(join(root, 'cluster1/ca-key.pem'), 'utf8')).toBe('the key');
    },
  );

  it('completes a committed set later if moving its files fails', async () => {
    const root = await temporaryRoot();
    await expect(workspaceAt(root, failing('move', 'EROFS')).write(sets.several)).rejects.toMatchObject({
      code: 'WORKDIR_UNWRITABLE',
    });
    const workspace = workspaceAt(root);
    expect(await workspace.readText('cluster1/ca-cert.pem')).toBe('new');
    expect(await workspace.recover()).toEqual([expect.stringContaining('completed')]);
    expect(await readdir(join(root, 'cluster1'))).toEqual(['ca-cert.pem', 'ca-key.pem']);
    expect(await workspace.recover()).toEqual([]);
  });

  it('refuses to write keys through symbolic links to files and directories', async () => {
    const root = await temporaryRoot();
    const elsewhere = await temporaryRoot();
    await symlink(elsewhere, join(root, 'cluster1'));
    await symlink(join(elsewhere, 'stolen.pem'), join(root, 'root-key.pem'));
    const workspace = workspaceAt(root);
    for (const files of [sets.one, sets.several, [{path: 'root-key.pem', content: key}]]) {
      await expect(workspace.write(files)).rejects.toMatchObject({code: 'SYMLINK'});
    }
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it('keeps a symbolic link to a declaration in the work directory, alone and in a set', async () => {
    const root = await temporaryRoot();
    const elsewhere = join(root, 'declarations');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'mesh.yaml'), 'old');
    await symlink(join(elsewhere, 'mesh.yaml'), join(root, 'mesh.yaml'));
    const workspace = workspaceAt(root);
    await workspace.write([{path: 'mesh.yaml', content: 'one'}]);
    expect(await readFile(join(elsewhere, 'mesh.yaml'), 'utf8')).toBe('one');
    await workspace.write([
      {path: 'mesh.yaml', content: 'two'},
      {path: '.gitignore', content: '*key.pem'},
    ]);
    expect(await readFile(join(elsewhere, 'mesh.yaml'), 'utf8')).toBe('two');
    expect((await workspace.stat('mesh.yaml'))?.kind).toBe('symlink');
  });

  it.each([
    ['one file', 'mesh.yaml', [{path: 'mesh.yaml', content: 'x'}]],
    [
      'a set',
      'mesh.yaml',
      [
        {path: 'mesh.yaml', content: 'x'},
        {path: '.gitignore', content: 'x'},
      ],
    ],
    ['install.yaml', 'c1/install.yaml', [{path: 'c1/install.yaml', content: 'x'}]],
  ])('refuses a link that leads out of the work directory: %s', async (_what, path, files) => {
    const root = await temporaryRoot();
    const elsewhere = await temporaryRoot();
    await writeFile(join(elsewhere, 'theirs'), 'old');
    await mkdir(dirname(join(root, path)), {recursive: true});
    await symlink(join(elsewhere, 'theirs'), join(root, path));
    await expect(workspaceAt(root).write(files)).rejects.toMatchObject({code: 'SYMLINK'});
    expect(await readFile(join(elsewhere, 'theirs'), 'utf8')).toBe('old');
  });

  it('refuses a cluster directory that is a link to a directory outside', async () => {
    const root = await temporaryRoot();
    const elsewhere = await temporaryRoot();
    await symlink(elsewhere, join(root, 'c1'));
    await expect(workspaceAt(root).write([{path: 'c1/install.yaml', content: 'x'}])).rejects.toMatchObject({
      code: 'SYMLINK',
    });
    expect(await readdir(elsewhere)).toEqual([]);
  });

  it.each([
    ['root-key.pem', 'c1/install.yaml', '../root-key.pem'],
    ['another key', 'c1/install.yaml', '../hsm-key.pem'],
    ['another cluster', 'c1/install.yaml', '../c2/install.yaml'],
    ["git's configuration", '.gitignore', '.git/config'],
  ])('refuses a link to %s, and does not show what is there', async (_what, path, target) => {
    const root = await temporaryRoot();
    const place = join(dirname(join(root, path)), target);
    for (const one of [path, 'c2/x', '.git/x']) await mkdir(dirname(join(root, one)), {recursive: true});
    await writeFile(place, 'old');
    await symlink(target, join(root, path));
    const workspace = workspaceAt(root);
    await expect(workspace.write([{path, content: 'x'}])).rejects.toMatchObject({code: 'SYMLINK'});
    await expect(workspace.readGenerated(path)).rejects.toMatchObject({code: 'SYMLINK'});
    expect(await readFile(place, 'utf8')).toBe('old');
  });

  it.each(['outside', 'c2'])('removes nothing through a link to a directory (%s)', async (target) => {
    const [root, outside] = [await temporaryRoot(), await temporaryRoot()];
    const place = target === 'outside' ? outside : join(root, 'c2/request');
    await mkdir(join(root, 'c1'));
    await mkdir(place, {recursive: true});
    await writeFile(join(place, 'ca-key.pem'), 'theirs');
    await symlink(place, join(root, 'c1/request'));
    await expect(workspaceAt(root).remove(['c1/request/ca-key.pem'])).rejects.toMatchObject({code: 'SYMLINK'});
    expect(await readFile(join(place, 'ca-key.pem'), 'utf8')).toBe('theirs');
  });

  it('removes a link itself, not its target', async () => {
    const [root, outside] = [await temporaryRoot(), await temporaryRoot()];
    await writeFile(join(outside, 'theirs'), 'theirs');
    await symlink(join(outside, 'theirs'), join(root, 'root-cert.pem'));
    await workspaceAt(root).remove(['root-cert.pem']);
    expect([await readdir(root), await readdir(outside)]).toEqual([[], ['theirs']]);
  });

  it('does not replace a file that must be new', async () => {
    const root = await temporaryRoot();
    await writeFile(join(root, 'root-key.pem'), 'old');
    const files = [
      {path: 'root-key.pem', content: key, isNew: true},
      {path: 'root-cert.pem', content: 'x'},
    ];
    await expect(workspaceAt(root).write(files)).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
    // Also if it is created after the set was written.
    await rm(join(root, 'root-key.pem'));
    const racing = workspaceAt(root, async (point, path) => {
      if (point === 'move' && path.endsWith('root-key.pem')) await writeFile(path, 'theirs');
    });
    await expect(racing.write(files)).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(await readFile(join(root, 'root-key.pem'), 'utf8')).toBe('theirs');
  });

  it.each([
    ['a folder in a file\u2019s place', 'cluster1/ca-key.pem/x', sets.several],
    ['a folder in a single file\u2019s place', 'cluster1/ca-key.pem/x', sets.one],
    ['a file in a folder\u2019s place', 'cluster1', sets.several],
    ['a file in a folder\u2019s place, for one', 'cluster1', sets.one],
  ])('says what is in the way: %s', async (_what, blocked, files) => {
    const root = await temporaryRoot();
    await mkdir(join(root, blocked, '..'), {recursive: true});
    await writeFile(join(root, blocked), '');
    await expect(workspaceAt(root).write(files)).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  });

  it.each(['../x', '/etc/x', 'a/../../x', '', 'a//b'])(
    'refuses a path that leaves the work directory: %j',
    async (path) => {
      const workspace = workspaceAt(await temporaryRoot());
      await expect(workspace.write([{path, content: 'x'}])).rejects.toMatchObject({code: 'INTERNAL'});
      await expect(workspace.readText(path)).rejects.toMatchObject({code: 'INTERNAL'});
    },
  );

  it('refuses a commit marker with paths outside the work directory', async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, '.pending'));
    await writeFile(join(root, '.pending/0'), 'x');
    await writeFile(join(root, '.pending/commit'), JSON.stringify({version: 1, files: [{pending: '0', path: '../x'}]}));
    await expect(workspaceAt(root).recover()).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  });

  it('keeps concurrently written sets of several clusters separate', async () => {
    const root = await temporaryRoot();
    const workspace = workspaceAt(root);
    const clusters = Array.from({length: 20}, (_, index) => `c${String(index)}`);
    await Promise.all(
      clusters.flatMap((name) =>
        ['first', 'second'].map((text) =>
          workspace.write([
            {path: `${name}/ca-key.pem`, content: new Sensitive(text)},
            {path: `${name}/ca-cert.pem`, content: text},
          ]),
        ),
      ),
    );
    for (const name of clusters) {
      expect(await readdir(join(root, name))).toEqual(['ca-cert.pem', 'ca-key.pem']);
      expect(await readFile(join(root, name, 'ca-key.pem'), 'utf8')).toBe('second');
    }
  });
});

describe('reading', () => {
  it('distinguishes missing from unreadable files', async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, 'mesh.yaml'));
    const workspace = workspaceAt(root);
    expect(await workspace.readText('cluster1/ca-cert.pem')).toBeUndefined();
    expect(await workspace.readSecret('root-key.pem')).toBeUndefined();
    expect(await workspace.stat('x')).toBeUndefined();
    expect(await workspace.list('x')).toEqual([]);
    await expect(workspace.readText('mesh.yaml')).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
    await expect(workspace.readOutside(join(root, 'no'))).rejects.toMatchObject({code: 'FILE_MISSING'});
    expect(await workspaceAt(join(root, 'nowhere')).recover()).toEqual([]);
    await workspace.remove(['nothing.pem']);
  });

  it('returns keys as sensitive values', async () => {
    const workspace = workspaceAt(await temporaryRoot());
    await workspace.write([{path: 'root-key.pem', content: key}]);
    const read = await workspace.readSecret('root-key.pem');
    expect(read?.reveal()).toBe('the key');
    expect(JSON.stringify({read})).not.toContain('the key');
  });
});

describe('the journal on disk', () => {
  it('records intent, outcome, user and time, and never a key', async () => {
    const root = await temporaryRoot();
    const {journal} = workspaceAt(root);
    const intent = await journal.intent({
      command: 'trust push',
      action: 'c1/cacerts',
      cluster: 'c1',
      title: 'create Secret',
    });
    await journal.outcome({intent, status: 'done', detail: {key}});
    const {entries, faults} = await journal.read();
    expect(faults).toEqual([]);
    expect(entries.map(({kind, cluster, pid, time}) => ({kind, cluster, pid, time}))).toEqual(
      ['intent', 'outcome'].map((kind) => ({kind, cluster: 'c1', pid: process.pid, time: now().toISOString()})),
    );
    expect(await readFile(join(root, 'journal.jsonl'), 'utf8')).not.toContain('the key');
  });

  it('is one chain for concurrent entries, and for later runs', async () => {
    const root = await temporaryRoot();
    for (let run = 0; run < 3; run++) {
      const {journal} = workspaceAt(root);
      await Promise.all(
        Array.from({length: 10}, async (_, index) => {
          const intent = await journal.intent({command: 'x', action: String(index), title: 't'});
          await journal.outcome({intent, status: 'done'});
        }),
      );
    }
    const {entries, faults, heads} = await workspaceAt(root).journal.read();
    expect([entries.length, faults.length, heads.size]).toEqual([60, 0, 1]);
  });

  it('closes the intent of a killed run as unknown', async () => {
    const root = await temporaryRoot();
    await workspaceAt(root).journal.intent({
      command: 'trust push',
      action: 'c1/cacerts',
      cluster: 'c1',
      title: 'create Secret',
    });
    const workspace = workspaceAt(root);
    expect(await workspace.recover()).toEqual([expect.stringContaining('create Secret')]);
    const {entries, open} = await workspace.journal.read();
    expect(open).toEqual([]);
    expect(entries.at(-1)).toMatchObject({status: 'unknown', command: 'trust push', cluster: 'c1'});
    expect(await workspace.recover()).toEqual([]);
  });

  it('closes a truncated last line and continues', async () => {
    const root = await temporaryRoot();
    const write = (action: string) => workspaceAt(root).journal.intent({command: 'x', action, title: 't'});
    await write('one');
    const path = join(root, 'journal.jsonl');
    await writeFile(path, `${await readFile(path, 'utf8')}{"kind":"inte`);
    expect((await workspaceAt(root).journal.read()).faults).toMatchObject([{kind: 'torn'}]);
    await write('two');
    const {faults, entries} = await workspaceAt(root).journal.read();
    expect(faults).toEqual([]);
    expect(entries.map(({kind}) => kind)).toEqual(['intent', 'repair', 'intent']);
  });

  it('does not write its head through a link, or wait for a pipe', async () => {
    const [root, outside] = [await temporaryRoot(), await temporaryRoot()];
    const temporary = join(root, '.journal-head.json.kubectl-mesh-tmp');
    await writeFile(join(outside, 'theirs'), 'old');
    await symlink(join(outside, 'theirs'), temporary);
    const write = () => workspaceAt(root).journal.intent({command: 'x', action: 'y', title: 't'});
    await write();
    expect(await readFile(join(outside, 'theirs'), 'utf8')).toBe('old');
    execFileSync('mkfifo', [temporary]);
    await write();
    expect((await workspaceAt(root).journal.read()).faults).toEqual([]);
    expect(await mode(root, '.journal-head.json')).toBe(0o600);
  });

  it('detects removed entries even after more were written', async () => {
    const root = await temporaryRoot();
    const path = join(root, 'journal.jsonl');
    const write = () => workspaceAt(root).journal.intent({command: 'x', action: 'y', title: 't'});
    await write();
    const first = await readFile(path, 'utf8');
    await write();
    await writeFile(path, first);
    expect((await workspaceAt(root).journal.read()).faults).toMatchObject([{kind: 'cut-off'}]);
    await write();
    expect((await workspaceAt(root).journal.read()).faults).toMatchObject([{kind: 'out-of-place'}]);
  });

  it('starts a new chain in a copy, as in a clone', async () => {
    const [root, copy] = [await temporaryRoot(), await temporaryRoot()];
    const write = (at: string) => workspaceAt(at).journal.intent({command: 'x', action: 'y', title: 't'});
    await write(root);
    for (const name of ['journal.jsonl', '.journal-head.json']) {
      await writeFile(join(copy, name), await readFile(join(root, name)));
    }
    await write(copy);
    const {heads, faults} = await workspaceAt(copy).journal.read();
    expect([heads.size, faults.length]).toEqual([2, 0]);
    // An intent of the other copy is not ours to close: its run may be under way.
    await workspaceAt(copy).recover();
    expect((await workspaceAt(copy).journal.read()).open).toHaveLength(1);
  });

  it('throws if it cannot record an intent', async () => {
    const {journal} = workspaceAt(await temporaryRoot(), failing('journal-write', 'ENOSPC'));
    await expect(journal.intent({command: 'x', action: 'y', title: 't'})).rejects.toMatchObject({code: 'DISK_FULL'});
  });

  it('is not written through a symbolic link', async () => {
    const root = await temporaryRoot();
    await writeFile(join(root, 'elsewhere'), '');
    await symlink(join(root, 'elsewhere'), join(root, 'journal.jsonl'));
    await expect(workspaceAt(root).journal.intent({command: 'x', action: 'y', title: 't'})).rejects.toMatchObject({
      code: 'WORKDIR_UNWRITABLE',
    });
  });
});

describe('a temporary directory', () => {
  it('is private, short enough for sockets, and removable', async () => {
    const before = process.umask(0);
    const directory = await createTemporaryDirectory().finally(() => process.umask(before));
    expect((await lstat(directory.path)).mode & 0o777).toBe(0o700);
    expect(directory.path.length).toBeLessThan(80);
    await writeFile(join(directory.path, 'socket'), '');
    await directory.remove();
    await directory.remove();
    await expect(lstat(directory.path)).rejects.toThrow('ENOENT');
  });
});
