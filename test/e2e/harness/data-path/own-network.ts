/**
 * Processes with a network of their own: an anonymous network namespace with its interfaces, firewall and ports, and an
 * anonymous mount namespace. The kernel removes both with the last process in them, so nothing has to be swept after a kill.
 *
 * The process that drives a data path is itself in there: API servers, istiods, kubectl and the program under test, its
 * children, find each other on 127.0.0.1 as in every other end-to-end test.
 */
import {readlinkSync} from 'node:fs';

/** The command line, and what is to be run in the new network after it. */
export const ownNetwork: readonly [string, ...string[]] = ['unshare', '--net', '--mount', '--'];

/** A process that {@link ownNetwork} started is not in the network of the process that started it. */
export function hasOwnNetwork(): boolean {
  const [own, parent] = ['self', String(process.ppid)].map((pid) => readlinkSync(`/proc/${pid}/ns/net`));
  return own !== parent;
}

/** Network namespaces exist on Linux only and only root can make them; requirements.ts tells the user. */
export function canHaveOwnNetwork(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}
