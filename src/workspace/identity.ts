/** Identifies the user, the host and the process, for the lock and the journal. */
import {createHash} from 'node:crypto';
import {readFileSync, readlinkSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {errno} from './fs-errors.js';

/** Identifies a process, so that another process with the same ID is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The machine and the PID namespace: process IDs are comparable only if they are equal. */
  readonly host: string;
  /** The start time in the kernel's ticks, with the ID of the boot; undefined if the kernel does not provide it. */
  readonly started: string | undefined;
}

/** The user's name; the UID if it has no name, as in many containers. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? 'unknown')}`;
  }
}

/**
 * Identifies the machine and its PID namespace. Host names are not unique (`localhost`, a container started twice), so
 * this adds the machine ID, hashed because it is confidential (machine-id(5)), and the namespace.
 */
export function hostIdentity(): string {
  const machine = readOptional('/etc/machine-id');
  const id = machine === undefined ? undefined : createHash('sha256').update(machine).digest('hex').slice(0, 8);
  const namespace = readOptional('/proc/self/ns/pid', readlinkSync)?.replace(/\D/g, '');
  return [hostname(), id, namespace].filter((part) => part !== undefined).join('/');
}

/** When a process started; undefined if it is not running, or the kernel does not provide it (no /proc). */
export function startTimeOf(pid: number): string | undefined {
  const boot = readOptional('/proc/sys/kernel/random/boot_id');
  const ticks = statFields(pid)?.[19];
  return ticks === undefined || boot === undefined ? undefined : `${boot}/${ticks}`;
}

/**
 * Whether a process with this ID is running; true if it may be, as for another user's process. A zombie is not running:
 * in a container without an init process it remains forever.
 */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^[ZX]/.test(statFields(pid)?.[0] ?? '');
  } catch (error) {
    return errno(error) !== 'ESRCH';
  }
}

/**
 * The kernel's fields about a process (proc_pid_stat(5)), starting with field 3, the state: field 2, the name, may
 * contain spaces and parentheses. Field 22 is the start time.
 */
export function statFields(pid: number): readonly string[] | undefined {
  const stat = readOptional(`/proc/${String(pid)}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function readOptional(path: string, read: (path: string) => string = (file) => readFileSync(file, 'utf8').trim()) {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}
