/** Who listens where, so that a test can show that nothing of ours is reachable from outside this machine. */
import {output} from './processes.js';

/** A listening TCP socket. */
export interface Listener {
  readonly pid: number;
  /** Address as `ss` or `lsof` prints it: 127.0.0.1, [::1], *, 0.0.0.0, … */
  readonly address: string;
  readonly port: number;
}

/** Listening TCP sockets of these processes. */
export async function listeners(pids: readonly number[]): Promise<Listener[]> {
  const sockets = await output('ss', ['-ltnpH']);
  return sockets.split('\n').flatMap((line) => {
    const [, , , local = ''] = line.split(/\s+/);
    const colon = local.lastIndexOf(':');
    return [...line.matchAll(/pid=(\d+)/g)]
      .map(([, pid]) => Number(pid))
      .filter((pid) => pids.includes(pid))
      .map((pid) => ({pid, address: local.slice(0, colon), port: Number(local.slice(colon + 1))}));
  });
}
