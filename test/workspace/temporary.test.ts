import {spawnSync} from 'node:child_process';
import {lstat, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {createTemporaryDirectory, removeTemporaryDirectory} from '../../src/workspace/temporary.js';

let parent: string;
/** A process of this machine that has ended. */
let deadPid: number;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tmp-'));
  vi.stubEnv('TMPDIR', parent);
  deadPid = spawnSync('true').pid;
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(parent, {recursive: true});
});

/** The name a directory of that process has. */
async function nameFor(pid: number): Promise<string> {
  const own = await createTemporaryDirectory();
  await own.remove();
  return basename(own.path).replace(`-${String(process.pid)}-`, `-${String(pid)}-`);
}

describe('the temporary directory of a killed run', () => {
  it('is removed with its contents when the next directory is created', async () => {
    const made = await createTemporaryDirectory();
    await writeFile(join(made.path, '1'), '');
    const left = join(parent, await nameFor(deadPid));
    await rename(made.path, left);
    const next = await createTemporaryDirectory();
    expect(await readdir(parent)).toEqual([basename(next.path)]);
  });

  it('is kept while its process runs, on another host, and under any other name', async () => {
    const names = [
      await nameFor(process.pid),
      (await nameFor(deadPid)).replace(/-[0-9a-f]{6}-/, '-zzzzzz-'),
      (await nameFor(deadPid)).replace(/^km-(\d+)-[0-9a-f]{6}-/, (_, pid: string) => `km-${pid}-000000-`),
      `km-${String(deadPid)}`,
      'km-abcdef',
    ];
    for (const name of names) await mkdir(join(parent, name));
    await createTemporaryDirectory();
    expect(await readdir(parent)).toEqual(expect.arrayContaining(names));
  });

  it('is not followed if it is a link', async () => {
    const elsewhere = join(parent, 'elsewhere');
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'file'), '');
    const link = join(parent, await nameFor(deadPid));
    await symlink(elsewhere, link);
    await createTemporaryDirectory();
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readdir(elsewhere)).toEqual(['file']);
  });

  it('is removed by concurrent processes without an error', async () => {
    for (let number = 0; number < 10; number += 1) await mkdir(join(parent, await nameFor(deadPid)));
    const made = await Promise.all(Array.from({length: 10}, () => createTemporaryDirectory()));
    expect((await readdir(parent)).sort()).toEqual(made.map(({path}) => basename(path)).sort());
  });
});

describe('removing a temporary directory of another process', () => {
  it('removes it with its contents, and ignores that it is missing', async () => {
    const made = await createTemporaryDirectory();
    await writeFile(join(made.path, '1'), '');
    await removeTemporaryDirectory(made.path);
    await removeTemporaryDirectory(made.path);
    expect(await readdir(parent)).toEqual([]);
  });

  it('removes no other directory, no file and no target of a link', async () => {
    const name = await nameFor(deadPid);
    const other = join(parent, 'other');
    await mkdir(other);
    await writeFile(join(other, '1'), '');
    await symlink(other, join(parent, name));
    await mkdir(join(parent, 'files'));
    await writeFile(join(parent, 'files', name), '');
    for (const path of [other, join(parent, name), join(parent, 'files', name)]) await removeTemporaryDirectory(path);
    expect((await readdir(parent)).sort()).toEqual(['files', name, 'other'].sort());
    expect(await readdir(other)).toEqual(['1']);
    expect(await readdir(join(parent, 'files'))).toEqual([name]);
  });
});
