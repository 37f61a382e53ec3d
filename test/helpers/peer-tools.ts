/**
 * Programs of other makers that end-to-end tests compare with or work against: real servers, tokens and checkers.
 * `npm run peer-tools` installs what is missing (scripts/peer-tools.mjs).
 */
import {existsSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';

/** What there is: OpenBao's server and client, Envoy, a software PKCS#11 token with its tools, Prometheus' rule checker. */
export type PeerTool = 'bao' | 'envoy' | 'softhsm2-util' | 'pkcs11-tool' | 'promtool';

/** Where softhsm2 puts its PKCS#11 module, by platform (Debian's package first). */
const modulePaths = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
] as const;

/** Where `npm run peer-tools` puts OpenBao and Envoy: outside the checkout, beside the control planes. */
const ownDirectory = join(homedir(), '.cache', 'kubectl-mesh', 'peer-tools', 'bin');

/** The absolute path of a tool. Throws an error that says how to get it. */
export function peerTool(name: PeerTool): string {
  const directories = [ownDirectory, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  return found(
    name,
    directories.map((directory) => join(directory, name)),
  );
}

/** The PKCS#11 module of softhsm2. Throws like {@link peerTool}. */
export function softhsmModule(): string {
  return found('the PKCS#11 module of softhsm2', modulePaths);
}

function found(what: string, paths: readonly string[]): string {
  const path = paths.find((one) => existsSync(one));
  if (path === undefined) throw new Error(`needed, and not here: ${what}. npm run peer-tools installs it`);
  return path;
}
