/** What a real data path needs of the machine, reported in one line if it is missing. */
import {peerTool} from '../../../helpers/peer-tools.js';
import {HarnessError, run} from '../processes.js';
import {canHaveOwnNetwork, hasOwnNetwork, ownNetwork} from './own-network.js';

/** Programs and an argument with which they succeed; packages of Debian that have them. */
const programs = [
  ['ip', '-V', 'iproute2'],
  ['iptables', '-V', 'iptables'],
  ['unshare', '-V', 'util-linux'],
  ['nsenter', '-V', 'util-linux'],
  ['setpriv', '-V', 'util-linux'],
] as const;

/** Programs of other makers that the pods run. */
export interface DataPathPrograms {
  /** Absolute path of Envoy, the upstream build. */
  readonly envoy: string;
}

/** What a data path does first in its network: fails without these rights or parts of the kernel. */
const probe = [...ownNetwork, 'sh', '-c', 'ip link add probe type bridge && iptables --table nat --list'] as const;

/** What this machine lacks, as words for one line; empty when a data path can run, in a process with a network of its own. */
export async function missingForDataPath(): Promise<readonly string[]> {
  if (!canHaveOwnNetwork()) return ['root on Linux (network namespaces)'];
  const found = await Promise.all(
    programs.map(async ([program, argument, from]) =>
      (await succeeds(program, argument)) ? [] : [`${program} (Debian: ${from})`],
    ),
  );
  const absent = found.flat();
  if (absent.length === 0 && !(await succeeds(...probe))) {
    absent.push('permission for network namespaces, bridges and iptables');
  }
  return [...absent, ...(findEnvoy() === undefined ? ['envoy (npm run peer-tools)'] : [])];
}

/** Throws a {@link HarnessError} of one line that names everything that is missing. */
export async function requireDataPath(): Promise<DataPathPrograms> {
  const missing = [...(await missingForDataPath())];
  if (canHaveOwnNetwork() && !hasOwnNetwork()) {
    missing.push('a network namespace of its own (vitest --project data-path)');
  }
  const envoy = findEnvoy();
  if (missing.length > 0 || envoy === undefined) {
    throw new HarnessError(`a real data path needs, and this machine lacks: ${missing.join(', ')}`);
  }
  return {envoy};
}

async function succeeds(command: string, ...args: readonly string[]): Promise<boolean> {
  const ran = await run(command, args).catch(() => undefined);
  return ran?.code === 0;
}

function findEnvoy(): string | undefined {
  try {
    return peerTool('envoy');
  } catch {
    return undefined;
  }
}
