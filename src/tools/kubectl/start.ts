/** Starts kubectl processes. */
import {within} from '../bounded.js';
import type {Runner, RunningTool, StartCommand} from '../programs.js';

/** The flags that are passed on to every kubectl process. */
export interface KubectlFlags {
  readonly kubeconfig?: string | undefined;
  /** The files that kubectl reads without `--kubeconfig`, for messages. Not passed on. */
  readonly defaultKubeconfigs?: readonly string[] | undefined;
  readonly as?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
}

/** How to run kubectl, and for which cluster. */
export interface Kubectl {
  readonly runner: Runner;
  readonly flags: KubectlFlags;
  readonly context: string;
}

/** Returns the flags as arguments, with the context. */
export function kubectlArgs({kubeconfig, as, asGroups = []}: KubectlFlags, context?: string): readonly string[] {
  return [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(as === undefined ? [] : [`--as=${as}`]),
    ...asGroups.map((group) => `--as-group=${group}`),
  ];
}

/**
 * Starts a long-running kubectl and waits until `isReady` returns true for a line. Reads its lines to the end:
 * port-forward prints "Handling connection for …" for each connection, and a pipe that is not read would stop it. Stops
 * a kubectl that does not become ready in time. Throws `TOOL_MISSING`.
 */
export async function startKubectl(
  {runner, flags, context}: Kubectl,
  {args, ...command}: Omit<StartCommand, 'file'>,
  timeoutMs: number,
  isReady: (line: string) => boolean,
): Promise<{readonly tool: RunningTool; readonly state: 'ready' | 'timed-out' | 'ended'}> {
  const tool = await runner.start({file: 'kubectl', args: [...kubectlArgs(flags, context), ...args], ...command});
  const ready = new Promise<'ready' | 'ended'>((resolve, reject) => {
    const listen = async (): Promise<void> => {
      for await (const line of tool.lines) if (isReady(line)) resolve('ready');
      resolve('ended');
    };
    listen().catch(reject);
  });
  const state = await within(timeoutMs, ready);
  if (state !== 'ready') await tool.stop();
  return {tool, state};
}
