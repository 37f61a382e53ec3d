/** Lists running processes: from /proc on Linux, with ps(1) elsewhere. */
import type {ProcessEntry} from '../domain/process-tree.js';

/** Reads the processes of this machine. */
export interface Processes {
  /** Every running process. Calls in the same turn of the event loop share one list, which is read after all of them. */
  list(): Promise<readonly ProcessEntry[]>;
  /** The running process with this ID. */
  find(pid: number): Promise<ProcessEntry | undefined>;
}

/** The processes in /proc. */
export interface Proc {
  readProcesses(): readonly ProcessEntry[];
  readProcess(pid: number): ProcessEntry | undefined;
}

/** Runs ps with these arguments and returns its output; empty if it failed. */
export type RunPs = (args: readonly string[]) => Promise<string>;

/**
 * The columns, without a header: POSIX has no start time, so `lstart` as on BSD and macOS. With several names in one `-o`
 * the text after the first `=` would be that column's header (POSIX ps).
 */
const columns = ['-o', 'pid=', '-o', 'ppid=', '-o', 'stat=', '-o', 'lstart='];

/** Creates the reader; `proc` is undefined if the system has no /proc. */
export function createProcesses(proc: Proc | undefined, runPs: RunPs): Processes {
  const ps = async (...args: readonly string[]) => parsePs(await runPs([...args, ...columns]));
  let pending: Promise<readonly ProcessEntry[]> | undefined;
  return {
    list() {
      pending ??= Promise.resolve().then(() => {
        pending = undefined;
        return proc ? proc.readProcesses() : ps('-A');
      });
      return pending;
    },
    find: async (pid) => (proc ? proc.readProcess(pid) : (await ps('-p', String(pid)))[0]),
  };
}

/** Parses lines such as `  123     1 Ss   Sun Nov 29 12:13:55 2026`. */
function parsePs(output: string): readonly ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const [, pid, parent, state = '', started] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line) ?? [];
    if (started === undefined || state.startsWith('Z')) return [];
    return [{pid: Number(pid), parent: Number(parent), started}];
  });
}
