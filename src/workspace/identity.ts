/** Who and where this process is, for the lock and the journal. */
import {createHash} from 'node:crypto';
import {readFileSync, readlinkSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {errno} from './fs-errors.js';

/** A process, named so that another process with the same number is not mistaken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Machine and process namespace; equal only where process numbers mean the same. */
  readonly host: string;
  /** Start time as the kernel counts it, with the boot it counts from; undefined where the kernel does not say. */
  readonly started: string | undefined;
}

/** The user's name; the number where the machine has no name for it, as in many containers. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? 'unknown')}`;
  }
}

/**
 * The machine and its process namespace. Host names repeat (`localhost`, a container started twice), so the machine's
 * id, hashed since it is not for other eyes (machine-id(5)), and the namespace stand beside it.
 */
export function hostIdentity(): string {
  const machine = readOptional('/etc/machine-id');
  const id = machine === undefined ? undefined : createHash('sha256').update(machine).digest('hex').slice(0, 8);
  const namespace = readOptional('/proc/self/ns/pid', readlinkSync)?.replace(/\D/g, '');
  return [hostname(), id, namespace].filter((part) => part !== undefined).join('/');
}

/** When a process started; undefined when it does not run, or the kernel does not say (no /proc). */
export function startTimeOf(pid: number): string | undefined {
  const boot = readOptional('/proc/sys/kernel/random/boot_id');
  const ticks = statFields(pid)?.[19];
  return ticks === undefined || boot === undefined ? undefined : `${boot}/${ticks}`;
}

/**
 * Whether a process with this number runs; true when it may, as for one of another user. One that has ended and whose
 * parent has not asked how (a zombie) does not run: in a container without an init it stays for ever.
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
 * What the kernel says of a process (proc_pid_stat(5)), from field 3, the state, on: field 2, the name, may hold spaces
 * and parentheses. Field 22 is the start time.
 */
function statFields(pid: number): readonly string[] | undefined {
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
