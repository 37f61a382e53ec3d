import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {createWorkspace} from '../../src/workspace/create.js';
import {hostIdentity, startTimeOf} from '../../src/workspace/identity.js';
import {takeLock, type Claimant} from '../../src/workspace/lock.js';
import {runChild, startChild} from './run-child.js';
import {temporaryRoot} from './temporary-root.js';
import {failureOf} from '../helpers/suggestions.js';

const lockName = '.kubectl-mesh.lock';
const locked = expect.objectContaining({code: 'WORKDIR_LOCKED'}) as Error;

function claimant(changes: Partial<Claimant> = {}): Claimant {
  return {
    pid: process.pid,
    host: hostIdentity(),
    started: startTimeOf(process.pid),
    user: 'ada',
    command: 'trust push',
    since: '2024-01-01T00:00:00.000Z',
    ...changes,
  };
}

/** A number no process has: above the largest that Linux hands out (4194304, proc(5)). */
const nobody = 4_194_305;

describe('the lock', () => {
  it('is exclusive, names its holder, and is removed by its release', async () => {
    const root = await temporaryRoot();
    const workspace = createWorkspace({root, now: () => new Date()});
    const lock = await workspace.lock('certs generate');
    await expect(workspace.lock('trust push')).rejects.toMatchObject({
      code: 'WORKDIR_LOCKED',
      message: expect.stringContaining(`certs generate`) as string,
    });
    await lock.release();
    expect(await readdir(root)).toEqual([]);
    await (await workspace.lock('trust push')).release();
  });

  it('ends with an error if it names itself', async () => {
    const root = await temporaryRoot();
    const token = 'ab'.repeat(16);
    const holder = JSON.stringify({...claimant({pid: nobody}), token});
    await writeFile(join(root, lockName), holder);
    await writeFile(join(root, `${lockName}.${token}`), holder);
    await expect(takeLock(join(root, lockName), claimant())).rejects.toThrow(locked);
  });

  it('removes a work directory that it created and that is still empty', async () => {
    const root = join(await temporaryRoot(), 'new');
    const workspace = createWorkspace({root, now: () => new Date()});
    await (await workspace.lock('test')).release();
    expect(await workspace.stat('.').catch(() => undefined)).toBeUndefined();
    const lock = await workspace.lock('test');
    await workspace.write([{path: 'mesh.yaml', content: 'x'}]);
    await lock.release();
    expect(await readdir(root)).toEqual(['mesh.yaml']);
  });

  it('is respected while its process runs on this host, and taken over after a kill', async () => {
    const root = await temporaryRoot();
    const workspace = createWorkspace({root, now: () => new Date()});
    const child = await startChild(root, 'hold');
    await expect(workspace.lock('test')).rejects.toThrow(locked);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await (await workspace.lock('test')).release();
    expect(await readdir(root)).toEqual([]);
  });

  it.each([
    ['a dead process of this host', {pid: nobody}, true],
    ['a process whose number another one has now', {started: 'earlier'}, true],
    ['a living process', {}, false],
    ['a living process of which the kernel does not say when it started', {started: undefined}, false],
    ['a process of another host', {host: 'elsewhere', pid: nobody}, false],
    ['a process of another container', {host: `${hostIdentity()}9`, pid: nobody}, false],
  ] as [string, Partial<Claimant>, boolean][])('of %s: taken over %j %s', async (_what, changes, taken) => {
    const path = join(await temporaryRoot(), lockName);
    await takeLock(path, claimant(changes));
    const again = takeLock(path, claimant());
    if (taken) expect((await again).succeeded).toContain('trust push');
    else await expect(again).rejects.toThrow(locked);
  });

  it('is taken over once if a successor died, too', async () => {
    const root = await temporaryRoot();
    const path = join(root, lockName);
    await takeLock(path, claimant({pid: nobody}));
    // A successor that was killed between its link and the end of its take-over.
    const {token} = JSON.parse(await readFile(path, 'utf8')) as {token: string};
    await writeFile(`${path}.${token}`, JSON.stringify({...claimant({pid: nobody}), token: 'f'.repeat(32)}));
    const lock = await takeLock(path, claimant());
    await expect(takeLock(path, claimant())).rejects.toThrow(locked);
    await lock.release();
    expect(await readdir(root)).toEqual([]);
  });

  it('does not remove a lock that another run has taken since', async () => {
    const path = join(await temporaryRoot(), lockName);
    const first = await takeLock(path, claimant({pid: nobody}));
    await takeLock(path, claimant());
    await first.release();
    await expect(takeLock(path, claimant())).rejects.toThrow(locked);
  });

  it.each(['', 'hello', '{}', '[]', 'null'])('is never taken over if it is damaged (%j)', async (text) => {
    const path = join(await temporaryRoot(), lockName);
    await writeFile(path, text);
    expect(await failureOf(() => takeLock(path, claimant()))).toMatchObject({
      code: 'WORKDIR_LOCKED',
      hints: [expect.stringContaining(`rm ${path}`) as string],
    });
  });

  it('is held by one process at a time if many request it and some die holding it', async () => {
    const root = await temporaryRoot();
    const [children, wins] = [12, 8];
    // Begin with a dead holder, so that all race for its place.
    await runChild(root, 'die-locked');
    const ends = await Promise.all(Array.from({length: children}, () => runChild(root, 'contend', String(wins))));
    for (const end of ends) expect(end.signal === 'SIGKILL' || end.code === 0, end.stderr).toBe(true);
    const lock = await createWorkspace({root, now: () => new Date()}).lock('test');
    expect(await readFile(join(root, 'count'), 'utf8')).toBe(String(children * wins));
    await lock.release();
    expect(await readdir(root)).toEqual(['count']);
  }, 120_000);
});
