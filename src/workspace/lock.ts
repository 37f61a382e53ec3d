/**
 * One writer at a time. The lock is a file made with link(2), which fails when the name is taken, on NFS too. It says
 * who holds it. A holder that is dead is succeeded by a second link, whose name has the dead holder's random token in
 * it: of all processes that find the same dead holder exactly one gets that name, once and for all.
 *
 * Why this is exclusive: the holder is the end of the chain that starts at the lock file (`lock`, then `lock.TOKEN` of
 * its dead holder, and so on). Only the end of the chain removes or replaces the lock file, and it does so before it
 * removes any link behind it. So whoever makes a successor link late finds another token, or none, at the start of the
 * chain, and gives up.
 */
import {randomBytes} from 'node:crypto';
import {link, readdir, rename, stat, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {advice, filePath, fixWith} from '../domain/suggest/suggestion.js';
import {createSynced} from './atomic.js';
import {errno, fileError, ifExists} from './fs-errors.js';
import {type ProcessIdentity, isRunning, startTimeOf} from './identity.js';
import {parseJsonFile, readRegular} from './read.js';

/** What a lock file says. */
interface Holder extends ProcessIdentity {
  /** Random: no two holders share one. */
  readonly token: string;
  readonly user: string;
  readonly command: string;
  /** ISO 8601, UTC: for people. */
  readonly since: string;
}

/** Who wants the lock. */
export type Claimant = Omit<Holder, 'token'>;

/** A lock that is held. */
export interface HeldLock {
  /** Whose place was taken: a run that died holding the lock. */
  readonly succeeded: string | undefined;
  release(): Promise<void>;
}

/** How often a lock that vanishes or changes while we look is looked at again. */
const attempts = 100;

/** No claim takes so long to write. Milliseconds. */
const writingMs = 60_000;

/** Takes the lock, or throws `WORKDIR_LOCKED` and says who has it. Never waits. */
export async function takeLock(path: string, claimant: Claimant): Promise<HeldLock> {
  const mine: Holder = {...claimant, token: randomBytes(16).toString('hex')};
  const own = `${path}.${mine.token}.new`;
  try {
    await createSynced(own, `${JSON.stringify(mine)}\n`, 0o644);
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await tryLink(own, path)) return held(path, mine, undefined);
      const chain = await readChain(path);
      const last = chain.at(-1);
      if (!last) continue;
      if (!isDead(last, mine)) throw lockedError(path, last);
      const successor = successorOf(path, last);
      if (!(await tryLink(own, successor))) continue;
      if ((await readChain(path)).at(-1)?.token === mine.token) {
        // The end of the chain now: the dead holders' names can go, the lock file's content first.
        await link(own, `${own}.lock`);
        await rename(`${own}.lock`, path);
        for (const dead of chain) await unlink(successorOf(path, dead)).catch(() => undefined);
        return held(path, mine, describe(last));
      }
      await unlink(successor).catch(() => undefined);
    }
    throw new MeshError('WORKDIR_LOCKED', `${path} changes hands all the time: other runs start and die`, {
      hints: ['wait until they are over and run this again'],
    });
  } catch (error) {
    throw fileError(error, path, 'write');
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

function held(path: string, mine: Holder, succeeded: string | undefined): HeldLock {
  return {
    succeeded,
    async release() {
      const holder = await readHolder(path);
      // Removed by hand, and perhaps taken by another run since: not ours to remove.
      if (holder?.token !== mine.token) return;
      try {
        await removeLeftovers(path, mine);
        await unlink(path);
      } catch (error) {
        throw fileError(error, path, 'write');
      }
    },
  };
}

/** Whether the link could be made; false when the name is taken. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw error;
  }
}

function successorOf(path: string, holder: Holder): string {
  return `${path}.${holder.token}`;
}

/** The lock file's holder, its successor, and so on; empty when nobody has the lock. */
async function readChain(path: string): Promise<readonly Holder[]> {
  const chain: Holder[] = [];
  for (let at: string = path; ;) {
    const holder = await readHolder(at);
    if (!holder) return chain;
    chain.push(holder);
    at = successorOf(path, holder);
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  const text = await ifExists(readRegular(path));
  if (text === undefined) return undefined;
  const holder = parseJsonFile<Holder>(
    text,
    ({pid, host, token}) =>
      Number.isSafeInteger(pid) &&
      typeof host === 'string' &&
      typeof token === 'string' &&
      /^[0-9a-f]{32}$/.test(token),
  );
  if (holder) return holder;
  // Links appear with their content in them: this is not a lock of ours, or the disk lost it in a crash.
  throw new MeshError('WORKDIR_LOCKED', `${path} is not a lock of this program, or damaged`, {
    hints: [advice`when no kubectl mesh runs on this work directory: ${fixWith.run('rm', [filePath(path)])}`],
  });
}

/** Dead for certain: a process of this host that does not run, or whose number another process has now. */
function isDead(holder: Holder, mine: Holder): boolean {
  if (holder.host !== mine.host) return false;
  if (!isRunning(holder.pid)) return true;
  const started = startTimeOf(holder.pid);
  return started !== undefined && holder.started !== undefined && started !== holder.started;
}

function describe({pid, host, user, command, since}: Holder): string {
  return printableLine(
    `kubectl mesh ${command} of ${user} on ${host.split('/')[0] ?? host}, pid ${String(pid)}, since ${since}`,
  );
}

function lockedError(path: string, holder: Holder): MeshError {
  return new MeshError('WORKDIR_LOCKED', `another run has the work directory: ${describe(holder)}`, {
    hints: [
      'wait until it is over and run this again',
      advice`a lock of another host is never taken over: if that run is certainly dead, ${fixWith.run('rm', [filePath(path)])}`,
    ],
  });
}

/**
 * Removes names of claimants and successors whose processes were killed. Only while holding the lock file itself: then
 * no chain goes through them.
 */
async function removeLeftovers(path: string, mine: Holder): Promise<void> {
  const folder = dirname(path);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const claim = join(folder, name);
    const holder = await readHolder(claim).catch(() => undefined);
    const isLeft = holder ? isDead(holder, mine) : await isOld(claim);
    if (isLeft) await unlink(claim).catch(() => undefined);
  }
}

/** A claim without its content: killed while it was written, unless it is being written right now. */
async function isOld(claim: string): Promise<boolean> {
  const facts = await stat(claim).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > writingMs;
}
