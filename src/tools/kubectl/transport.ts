import {defined} from '../../domain/defined.js';
import {Agent, request, type ClientRequest} from 'node:http';
import {seconds} from '../bounded.js';
import {ResponseTooLargeError, sendRequest, type HttpResponse} from '../http.js';

/** A request to the API server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** 0: no timeout. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Why there is no response: with `refused` the request never reached the API server, with the others it may have. */
export class NoResponseError extends Error {
  constructor(
    readonly reason: 'refused' | 'broken' | 'timed-out',
    message: string,
  ) {
    super(message);
  }
}

/** HTTP over a unix socket. */
export interface Transport {
  /** Returns the response, with any status. Throws {@link NoResponseError}, {@link ResponseTooLargeError}, and `INTERRUPTED` or `TIMEOUT`. */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): void;
}

/** Parallel connections to one socket: enough for parallel lists, few enough for API priority and fairness. */
const maxConnections = 16;

/** A page of 500 objects, each 130 kB long; the API server's own limit for one object is 1.5 MiB (etcd's for a request). */
const maxResponseBytes = 64 * 1024 * 1024;

/** Creates a transport over `socketPath`. */
export function createTransport(socketPath: string): Transport {
  const agent = new Agent({keepAlive: true, maxSockets: maxConnections});

  return {
    async send({method, path, headers, body, timeoutMs, signal}) {
      const send = (): ClientRequest => {
        const outgoing = request({
          socketPath,
          agent,
          method,
          path,
          headers: defined({
            // kubectl proxy accepts requests for localhost only (its --accept-hosts).
            host: 'localhost',
            accept: 'application/json',
            'user-agent': 'kubectl-mesh',
            ...headers,
            'content-length': body === undefined ? undefined : String(Buffer.byteLength(body)),
          }),
        });
        return outgoing.end(body);
      };
      return sendRequest(send, {
        timeoutMs,
        maxBytes: maxResponseBytes,
        signal,
        timeoutError: () =>
          new NoResponseError('timed-out', `no response within ${seconds(timeoutMs)} (--request-timeout)`),
        explain: (error) =>
          error instanceof ResponseTooLargeError ? error : new NoResponseError(reasonOf(error), error.message),
      });
    },
    close() {
      agent.destroy();
    },
  };
}

function reasonOf({code}: NodeJS.ErrnoException): NoResponseError['reason'] {
  return code === 'ECONNREFUSED' || code === 'ENOENT' ? 'refused' : 'broken';
}
