/** A commit of the work directory, killed at every step. */
import {lstat, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, it} from 'vitest';
import {createWorkspace} from '../../src/workspace/create.js';
import {runChild} from '../workspace/run-child.js';
import {temporaryRoot} from '../workspace/temporary-root.js';

const names = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];

async function prepare(): Promise<string> {
  const root = await temporaryRoot();
  await mkdir(join(root, 'cluster1'));
  for (const name of names) await writeFile(join(root, 'cluster1', name), 'old');
  return root;
}

it('leaves all files or none, whole and closed to others, wherever a run is killed', async () => {
  const whole = await runChild(await prepare(), 'write');
  const points = Number(/points (\d+)/.exec(whole.stdout)?.[1]);
  expect(points).toBeGreaterThan(20);

  const seen = new Set<string>();
  for (let point = 1; point <= points; point++) {
    const root = await prepare();
    expect((await runChild(root, 'write', String(point))).signal, `point ${String(point)}`).toBe('SIGKILL');

    const workspace = createWorkspace({root, now: () => new Date()});
    const read = async (): Promise<string[]> =>
      Promise.all(names.map(async (name) => (await workspace.readText(`cluster1/${name}`)) ?? 'missing'));
    // A reader that takes no lock sees the set whole even before anybody recovers it.
    const before = await read();
    const lock = await workspace.lock('test');
    await workspace.recover();
    await lock.release();
    const after = await read();

    expect(after, `point ${String(point)}`).toEqual(before);
    const isNew = after.every((text) => text.startsWith('new'));
    expect(isNew || after.every((text) => text === 'old'), `point ${String(point)}: ${after.join()}`).toBe(true);
    seen.add(isNew ? 'new' : 'old');
    if (isNew) expect((await lstat(join(root, 'cluster1/ca-key.pem'))).mode & 0o777).toBe(0o600);
    // Nothing of the killed run is left: no pending set, no temporary file, no lock.
    expect((await readdir(join(root, 'cluster1'))).sort()).toEqual(names);
    expect(
      (await readdir(root)).filter((name) => !['cluster1', 'journal.jsonl', '.journal-head.json'].includes(name)),
    ).toEqual([]);
    // The journal is whole and has no intent without an end.
    const journal = await workspace.journal.read();
    expect(journal.faults, `point ${String(point)}`).toEqual([]);
    expect(journal.open).toEqual([]);
  }
  expect([...seen].sort()).toEqual(['new', 'old']);
}, 180_000);

it('never shows a key to others, not even for a moment, under umask 000', async () => {
  const whole = await runChild(await prepare(), 'write');
  const points = Number(/points (\d+)/.exec(whole.stdout)?.[1]);
  let keys = 0;
  for (let point = 1; point <= points; point += 3) {
    const root = await prepare();
    await runChild(root, 'write', String(point));
    for (const entry of await readdir(root, {recursive: true, withFileTypes: true})) {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || !(await readFile(path, 'utf8')).includes('new key')) continue;
      keys += 1;
      expect((await lstat(path)).mode & 0o777, path).toBe(0o600);
    }
  }
  expect(keys).toBeGreaterThan(0);
}, 120_000);
