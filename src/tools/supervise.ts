/** The supervisor's process: ends the children of a run that has died (`supervisor.ts`). */
import {endTrees, findStart} from './end-tree.js';
import type {Processes} from './processes.js';

/** The options of {@link supervise}. */
export interface SuperviseOptions {
  /** Its other end is held by the run alone. */
  readonly pipe: AsyncIterable<unknown>;
  readonly processes: Processes;
  /** Removes a temporary directory of the run; must refuse any other directory. */
  readonly removeDirectory: (path: string) => Promise<void>;
}

/**
 * Reads children and directories from the pipe until it is closed, which means that the run has ended. Then ends the
 * children that have not been withdrawn, with their descendants, and removes the directories. Never rejects.
 */
export async function supervise({pipe, processes, removeDirectory}: SuperviseOptions): Promise<void> {
  const children = new Map<number, Promise<string | undefined>>();
  const directories = new Set<string>();
  for await (const line of completeLines(pipe)) {
    const [, sign, digits] = /^([+-])(\d{1,10})$/.exec(line) ?? [];
    const pid = Number(digits);
    if (sign === '+' && pid > 1) children.set(pid, findStart(pid, processes));
    else if (sign === '-') children.delete(pid);
    else if (line.startsWith('/')) directories.add(line);
  }
  // Equal if both are undefined, too: where the system provides no start times, the withdrawals must do.
  const roots = await Promise.all(
    [...children].map(async ([pid, started]) => ((await findStart(pid, processes)) === (await started) ? [pid] : [])),
  );
  await endTrees(roots.flat(), processes);
  await Promise.allSettled([...directories].map(removeDirectory));
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
