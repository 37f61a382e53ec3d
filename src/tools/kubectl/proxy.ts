import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {pluginText, unreachable} from '../../domain/kube/status.js';
import {nearest} from '../../domain/nearest.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {seconds} from '../bounded.js';
import {lastLines} from '../child-output.js';
import type {RunningTool} from '../programs.js';
import {kubectlArgs, startKubectl, type Kubectl, type KubectlFlags} from './start.js';

/** How long kubectl may take to open its socket; it does not contact a server before. Milliseconds. */
const startLimitMs = 30_000;

const clientVersion = inspectWith.kubectl('any', words`version --client`);

/** The options of {@link startProxy}. */
export interface ProxyOptions extends Kubectl {
  readonly socketPath: string;
  readonly stdin: 'inherit' | 'none';
  /** Whether it keeps running after an abort of the run, until it is stopped. */
  readonly detached: boolean;
  readonly onErrorText?: (text: string) => void;
}

/**
 * Starts `kubectl proxy` on a unix socket and waits until it listens. kubectl does not contact the cluster yet. Throws
 * `TOOL_MISSING`, `TOOL_TOO_OLD`, `TOOL_OUTPUT`, `KUBECONFIG_MISSING`, `CONTEXT_MISSING`.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningTool> {
  const {socketPath, stdin, detached, onErrorText} = options;
  // Servers with a path in their URL (Rancher, other multi-tenant front ends) require it in each request.
  const args = ['proxy', `--unix-socket=${socketPath}`, '--append-server-path'];
  const lines: string[] = [];
  const {tool, state} = await startKubectl(
    options,
    defined({args, stdin, detached, onErrorText}),
    startLimitMs,
    (line) => {
      lines.push(line);
      return line.startsWith('Starting to serve on');
    },
  );
  if (state === 'ready') return tool;
  if (state === 'ended') throw await startError(options, tool.stderr(), lines);
  const what = lastLines([...lines, tool.stderr()].join('\n'));
  throw new MeshError('TOOL_OUTPUT', `kubectl proxy did not listen within ${seconds(startLimitMs)}: ${what}`);
}

/** Determines from its output why kubectl exited before it listened. */
async function startError(options: ProxyOptions, stderr: string, lines: readonly string[]): Promise<MeshError> {
  const {context, flags} = options;
  const error = /^error: (.*)$/m.exec(stderr)?.[1] ?? lastLines([stderr, ...lines].join('\n'));
  if (/context .*does not exist/i.test(error)) {
    const names = await contextNames(options);
    return names.length > 0 ? contextMissing(context, names) : noContexts(flags);
  }
  const missingFile = /(?:stat|open) (.+): no such file or directory/.exec(error)?.[1];
  if (missingFile !== undefined) {
    return new MeshError('KUBECONFIG_MISSING', `the kubeconfig file ${missingFile} does not exist`, {
      hints: ['set an existing one with --kubeconfig or KUBECONFIG'],
    });
  }
  if (/error loading config file|permission denied|unable to read|invalid configuration/i.test(error)) {
    return new MeshError('KUBECONFIG_MISSING', `kubectl cannot use the kubeconfig: ${error}`, {
      hints: [advice`check that this works: ${inspectWith.kubectl('any', words`config get-contexts`)}`],
    });
  }
  const unknownFlag = /unknown (?:flag|shorthand|command)[^\n]*/i.exec(stderr)?.[0];
  if (unknownFlag !== undefined) {
    return new MeshError('TOOL_TOO_OLD', `this kubectl is too old: ${unknownFlag}`, {
      hints: [advice`kubectl 1.23 or later is required; check with: ${clientVersion}`],
    });
  }
  if (/invalid configuration|getting credentials|exec plugin/i.test(stderr)) {
    return new MeshError('UNAUTHORIZED', `no credentials for context "${context}": ${pluginText(stderr)}`);
  }
  if (/dial |connect|lookup |tls:|x509:/i.test(error)) return unreachable(context, error);
  return new MeshError('TOOL_OUTPUT', `kubectl proxy exited before it listened: ${error}`, {
    hints: [advice`check that this is the intended kubectl: ${clientVersion}`],
  });
}

/** kubectl ignores missing files that KUBECONFIG or its default names, so missing and empty ones are not distinguished. */
function noContexts({kubeconfig, defaultKubeconfigs = []}: KubectlFlags): MeshError {
  const files = kubeconfig === undefined ? defaultKubeconfigs : [kubeconfig];
  return new MeshError('KUBECONFIG_MISSING', `the kubeconfig ${files.join(', ')} does not exist or has no contexts`, {
    hints: ['select another file with --kubeconfig or KUBECONFIG'],
  });
}

function contextMissing(context: string, names: readonly string[]): MeshError {
  // Users often omit a tool's prefix: "cluster1" for "kind-cluster1".
  const meant = names.find((name) => name.includes(context)) ?? nearest(context, names);
  return new MeshError('CONTEXT_MISSING', `the kubeconfig has no context "${context}"`, {
    hints: [
      meant === undefined ? `choose one of: ${names.slice(0, 10).join(', ')}` : `did you mean "${meant}"?`,
      'correct the context in contexts.yaml or mesh.yaml, or use --context',
      advice`to list all contexts: ${inspectWith.kubectl('any', words`config get-contexts -o name`)}`,
    ],
  });
}

/** Returns the error if a kubeconfig with these contexts does not have this one; undefined if it has no contexts at all. */
export function missingContext(names: readonly string[], context: string): MeshError | undefined {
  return names.length === 0 || names.includes(context) ? undefined : contextMissing(context, names);
}

/**
 * Lists the contexts. Called only after a failure and before a context is recorded: normally there is one kubectl process
 * per cluster.
 */
export async function contextNames({
  runner,
  flags: {kubeconfig},
}: Pick<Kubectl, 'runner' | 'flags'>): Promise<readonly string[]> {
  const args = [...kubectlArgs({kubeconfig}), 'config', 'get-contexts', '-o', 'name'];
  const result = await runner.run({file: 'kubectl', args, timeoutMs: 10_000});
  return result.exitCode === 0 ? result.stdout.split('\n').filter((line) => line !== '') : [];
}
