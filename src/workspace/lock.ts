/**
 * Locks the work directory for one writer. The lock is a file created with link(2), which fails if the name exists,
 * also on NFS. It names its holder. To take over from a dead holder, a process creates a second link whose name
 * contains the dead holder's random token: of all processes that find the same dead holder, exactly one can create that
 * name.
 *
 * Why this is exclusive: the holder is the end of the chain that starts at the lock file (`lock`, then `lock.TOKEN` of
 * its dead holder, and so on). Only the end of the chain removes or replaces the lock file, and it does so before it
 * removes the other links. A process that creates a successor link too late therefore finds another token, or none, at
 * the start of the chain, and gives up.
 */
import {randomBytes} from 'node:crypto';
import {link, readdir, rename, stat, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {advice, filePath, fixWith} from '../domain/suggest/suggestion.js';
import {createFile} from './atomic.js';
import {errno, fileError, ifExists} from './fs-errors.js';
import {type ProcessIdentity, isRunning, startTimeOf} from './identity.js';
import {parseJsonFile, readRegular} from './read.js';

/** The content of a lock file. */
interface LockHolder extends ProcessIdentity {
  /** Random: no two holders share one. */
  readonly token: string;
  readonly user: string;
  readonly command: string;
  /** ISO 8601 in UTC, for messages. */
  readonly since: string;
}

/** A process that requests the lock. */
export type Claimant = Omit<LockHolder, 'token'>;

/** A lock that is held. */
export interface HeldLock {
  /** Describes the dead run from which the lock was taken over. */
  readonly succeeded: string | undefined;
  release(): Promise<void>;
}

/** How often to retry if the lock disappears or changes while it is read. */
const attempts = 100;

/** Longer than writing a claim takes. Milliseconds. */
const writingMs = 60_000;

/** Takes the lock, or throws `WORKDIR_LOCKED`, which names the holder. Never waits. */
export async function takeLock(path: string, claimant: Claimant): Promise<HeldLock> {
  const mine: LockHolder = {...claimant, token: randomBytes(16).toString('hex')};
  const own = `${path}.${mine.token}.new`;
  try {
    await createFile(own, `${JSON.stringify(mine)}\n`, 0o644);
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (await tryLink(own, path)) return held(path, mine, undefined);
      const chain = await readChain(path);
      const last = chain.at(-1);
      if (!last) continue;
      if (!isDead(last, mine)) throw lockedError(path, last);
      const successor = successorOf(path, last);
      if (!(await tryLink(own, successor))) continue;
      if ((await readChain(path)).at(-1)?.token === mine.token) {
        // Now the end of the chain: replace the lock file, then remove the dead holders' links.
        await link(own, `${own}.lock`);
        await rename(`${own}.lock`, path);
        for (const dead of chain) await unlink(successorOf(path, dead)).catch(() => undefined);
        return held(path, mine, describe(last));
      }
      await unlink(successor).catch(() => undefined);
    }
    throw new MeshError('WORKDIR_LOCKED', `the holder of ${path} keeps changing: other runs start and are killed`, {
      hints: ['wait until they have ended and run the command again'],
    });
  } catch (error) {
    throw fileError(error, path, 'write');
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

function held(path: string, mine: LockHolder, succeeded: string | undefined): HeldLock {
  return {
    succeeded,
    async release() {
      const holder = await readHolder(path);
      // Removed manually, and possibly taken by another run since: must not be removed here.
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

/** Creates a link; returns false if the name exists. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw error;
  }
}

function successorOf(path: string, holder: LockHolder): string {
  return `${path}.${holder.token}`;
}

/**
 * The lock file's holder, its successor, and so on; empty if the lock is free. Tokens are random, so no run of this program
 * leaves a chain that names one twice.
 */
async function readChain(path: string): Promise<readonly LockHolder[]> {
  const chain: LockHolder[] = [];
  for (let at: string = path; ;) {
    const holder = await readHolder(at);
    if (!holder) return chain;
    if (chain.some(({token}) => token === holder.token)) throw damagedError(at);
    chain.push(holder);
    at = successorOf(path, holder);
  }
}

async function readHolder(path: string): Promise<LockHolder | undefined> {
  const text = await ifExists(readRegular(path));
  if (text === undefined) return undefined;
  const holder = parseJsonFile<LockHolder>(
    text,
    ({pid, host, token}) =>
      Number.isSafeInteger(pid) &&
      typeof host === 'string' &&
      typeof token === 'string' &&
      /^[0-9a-f]{32}$/.test(token),
  );
  if (holder) return holder;
  // A link is created with its content, so this is not a lock of this program, or a crash damaged it.
  throw damagedError(path);
}

function damagedError(path: string): MeshError {
  return new MeshError('WORKDIR_LOCKED', `${path} is not a lock of this program, or is damaged`, {
    hints: [advice`if no other run uses this work directory, remove the file: ${fixWith.run('rm', [filePath(path)])}`],
  });
}

/** Whether a holder is certainly dead: a process of this host that is not running, or whose ID another process has now. */
function isDead(holder: LockHolder, mine: LockHolder): boolean {
  if (holder.host !== mine.host) return false;
  if (!isRunning(holder.pid)) return true;
  const started = startTimeOf(holder.pid);
  return started !== undefined && holder.started !== undefined && started !== holder.started;
}

function describe({pid, host, user, command, since}: LockHolder): string {
  return printableLine(
    `kubectl mesh ${command} by ${user} on ${host.split('/')[0] ?? host}, pid ${String(pid)}, since ${since}`,
  );
}

function lockedError(path: string, holder: LockHolder): MeshError {
  return new MeshError('WORKDIR_LOCKED', `another run has locked the work directory: ${describe(holder)}`, {
    hints: [
      'wait until it has ended and run the command again',
      advice`if that run is on another host and certainly dead, remove the lock: ${fixWith.run('rm', [filePath(path)])}`,
    ],
  });
}

/**
 * Removes the files of claimants and successors whose processes were killed. Only while holding the lock file itself,
 * because then no chain contains them.
 */
async function removeLeftovers(path: string, mine: LockHolder): Promise<void> {
  const directory = dirname(path);
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const claim = join(directory, name);
    const holder = await readHolder(claim).catch(() => undefined);
    const isStale = holder ? isDead(holder, mine) : await isOld(claim);
    if (isStale) await unlink(claim).catch(() => undefined);
  }
}

/** Whether a claim without content is old enough that its process was killed, and is not just writing it. */
async function isOld(claim: string): Promise<boolean> {
  const facts = await stat(claim).catch(() => undefined);
  return facts !== undefined && Date.now() - facts.mtimeMs > writingMs;
}
