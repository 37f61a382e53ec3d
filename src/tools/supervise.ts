/** The supervisor's process: ends the children of a run that has died (`supervisor.ts`). */
import {setTimeout as delay} from 'node:timers/promises';
import {endTrees, findStart} from './end-tree.js';
import type {Processes} from './processes.js';

/** The options of {@link supervise}. */
export interface SuperviseOptions {
  /** Its other end is held by the run alone. */
  readonly pipe: AsyncIterable<unknown>;
  readonly processes: Processes;
  /** The processes with this token in their environment; undefined if the system does not show it. */
  readonly findByToken: ((token: string) => readonly number[]) | undefined;
  /** Removes a temporary directory of the run; must refuse any other directory. */
  readonly removeDirectory: (path: string) => Promise<void>;
}

/**
 * Reads children and directories from the pipe until it is closed, which means that the run has ended. Then ends the
 * children that have not been withdrawn, and those of open announcements, with their descendants, and removes the
 * directories. Never rejects.
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const {pipe, processes, removeDirectory} = options;
  const announced = new Set<string>();
  const children = new Map<number, Promise<string | undefined>>();
  const directories = new Set<string>();
  for await (const line of completeLines(pipe)) {
    const [, sign, digits] = /^([+-])(\d{1,10})$/.exec(line) ?? [];
    const pid = Number(digits);
    if (sign === '+' && pid > 1) children.set(pid, findStart(pid, processes));
    else if (sign === '-') children.delete(pid);
    else if (line.startsWith('?')) announced.add(line.slice(1));
    else if (line.startsWith('!')) announced.delete(line.slice(1));
    else if (line.startsWith('/')) directories.add(line);
  }
  // Equal if both are undefined, too: where the system provides no start times, the withdrawals must do.
  const roots = await Promise.all(
    [...children].map(async ([pid, started]) => ((await findStart(pid, processes)) === (await started) ? [pid] : [])),
  );
  const endAll = [...announced].map((token) => endAnnounced(token, options));
  await Promise.allSettled([endTrees(roots.flat(), processes), ...endAll]);
  await Promise.allSettled([...directories].map(removeDirectory));
}

/** How long an announced child may take to appear. Milliseconds. */
const appearMs = 500;

/**
 * Ends the child of an open announcement. It may never appear: the run may have died before it started it. But a child
 * that has been forked appears soon: until it executes its program it has the run's end of the pipe, too, so that the pipe
 * is closed only then, immediately before the kernel shows the new environment.
 */
async function endAnnounced(token: string, {processes, findByToken}: SuperviseOptions): Promise<void> {
  if (!findByToken) return;
  const limit = performance.now() + appearMs;
  for (let pauseMs = 1; ; pauseMs *= 2) {
    const found = findByToken(token);
    if (found.length > 0) return endTrees(found, processes);
    if (performance.now() >= limit) return;
    await delay(pauseMs);
  }
}

/** The lines of a pipe. Not the last one without a line feed: a process that dies while it writes leaves half a number. */
async function* completeLines(pipe: AsyncIterable<unknown>): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of pipe) {
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } catch {
    // ECONNRESET: the other end is gone, as at the end of the pipe.
  }
}
