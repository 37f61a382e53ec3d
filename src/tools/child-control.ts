/** Ends a child process with its descendants: when the run is aborted, after the child's timeout, or on request. */
import {endTrees, sendSignal} from './end-tree.js';
import type {Processes} from './processes.js';
import type {SupervisedChild, Supervisor} from './supervisor.js';

/** A child process, started or not. */
export interface Child extends SupervisedChild {
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  once(event: 'exit', listener: () => void): unknown;
}

/** When to end a child. */
export interface ChildLimits {
  readonly timeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly processes: Processes;
  readonly supervisor: Supervisor;
}

/** Controls one child. */
export interface ChildControl {
  /** Sends SIGTERM, and SIGKILL three seconds later; resolves when the child and all its descendants have exited. */
  end(): Promise<void>;
  /** Resolves when nothing is being ended: also a descendant may take until SIGKILL. */
  rest(): Promise<void>;
  /** Whether the timeout ended it. */
  isTimedOut(): boolean;
}

/** Controls a child that has just been started. */
export function controlChild(child: Child, {timeoutMs, signal, processes, supervisor}: ChildLimits): ChildControl {
  const {pid} = child;
  let ending: Promise<void> | undefined;
  let timedOut = false;
  const endNow = async (): Promise<void> => {
    // The process ID of a child that has exited may belong to another process.
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const releases: (() => void)[] = [];
    // The supervisor must know them: if this process dies now, and the child has exited, it could not find them.
    const superviseAll = (pids: readonly number[]): void => {
      const found = pids.map((each) => ({pid: each, kill: (name: 'SIGKILL') => sendSignal(each, name)}));
      releases.push(...found.map((each) => supervisor.add(each)));
    };
    await endTrees([pid], processes, superviseAll);
    for (const release of releases) release();
  };
  const end = (): Promise<void> => (ending ??= endNow());
  const abort = (): void => void end();
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          abort();
        }, timeoutMs);
  signal.addEventListener('abort', abort);
  const release = supervisor.add(child);
  const settle = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    release();
  };
  if (pid === undefined) settle();
  else child.once('exit', settle);
  return {end, rest: async () => ending, isTimedOut: () => timedOut};
}
