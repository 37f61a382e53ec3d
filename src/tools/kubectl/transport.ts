import {defined} from '../../domain/defined.js';
import {constants} from 'node:buffer';
import {Agent, request, type IncomingMessage} from 'node:http';
import type {MeshError} from '../../domain/errors.js';
import {seconds} from '../runner.js';
import {readBody} from '../bounded.js';
import {abortError} from '../abort.js';

/** A request to the API server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** Why no answer came: `refused` is sure not to have reached the API server, the others are not. */
export class NoAnswer extends Error {
  constructor(
    readonly reason: 'refused' | 'broken' | 'late',
    message: string,
  ) {
    super(message);
  }
}

/** HTTP over a unix socket. */
export interface Transport {
  /** One request, one answer, whatever its status. Throws {@link NoAnswer} and `INTERRUPTED` or `TIMEOUT`. */
  send(asked: HttpRequest): Promise<HttpAnswer>;
  close(): void;
}

/** Connections to one socket at a time: enough for parallel lists, few enough for the API server's fairness. */
const maxConnections = 16;

/** A transport over `socketPath`; `requestTimeoutMs` bounds each request, 0 is without a bound. */
export function createTransport(socketPath: string, requestTimeoutMs: number): Transport {
  const agent = new Agent({keepAlive: true, maxSockets: maxConnections});

  const open = (asked: HttpRequest): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (asked.signal.aborted) {
        reject(abortError(asked.signal));
        return;
      }
      const deadline = requestTimeoutMs > 0 ? AbortSignal.timeout(requestTimeoutMs) : undefined;
      const signal = deadline ? AbortSignal.any([asked.signal, deadline]) : asked.signal;
      const outgoing = request({
        socketPath,
        agent,
        method: asked.method,
        path: asked.path,
        signal,
        headers: defined({
          // kubectl proxy accepts requests for localhost only (its --accept-hosts).
          host: 'localhost',
          accept: 'application/json',
          'user-agent': 'kubectl-mesh',
          ...asked.headers,
          'content-length': asked.body === undefined ? undefined : String(Buffer.byteLength(asked.body)),
        }),
      });
      outgoing.on('error', (thrown: NodeJS.ErrnoException) => {
        reject(failure(thrown, asked.signal, deadline, requestTimeoutMs));
      });
      outgoing.on('response', (answer) => {
        answer.on('error', () => undefined);
        resolve(answer);
      });
      outgoing.end(asked.body);
    });

  return {
    async send(asked) {
      const started = Date.now();
      const answer = await open(asked);
      try {
        const body = await readBody(answer, constants.MAX_STRING_LENGTH);
        return {
          status: answer.statusCode ?? 0,
          contentType: answer.headers['content-type'] ?? '',
          retryAfter: answer.headers['retry-after'],
          body: body.toString('utf8'),
        };
      } catch (thrown) {
        if (asked.signal.aborted) throw abortError(asked.signal);
        const late = requestTimeoutMs > 0 && Date.now() - started >= requestTimeoutMs;
        throw late ? tooLate(requestTimeoutMs) : new NoAnswer('broken', (thrown as Error).message);
      }
    },
    close() {
      agent.destroy();
    },
  };
}

function failure(
  thrown: NodeJS.ErrnoException,
  signal: AbortSignal,
  deadline: AbortSignal | undefined,
  timeoutMs: number,
): NoAnswer | MeshError {
  if (signal.aborted) return abortError(signal);
  if (deadline?.aborted === true) return tooLate(timeoutMs);
  if (thrown.code === 'ECONNREFUSED' || thrown.code === 'ENOENT') return new NoAnswer('refused', thrown.message);
  return new NoAnswer('broken', thrown.message);
}

function tooLate(timeoutMs: number): NoAnswer {
  return new NoAnswer('late', `no answer within ${seconds(timeoutMs)} (--request-timeout)`);
}
