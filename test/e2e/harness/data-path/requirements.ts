/** What a real data path needs of the machine, reported in one line if it is missing. */
import {peerTool} from '../../../helpers/peer-tools.js';
import {HarnessError, run} from '../processes.js';
import {canHaveOwnNetwork, hasOwnNetwork} from './own-network.js';

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

/** What is missing here, as words for one line; empty when a data path can run. */
export async function missingForDataPath(): Promise<readonly string[]> {
  if (!canHaveOwnNetwork()) return ['root on Linux (network namespaces)'];
  const found = await Promise.all(
    programs.map(async ([program, argument, from]) => {
      const ran = await run(program, [argument]).catch(() => undefined);
      return ran?.code === 0 ? [] : [`${program} (Debian: ${from})`];
    }),
  );
  const envoy = findEnvoy() === undefined ? ['envoy (npm run peer-tools)'] : [];
  const network = hasOwnNetwork() ? [] : ['a network namespace of its own (vitest --project data-path)'];
  return [...found.flat(), ...envoy, ...network];
}

/** Throws a {@link HarnessError} of one line that names everything that is missing. */
export async function requireDataPath(): Promise<DataPathPrograms> {
  const missing = await missingForDataPath();
  const envoy = findEnvoy();
  if (missing.length > 0 || envoy === undefined) {
    throw new HarnessError(`a real data path needs, and this machine lacks: ${missing.join(', ')}`);
  }
  return {envoy};
}

function findEnvoy(): string | undefined {
  try {
    return peerTool('envoy');
  } catch {
    return undefined;
  }
}
