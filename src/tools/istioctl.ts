import {memoizeAsync} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import * as z from 'zod';
import {MeshError} from '../domain/errors.js';
import {impersonationUnsupported} from '../domain/install/istioctl-output.js';
import {advice, inspectWith} from '../domain/suggest/suggestion.js';
import {lastLines} from './child-output.js';
import type {Runner} from './programs.js';

/** The result of an istioctl run. */
export interface IstioctlRun {
  readonly exitCode: number;
  /** Standard output and standard error, interleaved as they arrived, without control characters. */
  readonly output: string;
}

/** The arguments of a run. */
export interface IstioctlRequest {
  readonly context: string;
  /** Arguments without file, context and kubeconfig. */
  readonly args: readonly string[];
  /** The document for `-f`. istioctl reads a private copy: nobody can change it after it was checked. */
  readonly document: string;
  readonly timeoutMs: number;
  readonly onLine?: (line: string) => void;
}

/** The user's istioctl. */
export interface Istioctl {
  /**
   * Returns istioctl's version, as printed by `istioctl version -o json --remote=false`: `1.31.0`, or `unknown` for a
   * development build. Throws `TOOL_MISSING`, `TOOL_OUTPUT`. Run once per command.
   */
  version(): Promise<string>;
  /**
   * Runs istioctl with `--context` and `--kubeconfig` added. A non-zero exit code is a result, not an exception. Throws
   * `TOOL_MISSING`, `UNSUPPORTED_FLAG` (with `--as`, which not all versions of istioctl support), `TIMEOUT`,
   * `INTERRUPTED`.
   */
  run(request: IstioctlRequest): Promise<IstioctlRun>;
}

/** The options of {@link createIstioctl}. */
export interface IstioctlOptions {
  readonly runner: Runner;
  /** `--kubeconfig`, if given. */
  readonly kubeconfig: string | undefined;
  /** `--as` or `--as-group` was given: istioctl must not access a cluster. */
  readonly impersonating: boolean;
  /** Writes a text to a file that only this user can read and change. `remove` ignores a missing file. */
  readonly privateFile: (
    name: string,
    text: string,
  ) => Promise<{readonly path: string; readonly remove: () => Promise<void>}>;
}

/**
 * Quotes a file name for istioctl's `-f`, which is parsed as a line of comma-separated values (spf13/pflag
 * string_slice.go).
 */
function fileArgument(path: string): string {
  return /[",\n\r]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}

/** istioctl prints its version without contacting anything; if it takes longer, it hangs. Milliseconds. */
const versionTimeoutMs = 30_000;

/** The output of istioctl's version command, 1.6 and later (istio/istio pkg/version/cobra.go). */
const versionOutput = z.object({clientVersion: z.object({version: z.string().min(1)})});

/** Finds istioctl in PATH at first use. */
export function createIstioctl({runner, kubeconfig, impersonating, privateFile}: IstioctlOptions): Istioctl {
  return {
    version: memoizeAsync(() => readClientVersion(runner)),
    async run({context, args, document, timeoutMs, onLine}) {
      if (impersonating) throw impersonationUnsupported();
      const target = ['--context', context, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])];
      const {path, remove} = await privateFile('install.yaml', document);
      try {
        const all = [...args, '-f', fileArgument(path), ...target];
        const result = await withHint(runner.run(defined({file: 'istioctl', args: all, timeoutMs, onLine})));
        return {exitCode: result.exitCode, output: result.output};
      } finally {
        await remove();
      }
    },
  };
}

async function readClientVersion(runner: Runner): Promise<string> {
  const args = ['version', '-o', 'json', '--remote=false'];
  const result = await withHint(runner.run({file: 'istioctl', args, timeoutMs: versionTimeoutMs}));
  const version = result.exitCode === 0 ? parseVersion(result.stdout) : undefined;
  if (version !== undefined) return version;
  const output = lastLines(result.output, 3);
  throw new MeshError(
    'TOOL_OUTPUT',
    `istioctl did not print its version (exit ${String(result.exitCode)}): ${output}`,
    {
      hints: [advice`check \`${inspectWith.run('istioctl', args)}\`; Istio 1.6 or later is required`],
    },
  );
}

function parseVersion(text: string): string | undefined {
  try {
    const parsed = versionOutput.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.clientVersion.version : undefined;
  } catch {
    return undefined;
  }
}

/** Adds a download link to the error for a missing istioctl. */
function withHint<T>(result: Promise<T>): Promise<T> {
  return result.catch((thrown: unknown) => {
    if (!(thrown instanceof MeshError) || thrown.code !== 'TOOL_MISSING') throw thrown;
    const hint =
      'install the istioctl of the Istio release to install, and add it to PATH: https://istio.io/latest/docs/setup/getting-started/#download';
    throw new MeshError('TOOL_MISSING', thrown.message, {hints: [hint], cause: thrown});
  });
}
