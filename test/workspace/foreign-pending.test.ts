/** `.pending` from a git repository, an archive or another program: never moved, deleted or read. */
import {cp, mkdir, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {entryLine, seal} from '../../src/domain/journal/chain.js';
import type {JournalEntry, JournalRecord} from '../../src/domain/journal/entry.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {temporaryRoot} from './temporary-root.js';

const now = (): Date => new Date('2026-01-01T00:00:00Z');

const set = [
  {path: 'cluster1/ca-key.pem', content: new Sensitive('new key')},
  {path: 'cluster1/ca-cert.pem', content: 'new ca'},
];

/** Writes a marker and files to `.pending` in a directory. */
async function plant(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  const pending = join(directory, '.pending');
  await mkdir(pending, {recursive: true});
  for (const [index, content] of Object.values(files).entries()) await writeFile(join(pending, String(index)), content);
  const marked = Object.keys(files).map((path, index) => ({pending: String(index), path}));
  await writeFile(join(pending, 'commit'), JSON.stringify({version: 1, files: marked}));
}

/** A work directory in which a run was interrupted after it committed a set, before it moved the files. */
async function interrupted(): Promise<string> {
  const root = await temporaryRoot();
  const faults = (point: string): void => {
    if (point === 'move') throw Object.assign(new Error('injected'), {code: 'EROFS'});
  };
  const workspace = createWorkspace({root, now, faults});
  const intent = await workspace.journal.intent({command: 'certs generate', action: 'cluster1/ca', title: 'issue'});
  await expect(workspace.write(set, intent)).rejects.toMatchObject({code: 'WORKDIR_UNWRITABLE'});
  return root;
}

async function contentOf(directory: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(directory, {recursive: true, withFileTypes: true});
  const files = entries.filter((entry) => entry.isFile()).map(({parentPath, name}) => join(parentPath, name));
  return Object.fromEntries(
    await Promise.all(files.map(async (path) => [path, await readFile(path, 'utf8')] as const)),
  );
}

async function expectRefused(root: string, directory = root): Promise<void> {
  const before = await contentOf(root);
  const workspace = createWorkspace({root, now});
  await expect(workspace.recover()).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  const path = directory === root ? 'mesh.yaml' : 'cluster1/install.yaml';
  await expect(workspace.write([{path, content: 'x'}])).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  expect(await contentOf(root)).toEqual(before);
}

describe('a set that no run of this copy left', () => {
  it('does not replace root-key.pem, and is not read', async () => {
    const root = await temporaryRoot();
    await writeFile(join(root, 'root-key.pem'), 'mine');
    await plant(root, {'root-key.pem': 'theirs'});
    expect((await createWorkspace({root, now}).readSecret('root-key.pem'))?.reveal()).toBe('mine');
    await expectRefused(root);
  });

  it('does not write through links', async () => {
    const [root, outside] = [await temporaryRoot(), await temporaryRoot()];
    await writeFile(join(outside, 'profile'), 'old');
    await symlink(join(outside, 'profile'), join(root, 'mesh.yaml'));
    await plant(root, {'mesh.yaml': 'theirs'});
    await expect(createWorkspace({root, now}).recover()).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(await readFile(join(outside, 'profile'), 'utf8')).toBe('old');
  });

  it('is refused in a cluster directory too', async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, 'cluster1'));
    await plant(join(root, 'cluster1'), {'ca-key.pem': 'theirs'});
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('is not deleted if it was not committed: it may hold the only copy of a key', async () => {
    const root = await temporaryRoot();
    await mkdir(join(root, '.pending'));
    await writeFile(join(root, '.pending/0'), 'the only root key');
    await expectRefused(root);
  });

  it('is refused in a copy of the work directory, with its journal and head file', async () => {
    const copy = join(await temporaryRoot(), 'copy');
    await cp(await interrupted(), copy, {recursive: true});
    expect(await createWorkspace({root: copy, now}).readText('cluster1/ca-cert.pem')).toBeUndefined();
    await expectRefused(copy, join(copy, 'cluster1'));
  });

  it.each([
    ['another content', (pending: string) => writeFile(join(pending, '0'), 'other')],
    ['another file', (pending: string) => writeFile(join(pending, '7'), 'other')],
    ['a link', (pending: string) => symlink('/etc/hostname', join(pending, '2'))],
    [
      'another destination',
      (pending: string) =>
        writeFile(
          join(pending, 'commit'),
          JSON.stringify({
            version: 1,
            files: [
              {pending: '0', path: 'cert-chain.pem'},
              {pending: '1', path: 'ca-cert.pem'},
            ],
          }),
        ),
    ],
  ])('is refused if the recorded set has %s', async (_what, change) => {
    const root = await interrupted();
    await change(join(root, 'cluster1/.pending'));
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('is refused if a journal from elsewhere names it', async () => {
    const root = await interrupted();
    const other = await temporaryRoot();
    await mkdir(join(other, 'cluster1'));
    const workspace = createWorkspace({root: other, now});
    await workspace.journal.intent({command: 'x', action: 'y', title: 'z'});
    await cp(join(root, 'cluster1/.pending'), join(other, 'cluster1/.pending'), {recursive: true});
    const [own, theirs] = await Promise.all([root, other].map((at) => readFile(join(at, 'journal.jsonl'), 'utf8')));
    await writeFile(join(other, 'journal.jsonl'), `${String(theirs)}${String(own)}`);
    await expectRefused(other, join(other, 'cluster1'));
  });
});

describe('a record that is repeated or loses its end', () => {
  const journalOf = (root: string) => join(root, 'journal.jsonl');
  const linesOf = async (root: string) => (await readFile(journalOf(root), 'utf8')).split('\n').filter(Boolean);

  /** A work directory whose interrupted set was recovered, and a copy of `.pending` before that. */
  async function recovered(): Promise<{readonly root: string; readonly saved: string}> {
    const root = await interrupted();
    const saved = join(await temporaryRoot(), 'saved');
    await cp(join(root, 'cluster1/.pending'), saved, {recursive: true});
    await createWorkspace({root, now}).recover();
    return {root, saved};
  }

  const restore = (root: string, saved: string) => cp(saved, join(root, 'cluster1/.pending'), {recursive: true});

  it('does not make an old set acceptable: the record is appended again, at its new position', async () => {
    const {root, saved} = await recovered();
    const lines = await linesOf(root);
    const entries = lines.map((line) => JSON.parse(line) as JournalEntry);
    const [set, last] = [entries.find(({kind}) => kind === 'set'), entries.at(-1)];
    if (!set || !last) throw new Error('no entries');
    const kept = Object.entries(set).filter(([name]) => name !== 'hash' && name !== 'intent');
    const record = Object.fromEntries(kept) as unknown as JournalRecord;
    await writeFile(journalOf(root), [...lines, entryLine(seal(record, set.chain, last))].join('\n'));
    await restore(root, saved);
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('does not make an old set acceptable: the entries after it are removed', async () => {
    const {root, saved} = await recovered();
    const lines = await linesOf(root);
    await writeFile(journalOf(root), `${lines.slice(0, 2).join('\n')}\n`);
    await restore(root, saved);
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('does not make an old set acceptable: its recovery is removed', async () => {
    const {root, saved} = await recovered();
    const lines = await linesOf(root);
    await writeFile(journalOf(root), `${lines.filter((line) => !line.includes('"recovery"')).join('\n')}\n`);
    await restore(root, saved);
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('does not prevent writing sets: only the journal of earlier changes is damaged', async () => {
    const {root} = await recovered();
    const lines = await linesOf(root);
    await writeFile(journalOf(root), `${lines.slice(1).join('\n')}\n`);
    await createWorkspace({root, now}).write(set);
    expect(await readFile(join(root, 'cluster1/ca-cert.pem'), 'utf8')).toBe('new ca');
    const faults = (point: string): void => {
      if (point === 'move') throw Object.assign(new Error('injected'), {code: 'EROFS'});
    };
    await expect(createWorkspace({root, now, faults}).write(set)).rejects.toBeDefined();
    expect(await createWorkspace({root, now}).recover()).not.toEqual([]);
    expect(await readdir(join(root, 'cluster1'))).toEqual(['ca-cert.pem', 'ca-key.pem']);
  });
});

describe('a set of this copy that was changed since', () => {
  it('is kept if it was not committed and contains anything else: it may be a restored backup', async () => {
    const root = await interrupted();
    const pending = join(root, 'cluster1/.pending');
    await rm(join(pending, 'commit'));
    await writeFile(join(pending, '0'), 'the only root key');
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('is discarded if it was not committed and a file is still empty', async () => {
    const root = await interrupted();
    const pending = join(root, 'cluster1/.pending');
    await rm(join(pending, 'commit'));
    await writeFile(join(pending, '1'), '');
    expect(await createWorkspace({root, now}).recover()).toHaveLength(2);
    expect(await readdir(join(root, 'cluster1'))).toEqual([]);
  });

  it.each([
    [
      'a file is named twice',
      [
        {pending: '0', path: 'ca-key.pem'},
        {pending: '0', path: 'ca-key.pem'},
      ],
    ],
    [
      'a content has two places',
      [
        {pending: '1', path: 'ca-cert.pem'},
        {pending: '1', path: 'ca-key.pem'},
      ],
    ],
  ])('is refused if %s', async (_what, files) => {
    const root = await interrupted();
    await writeFile(join(root, 'cluster1/.pending/commit'), JSON.stringify({version: 1, files}));
    await expectRefused(root, join(root, 'cluster1'));
  });

  it.each([
    ['the directory of a key', 'cluster1/request', {path: 'cluster1/request/ca-key.pem', content: new Sensitive('k')}],
    ['a certificate', 'cluster1/ca-cert.pem', {path: 'cluster1/ca-cert.pem', content: 'c'}],
  ])('is not moved through a link that replaced %s', async (_what, replaced, file) => {
    const [root, outside] = [await temporaryRoot(), await temporaryRoot()];
    const faults = (point: string): void => {
      if (point === 'move') throw Object.assign(new Error('injected'), {code: 'EROFS'});
    };
    const files = [file, {path: 'cluster1/cert-chain.pem', content: 'chain'}];
    await expect(createWorkspace({root, now, faults}).write(files)).rejects.toBeDefined();
    await writeFile(join(outside, 'theirs'), 'old');
    await rm(join(root, replaced), {recursive: true, force: true});
    await symlink(replaced.endsWith('.pem') ? join(outside, 'theirs') : outside, join(root, replaced));
    const before = await contentOf(root);
    await expect(createWorkspace({root, now}).recover()).rejects.toMatchObject({code: 'SYMLINK'});
    expect(await contentOf(outside)).toEqual({[join(outside, 'theirs')]: 'old'});
    expect(await contentOf(root)).toEqual(before);
  });
});

describe('a set of this copy', () => {
  it('is completed, recorded with its files, and reported', async () => {
    const root = await interrupted();
    const workspace = createWorkspace({root, now});
    expect((await workspace.readSecret('cluster1/ca-key.pem'))?.reveal()).toBe('new key');
    expect(await workspace.recover()).toHaveLength(2);
    expect(await readFile(join(root, 'cluster1/ca-key.pem'), 'utf8')).toBe('new key');
    const {entries, faults, open} = await workspace.journal.read();
    expect([faults, open]).toEqual([[], []]);
    expect(entries.map(({kind, action}) => `${kind} ${action}`)).toEqual(
      ['intent', 'set', 'recovery', 'outcome'].map((kind) => `${kind} cluster1/ca`),
    );
    expect(entries[2]?.detail).toMatchObject({
      directory: 'cluster1',
      files: ['ca-cert.pem', 'ca-key.pem'],
      result: 'completed',
    });
    expect(JSON.stringify(entries)).not.toContain('new key');
  });

  it('is not accepted twice', async () => {
    const root = await interrupted();
    const pending = join(root, 'cluster1/.pending');
    const aside = join(await temporaryRoot(), 'aside');
    await cp(pending, aside, {recursive: true});
    await createWorkspace({root, now}).recover();
    await cp(aside, pending, {recursive: true});
    await expectRefused(root, join(root, 'cluster1'));
  });

  it('in the directory of the root key is recorded by the work directory', async () => {
    const [root, disk] = [await temporaryRoot(), await temporaryRoot()];
    const faults = (point: string): void => {
      if (point === 'move') throw Object.assign(new Error('injected'), {code: 'EIO'});
    };
    const files = [
      {path: 'root-key.pem', content: new Sensitive('root key'), isNew: true},
      {path: 'root-cert.pem', content: 'root'},
    ];
    await expect(createWorkspace({root, now, faults}).directory(disk).write(files)).rejects.toBeDefined();
    expect(await createWorkspace({root, now}).directory(disk).readText('root-cert.pem')).toBe('root');
    expect(await createWorkspace({root: disk, now}).readText('root-cert.pem')).toBeUndefined();
    expect(await readdir(disk)).toEqual(['.pending']);
  });
});
