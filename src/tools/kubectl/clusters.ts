/**
 * All clusters of one command: a session (one `kubectl proxy`) per context, opened at first use. The user's kubectl does
 * credentials, proxies, TLS and impersonation; this program only speaks HTTP over a private unix socket.
 */
import {defined} from '../../domain/defined.js';
import {join} from 'node:path';
import {printable} from '../../domain/printable.js';
import type {Runner} from '../runner.js';
import type {Clusters, KubeApi} from './api.js';
import type {KubectlFlags} from './start.js';
import {startPortForward} from './port-forward.js';
import {startProxy} from './proxy.js';
import {createSession} from './session.js';
import {createTransport} from './transport.js';

/** What {@link createClusters} needs. */
export interface ClustersOptions extends KubectlFlags {
  readonly runner: Runner;
  /** Bounds each API request; absent: {@link defaultRequestTimeoutMs}. Milliseconds. */
  readonly requestTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Makes, at first use, a private directory (0700) with a path short enough for sockets (104 bytes on macOS, 108 on Linux). */
  readonly temporaryDirectory: () => Promise<{readonly path: string; remove(): Promise<void>}>;
  /**
   * Set when a person sits at the terminal: kubectl gets our standard input, contexts are opened one after the other,
   * and what credential plugins say while a context is opened is handed here.
   */
  readonly onTerminalText?: ((text: string) => void) | undefined;
}

/** As long as kubectl itself waits for a connection. Milliseconds. */
const defaultRequestTimeoutMs = 30_000;

interface OpenSession {
  readonly api: KubeApi;
  /** Settles when its kubectl has ended. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** Makes the clusters of one command. */
export function createClusters(options: ClustersOptions): Clusters {
  const kubectl = {runner: options.runner, flags: options};
  const requestTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const sessions = new Map<string, Promise<OpenSession>>();
  const closers = new Set<() => Promise<void>>();
  let directory: ReturnType<ClustersOptions['temporaryDirectory']> | undefined;
  let opened = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const openNow = async (context: string, number: number, lasts = false): Promise<OpenSession> => {
    // A kubectl that lasts stands apart from the terminal: it cannot ask there, and Ctrl-C does not reach it.
    const speak = lasts ? undefined : options.onTerminalText;
    const signal = lasts ? new AbortController().signal : options.signal;
    directory ??= options.temporaryDirectory();
    const socketPath = join((await directory).path, String(number));
    let warming = true;
    const tool = await startProxy(
      defined({
        ...kubectl,
        context,
        socketPath,
        stdin: speak ? 'inherit' : 'none',
        detached: lasts,
        onErrorText:
          speak &&
          ((text: string) => {
            if (warming) speak(withoutLogLines(printable(text)));
          }),
      }),
    );
    const transport = createTransport(socketPath);
    const parts = {context, tool, transport, timeoutMs: requestTimeoutMs, signal};
    const close = async (): Promise<void> => {
      closers.delete(close);
      transport.close();
      await tool.stop();
    };
    closers.add(close);
    try {
      // The first request alone: it makes the credential plugin run once, however many requests follow in parallel. Nobody
      // answers a login prompt within the time that one API request may take.
      const first = speak ? createSession({...parts, timeoutMs: 0}) : createSession(parts);
      let version: unknown = await first.raw('/version');
      const api = createSession(parts);
      // Whoever asks first need not ask again; whoever asks later wants to know whether the API server still answers.
      const raw = async (path: string): Promise<unknown> => {
        if (path !== '/version' || version === undefined) return api.raw(path);
        const said = version;
        version = undefined;
        return said;
      };
      const lasting = async (): Promise<KubeApi> => (await openNow(context, opened++, true)).api;
      return {api: {...api, raw, detached: lasting}, ended: tool.ended, close};
    } catch (thrown) {
      await close();
      throw thrown;
    } finally {
      warming = false;
    }
  };

  const openSession = (context: string): Promise<OpenSession> => {
    const number = opened++;
    if (!options.onTerminalText) return openNow(context, number);
    // Two plugins that ask at the same time would share one terminal.
    const turn = queue.then(() => openNow(context, number));
    queue = turn.catch(() => undefined);
    return turn;
  };

  return {
    async open(context) {
      let session = sessions.get(context);
      if (!session) {
        session = openSession(context);
        sessions.set(context, session);
        // A failure is not remembered: `verify --wait` asks again until the API server is there. Nor is a kubectl that
        // has ended: somebody killed it, or the machine ran out of memory.
        const forget = (): void => {
          if (sessions.get(context) === session) sessions.delete(context);
        };
        session
          .then(async (made) => {
            await made.ended;
            await made.close();
          })
          .then(forget, forget);
      }
      return (await session).api;
    },
    async forward(context, namespace, pod, ports) {
      const target = {...kubectl, context, namespace, pod, ports};
      const forward = await startPortForward({...target, timeoutMs: requestTimeoutMs});
      const close = async (): Promise<void> => {
        closers.delete(close);
        await forward.close();
      };
      closers.add(close);
      return {ports: forward.ports, close};
    },
    async close() {
      await Promise.allSettled(sessions.values());
      await Promise.all([...closers].map((close) => close()));
      closers.clear();
      sessions.clear();
      await (await directory)?.remove();
      directory = undefined;
    },
  };
}

/** kubectl's own log lines repeat what the error will say; prompts and messages of plugins pass. */
function withoutLogLines(text: string): string {
  return text.replace(/^[EWIF]\d{4} .*\n?/gm, '');
}
