/**
 * Ends processes together with their descendants, such as the credential plugin below a `kubectl proxy`. Process groups
 * would not do: a kubectl that prompts must stay in the terminal's foreground group, together with this program and with
 * the rest of the user's pipeline. A daemon that a descendant started has another parent, and is left running.
 */
import {setTimeout as delay} from 'node:timers/promises';
import {descendantsOf} from '../domain/process-tree.js';
import type {Processes} from './processes.js';

/** How long processes may take to exit after SIGTERM. Milliseconds. */
export const killDelayMs = 3000;

/** How long to wait after SIGKILL, which a process in an uninterruptible system call delays. Milliseconds. */
const afterKillMs = 500;

/** How many generations of processes are stopped: more means that a process outside the tree keeps adding to it. */
const maxRounds = 100;

/** Processes by ID, each with its start time; undefined if the system does not provide it. */
type Members = ReadonlyMap<number, string | undefined>;

/**
 * Sends SIGTERM to these running processes and all their descendants, and SIGKILL to those that are still running three
 * seconds later. Resolves when all have exited. Never rejects. `onFound` receives the descendants before anything ends.
 */
export async function endTrees(
  roots: readonly number[],
  processes: Processes,
  onFound?: (descendants: readonly number[]) => void,
): Promise<void> {
  const members = await stopTrees(roots, processes);
  onFound?.([...members.keys()].filter((pid) => !roots.includes(pid)));
  for (const pid of members.keys()) {
    sendSignal(pid, 'SIGTERM');
    sendSignal(pid, 'SIGCONT');
  }
  const left = await waitForExit(members, killDelayMs, processes);
  if (left.size === 0) return;
  const all = await stopTrees([...left.keys()], processes);
  for (const pid of all.keys()) sendSignal(pid, 'SIGKILL');
  await waitForExit(all, afterKillMs, processes);
}

/**
 * Stops these processes and their descendants. A stopped process starts no others, so that the result is complete: the
 * children of a process that has exited could no longer be found.
 */
async function stopTrees(roots: readonly number[], processes: Processes): Promise<Members> {
  const members = new Map<number, string | undefined>(roots.map((pid) => [pid, undefined]));
  let added = roots;
  for (let round = 0; added.length > 0 && round < maxRounds; round += 1) {
    for (const pid of added) sendSignal(pid, 'SIGSTOP');
    const all = await processes.list().catch(() => []);
    const started = new Map(all.map((entry) => [entry.pid, entry.started]));
    added = descendantsOf(roots, all).flatMap(({pid}) => (members.has(pid) ? [] : [pid]));
    for (const pid of [...members.keys(), ...added]) members.set(pid, members.get(pid) ?? started.get(pid));
  }
  return members;
}

/** Waits until all have exited, or for this long. Returns those that are still running. */
async function waitForExit(members: Members, limitMs: number, processes: Processes): Promise<Members> {
  const limit = performance.now() + limitMs;
  let left = members;
  // Most exit at once: a short first pause, doubled each time.
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 100)) {
    const checked = await Promise.all(
      [...left].map(async ([pid, started]) => {
        const same = sendSignal(pid, 0) && (await findStart(pid, processes)) === started;
        return same ? ([[pid, started]] as const) : [];
      }),
    );
    left = new Map(checked.flat());
    if (left.size === 0 || performance.now() >= limit) return left;
    await delay(pauseMs);
  }
}

/** The start time of a running process; undefined if it has exited, or the system does not provide it. */
export async function findStart(pid: number, processes: Processes): Promise<string | undefined> {
  const entry = await processes.find(pid).catch(() => undefined);
  return entry?.started;
}

/** Sends a signal; 0 sends none. Returns false if there is no such process, or if it belongs to another user, as below sudo. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
