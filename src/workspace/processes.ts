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
  const [state = '', parent, , session] = fields ?? [];
  const started = fields?.[19];
  if (started === undefined || /^[ZX]/.test(state)) return undefined;
  return {pid, parent: Number(parent), started, session: Number(session)};
}

/** Every running process that this user may see. Processes that exit meanwhile may be missing. */
export function readProcesses(): readonly ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : []));
}

/** The processes that were started with this variable in their environment: `NAME=value`. Only this user's. */
export function readProcessesWith(variable: string): readonly ProcessEntry[] {
  return readProcesses().filter(({pid}) => {
    try {
      return readFileSync(`/proc/${String(pid)}/environ`, 'utf8')
        .split('\0')
        .includes(variable);
    } catch {
      return false;
    }
  });
}
