import {chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {readJournal} from '../../src/domain/journal/chain.js';
import {createReadOnlyWorkspace} from '../../src/workspace/read-only.js';
import type {Workspace} from '../../src/workspace/workspace.js';

let root: string;
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'km-read-only-'));
  lines = [];
});

afterEach(async () => {
  await chmod(root, 0o700);
  await rm(root, {recursive: true});
});

const open = (write?: (line: string) => Promise<void>): Workspace =>
  createReadOnlyWorkspace(
    {root, now: () => new Date('2026-11-30T00:00:00Z')},
    write ??
      ((line) => {
        lines.push(line);
        return Promise.resolve();
      }),
  );

/** Lays out mesh.yaml as the kubelet does for a ConfigMap: a link to a link. */
async function mountConfigMap(text: string): Promise<void> {
  await mkdir(join(root, '..2026_11_30'));
  await writeFile(join(root, '..2026_11_30', 'mesh.yaml'), text);
  await symlink('..2026_11_30', join(root, '..data'));
  await symlink('..data/mesh.yaml', join(root, 'mesh.yaml'));
  await chmod(root, 0o555);
}

async function change(workspace: Workspace): Promise<void> {
  const lock = await workspace.lock('link');
  expect(await workspace.recover()).toEqual([]);
  const one = {command: 'link', action: 'c1/token', cluster: 'c1', title: 'renew'};
  const intents = await Promise.all([workspace.journal.intent(one), workspace.journal.intent({...one, action: 'x'})]);
  for (const intent of intents) await workspace.journal.outcome({intent, status: 'done'});
  await lock.release();
}

describe('a work directory that is only read', () => {
  it('is readable as a mounted ConfigMap, and stays as it is', async () => {
    await mountConfigMap('kind: Mesh\n');
    const before = await readdir(root);
    const workspace = open();
    expect(await workspace.readText('mesh.yaml')).toBe('kind: Mesh\n');
    expect(await workspace.readText('contexts.yaml')).toBeUndefined();
    await change(workspace);
    expect(await readdir(root)).toEqual(before);
  });

  it('refuses every write, and names the file', async () => {
    const workspace = open();
    await expect(workspace.write([{path: 'mesh.yaml', content: 'x'}])).rejects.toMatchObject({
      code: 'WORKDIR_UNWRITABLE',
      message: expect.stringContaining('mesh.yaml') as string,
    });
    await expect(workspace.remove(['mesh.yaml'])).rejects.toMatchObject({code: 'WORKDIR_UNWRITABLE'});
    await expect(workspace.directory(join(root, 'x')).write([{path: 'y', content: 'x'}])).rejects.toMatchObject({
      code: 'WORKDIR_UNWRITABLE',
    });
    await workspace.write([]);
    expect(await readdir(root)).toEqual([]);
  });
});

describe('a journal in a stream', () => {
  it('is intact, each run with a chain of its own', async () => {
    await change(open());
    await change(open());
    const {entries, faults, heads, open: unfinished} = readJournal(lines.join(''));
    expect(faults).toEqual([]);
    expect(unfinished).toEqual([]);
    expect(entries.map(({kind}) => kind)).toEqual([
      ...entries.map((_, index) => (index % 4 < 2 ? 'intent' : 'outcome')),
    ]);
    expect(entries).toHaveLength(8);
    expect(heads.size).toBe(2);
    expect(entries.filter(({kind}) => kind === 'outcome').map(({cluster}) => cluster)).toEqual(Array(4).fill('c1'));
  });

  it('fails before the change if the stream is closed', async () => {
    const {journal} = open(() => Promise.reject(new Error('EPIPE')));
    const intent = journal.intent({command: 'link', action: 'c1/token', title: 'renew'});
    await expect(intent).rejects.toMatchObject({code: 'WORKDIR_UNWRITABLE'});
  });

  it('has no gap after a line that was lost', async () => {
    let fails = true;
    const {journal} = open((line) => {
      if (fails) return Promise.reject(new Error('ENOSPC'));
      lines.push(line);
      return Promise.resolve();
    });
    const entry = {command: 'link', action: 'c1/token', title: 'renew'};
    await expect(journal.intent(entry)).rejects.toThrow();
    fails = false;
    await journal.outcome({intent: await journal.intent(entry), status: 'done'});
    expect(readJournal(lines.join('')).faults).toEqual([]);
  });
});
