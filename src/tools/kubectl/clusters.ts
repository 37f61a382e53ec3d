/**
 * All clusters of one command: one session (a `kubectl proxy`) per context, opened at first use. The user's kubectl
 * handles credentials, proxies, TLS and impersonation; this program only uses HTTP over a private unix socket.
 */
import {defined} from '../../domain/defined.js';
import {join} from 'node:path';
import {memoizeAsync} from '../../domain/memoize.js';
import {printable} from '../../domain/printable.js';
import type {Runner} from '../programs.js';
import type {Clusters, KubeApi} from './api.js';
import type {KubectlFlags} from './start.js';
import {serverOfContext} from './kubeconfig.js';
import {startPortForward} from './port-forward.js';
import {contextNames, missingContext, startProxy} from './proxy.js';
import {createSession} from './session.js';
import {createTransport} from './transport.js';

/** The options of {@link createClusters}. */
export interface ClustersOptions extends KubectlFlags {
  readonly runner: Runner;
  /** Bounds each API request; absent: {@link defaultRequestTimeoutMs}. Milliseconds. */
  readonly requestTimeoutMs?: number | undefined;
  readonly signal: AbortSignal;
  /** Creates a private directory (0700) with a path short enough for sockets (104 bytes on macOS, 108 on Linux). */
  readonly temporaryDirectory: () => Promise<{readonly path: string; remove(): Promise<void>}>;
  /**
   * Set if a terminal is attached: kubectl inherits standard input, contexts are opened in sequence, and this receives
   * the output of credential plugins while a context is opened.
   */
  readonly onTerminalText?: ((text: string) => void) | undefined;
}

/** The same as kubectl's own timeout for a connection. Milliseconds. */
const defaultRequestTimeoutMs = 30_000;

interface OpenSession {
  readonly api: KubeApi;
  /** Settles when its kubectl has exited. */
  readonly ended: Promise<unknown>;
  close(): Promise<void>;
}

/** Creates the clusters of one command. */
export function createClusters(options: ClustersOptions): Clusters {
  const kubectl = {runner: options.runner, flags: options};
  const requestTimeoutMs = options.requestTimeoutMs ?? defaultRequestTimeoutMs;
  const sessions = new Map<string, Promise<OpenSession>>();
  const closers = new Set<() => Promise<void>>();
  let directory: ReturnType<ClustersOptions['temporaryDirectory']> | undefined;
  let opened = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const openNow = async (context: string, number: number, detached = false): Promise<OpenSession> => {
    // A detached kubectl is separated from the terminal: it cannot prompt there, and Ctrl-C does not reach it.
    const onText = detached ? undefined : options.onTerminalText;
    const signal = detached ? new AbortController().signal : options.signal;
    directory ??= options.temporaryDirectory();
    const socketPath = join((await directory).path, String(number));
    let isOpening = true;
    const tool = await startProxy(
      defined({
        ...kubectl,
        context,
        socketPath,
        stdin: onText ? 'inherit' : 'none',
        detached,
        onErrorText:
          onText &&
          ((text: string) => {
            if (isOpening) onText(withoutLogLines(printable(text)));
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
      // Sent before any other request, so that the credential plugin runs once, however many requests follow in
      // parallel. It has no timeout on a terminal: a login prompt takes longer than an API request may.
      const first = onText ? createSession({...parts, timeoutMs: 0}) : createSession(parts);
      let version: unknown = await first.raw('/version');
      const api = createSession(parts);
      // The first read of the version uses this response; later reads check whether the API server still responds.
      const raw = async (path: string): Promise<unknown> => {
        if (path !== '/version' || version === undefined) return api.raw(path);
        const response = version;
        version = undefined;
        return response;
      };
      return {api: {...api, raw, detached: () => openDetached(context)}, ended: tool.ended, close};
    } catch (thrown) {
      await close();
      throw thrown;
    } finally {
      isOpening = false;
    }
  };

  const openDetached = async (context: string): Promise<KubeApi> => (await openNow(context, opened++, true)).api;

  const openSession = (context: string): Promise<OpenSession> => {
    const number = opened++;
    if (!options.onTerminalText) return openNow(context, number);
    // Two plugins that prompt at the same time would share one terminal.
    const turn = queue.then(() => openNow(context, number));
    queue = turn.catch(() => undefined);
    return turn;
  };

  // A missing kubeconfig or kubectl is not the context's fault.
  const knownContexts = memoizeAsync(() => contextNames(kubectl).catch((): readonly string[] => []));

  return {
    async open(context) {
      let session = sessions.get(context);
      if (!session) {
        session = openSession(context);
        sessions.set(context, session);
        // A failure is not cached: `verify --wait` retries until the API server responds. Nor is a kubectl that has
        // exited because it was killed, or because the machine ran out of memory.
        const forget = (): void => {
          if (sessions.get(context) === session) sessions.delete(context);
        };
        session
          .then(async (current) => {
            await current.ended;
            await current.close();
          })
          .then(forget, forget);
      }
      return (await session).api;
    },
    openDetached,
    missingContext: async (context) => missingContext(await knownContexts(), context),
    serverOf: (context) => serverOfContext({...kubectl, context}),
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

/** Removes kubectl's log lines, which repeat the error message; prompts and messages of plugins are kept. */
function withoutLogLines(text: string): string {
  return text.replace(/^[EWIF]\d{4} .*\n?/gm, '');
}
