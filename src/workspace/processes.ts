/** The processes of this machine as Linux shows them in /proc. */
import {existsSync, readdirSync} from 'node:fs';
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
