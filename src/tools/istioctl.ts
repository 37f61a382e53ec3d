import {memoizeAsync} from '../domain/memoize.js';
import {defined} from '../domain/defined.js';
import * as z from 'zod';
import {MeshError} from '../domain/errors.js';
import {impersonationUnsupported} from '../domain/install/istioctl-output.js';
import {advice, inspectWith} from '../domain/suggest/suggestion.js';
import {lastLines} from './child-output.js';
import type {Runner} from './runner.js';

/** What a finished istioctl run said. */
export interface IstioctlRun {
  readonly exitCode: number;
  /** Standard output and standard error in the order they came, without control characters. */
  readonly output: string;
}

/** What to run. */
export interface IstioctlRequest {
  readonly context: string;
  /** Arguments without file, context and kubeconfig. */
  readonly args: readonly string[];
  /** Absolute path of the document for `-f`. */
  readonly file: string;
  readonly timeoutMs: number;
  readonly onLine?: (line: string) => void;
}

/** The user's istioctl. */
export interface Istioctl {
  /**
   * Its own version, as `istioctl version -o json --remote=false` prints it: `1.31.0`, or `unknown` for a development
   * build. Throws `TOOL_MISSING`, `TOOL_OUTPUT`. Asked once per command.
   */
  version(): Promise<string>;
  /**
   * Runs istioctl with `--context` and `--kubeconfig` added. A non-zero exit is an answer, not an exception. Throws
   * `TOOL_MISSING`, `UNSUPPORTED_FLAG` (with `--as`, which istioctl has not in all versions), `TIMEOUT`, `INTERRUPTED`.
   */
  run(request: IstioctlRequest): Promise<IstioctlRun>;
}

/** What an {@link Istioctl} is made from. */
export interface IstioctlOptions {
  readonly runner: Runner;
  /** `--kubeconfig`, when given. */
  readonly kubeconfig: string | undefined;
  /** `--as` or `--as-group` was given: then nothing may run against a cluster. */
  readonly impersonating: boolean;
}

/**
 * A file name as the value of istioctl's `-f`, which is read as a line of comma-separated values (spf13/pflag
 * string_slice.go).
 */
function fileArgument(path: string): string {
  return /[",\n\r]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
}

/** istioctl answers `version` from its own binary; what takes longer hangs. Milliseconds. */
const versionTimeoutMs = 30_000;

/** The output of istioctl's version command, 1.6 and later (istio/istio pkg/version/cobra.go). */
const versionOutput = z.object({clientVersion: z.object({version: z.string().min(1)})});

/** Finds istioctl in PATH at first use. */
export function createIstioctl({runner, kubeconfig, impersonating}: IstioctlOptions): Istioctl {
  return {
    version: memoizeAsync(() => readClientVersion(runner)),
    async run({context, args, file, timeoutMs, onLine}) {
      if (impersonating) throw impersonationUnsupported();
      const target = ['--context', context, ...(kubeconfig === undefined ? [] : ['--kubeconfig', kubeconfig])];
      const all = [...args, '-f', fileArgument(file), ...target];
      const answer = await withHint(runner.run(defined({file: 'istioctl', args: all, timeoutMs, onLine})));
      return {exitCode: answer.exitCode, output: answer.output};
    },
  };
}

async function readClientVersion(runner: Runner): Promise<string> {
  const args = ['version', '-o', 'json', '--remote=false'];
  const answer = await withHint(runner.run({file: 'istioctl', args, timeoutMs: versionTimeoutMs}));
  const version = answer.exitCode === 0 ? parseVersion(answer.stdout) : undefined;
  if (version !== undefined) return version;
  const said = lastLines(answer.output, 3);
  throw new MeshError('TOOL_OUTPUT', `istioctl did not say its version (exit ${String(answer.exitCode)}): ${said}`, {
    hints: [advice`run \`${inspectWith.run('istioctl', args)}\` and look; Istio 1.6 and later are known here`],
  });
}

function parseVersion(text: string): string | undefined {
  try {
    const read = versionOutput.safeParse(JSON.parse(text));
    return read.success ? read.data.clientVersion.version : undefined;
  } catch {
    return undefined;
  }
}

/** A missing istioctl gets the hint where to find one. */
function withHint<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((thrown: unknown) => {
    if (!(thrown instanceof MeshError) || thrown.code !== 'TOOL_MISSING') throw thrown;
    const hint =
      'put the istioctl of the Istio release you want to install in PATH: https://istio.io/latest/docs/setup/getting-started/#download';
    throw new MeshError('TOOL_MISSING', thrown.message, {hints: [hint], cause: thrown});
  });
}
