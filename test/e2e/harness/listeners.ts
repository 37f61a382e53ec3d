/** Who listens where, so that a test can show that nothing of ours is reachable from outside this machine. */
import {output} from './processes.js';

/** A listening TCP socket. */
export interface Listener {
  readonly pid: number;
  /** Address as the system's tool prints it: 127.0.0.1, [::1], *, 0.0.0.0, … */
  readonly address: string;
  readonly port: number;
}

/** Listening TCP sockets of these processes: from `ss` on Linux, from `lsof` elsewhere. */
export async function listeners(pids: readonly number[]): Promise<Listener[]> {
  const found = process.platform === 'linux' ? await fromSs() : await fromLsof();
  return found.filter(({pid}) => pids.includes(pid));
}

async function fromSs(): Promise<Listener[]> {
  const lines = await output('ss', ['-ltnpH']);
  return lines.split('\n').flatMap((line) => {
    const [, , , local = ''] = line.split(/\s+/);
    return [...line.matchAll(/pid=(\d+)/g)].map(([, pid]) => listener(Number(pid), local));
  });
}

/** Lines `pPID`, then `nADDRESS:PORT` for each of its sockets. */
async function fromLsof(): Promise<Listener[]> {
  const lines = await output('lsof', ['-nP', '-iTCP', '-sTCP:LISTEN', '-Fpn']);
  let pid = 0;
  return lines.split('\n').flatMap((line) => {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    return line.startsWith('n') ? [listener(pid, line.slice(1))] : [];
  });
}

function listener(pid: number, local: string): Listener {
  const colon = local.lastIndexOf(':');
  return {pid, address: local.slice(0, colon), port: Number(local.slice(colon + 1))};
}
