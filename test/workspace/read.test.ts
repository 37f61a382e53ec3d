import {execFileSync} from 'node:child_process';
import {symlink, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {readAny, readRegular, readStream} from '../../src/workspace/read.js';
import {temporaryRoot} from './temporary-root.js';

async function pipe(): Promise<string> {
  const path = join(await temporaryRoot(), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

it.each(['/dev/zero', '/dev/null'])(
  'does not take %s for a file, by its own name or through a link',
  async (device) => {
    const link = join(await temporaryRoot(), 'link');
    await symlink(device, link);
    for (const path of [device, link])
      await expect(readRegular(path)).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
  },
);

it('does not wait for a pipe without a writer', async () => {
  await expect(readRegular(await pipe())).rejects.toMatchObject({code: 'WORKDIR_CONFLICT'});
});

it('follows a link to a file', async () => {
  const root = await temporaryRoot();
  await writeFile(join(root, 'file'), 'text');
  await symlink('file', join(root, 'link'));
  expect(await readRegular(join(root, 'link'))).toBe('text');
});

it('reads a pipe that the user named to its end', async () => {
  const path = await pipe();
  const reading = readAny(path, undefined);
  execFileSync('sh', ['-c', 'printf secret > "$0"', path]);
  expect((await reading).toString()).toBe('secret');
});

it('stops reading a silent pipe when the run is aborted', async () => {
  const abort = new AbortController();
  const reading = readAny(await pipe(), abort.signal);
  abort.abort(new MeshError('INTERRUPTED', 'Interrupted'));
  await expect(reading).rejects.toMatchObject({code: 'INTERRUPTED'});
});

it('refuses an endless file', async () => {
  await expect(readAny('/dev/zero', undefined)).rejects.toMatchObject({code: 'WORKDIR_UNREADABLE'});
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(8 * 1024 * 1024));
    },
  });
  await expect(readStream(endless, 'standard input', undefined)).rejects.toMatchObject({code: 'WORKDIR_UNREADABLE'});
});

it('refuses a file of 600 MiB', async () => {
  const path = join(await temporaryRoot(), 'file');
  await writeFile(path, '');
  // Sparse: it takes no space.
  await truncate(path, 600 * 1024 * 1024);
  await expect(readAny(path, undefined)).rejects.toMatchObject({code: 'WORKDIR_UNREADABLE'});
  await expect(readRegular(path)).rejects.toMatchObject({code: 'WORKDIR_UNREADABLE'});
});
