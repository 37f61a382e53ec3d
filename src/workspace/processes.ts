/** The processes of this machine as Linux shows them in /proc. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import type {ProcessEntry} from '../domain/process-tree.js';
import {statFields} from './identity.js';

/** Whether this system has a Linux /proc; macOS has none. */
export function hasProc(): boolean {
  return existsSync('/proc/self/stat');
}

/** A running process; undefined if there is none with this ID, or only a zombie. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const fields = statFields(pid);
  const [state = '', parent] = fields ?? [];
  const started = fields?.[19];
  if (started === undefined || /^[ZX]/.test(state)) return undefined;
  return {pid, parent: Number(parent), started};
}

/** Every running process that this user may see. Processes that exit meanwhile may be missing. */
export function readProcesses(): readonly ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

/**
 * This user's processes that were started with this variable in their environment (proc_pid_environ(5)), and not before
 * this process: a run starts its supervisor first.
 */
export function processesWith(variable: string, value: string): readonly number[] {
  const oldest = Number(readProcess(process.pid)?.started ?? 0);
  return readProcesses()
    .filter(({pid, started}) => Number(started) >= oldest && environmentOf(pid).includes(`${variable}=${value}`))
    .map(({pid}) => pid);
}

/** Empty if the process has exited, or belongs to another user. */
function environmentOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
