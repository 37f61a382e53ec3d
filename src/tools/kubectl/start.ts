/** Starts kubectl processes. */
import {within} from '../bounded.js';
import type {Runner, RunningTool, StartCommand} from '../runner.js';

/** Flags of ours that are kubectl's: handed on to every kubectl process. */
export interface KubectlFlags {
  readonly kubeconfig?: string | undefined;
  readonly as?: string | undefined;
  readonly asGroups?: readonly string[] | undefined;
}

/** Which kubectl, for which cluster. */
export interface Kubectl {
  readonly runner: Runner;
  readonly flags: KubectlFlags;
  readonly context: string;
}

/** The flags as arguments, with the context. */
export function kubectlArgs({kubeconfig, as, asGroups = []}: KubectlFlags, context?: string): readonly string[] {
  return [
    ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
    ...(context === undefined ? [] : [`--context=${context}`]),
    ...(as === undefined ? [] : [`--as=${as}`]),
    ...asGroups.map((group) => `--as-group=${group}`),
  ];
}

/**
 * Starts a kubectl that goes on, and waits until `isReady` says so of a line. Its lines are read to the end: port-forward
 * says "Handling connection for …" at each connection, and would die of a pipe that nobody reads. A kubectl that is late
 * is stopped. Throws `TOOL_MISSING`.
 */
export async function startKubectl(
  {runner, flags, context}: Kubectl,
  {args, ...command}: Omit<StartCommand, 'file'>,
  timeoutMs: number,
  isReady: (line: string) => boolean,
): Promise<{readonly tool: RunningTool; readonly state: 'ready' | 'late' | 'ended'}> {
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
