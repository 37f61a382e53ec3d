/**
 * Asks a plain HTTP server on this machine one question: a port of a pod that kubectl forwards. Nothing is followed,
 * kept or believed: no redirect, no proxy from the environment, no connection that outlives the answer.
 */
import {defined} from '../domain/defined.js';
import {type ClientRequest, get} from 'node:http';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {bounded, readBody, TooLong} from './bounded.js';

/** What is asked. */
export interface HttpProbeRequest {
  /** A port of 127.0.0.1, usually a forwarded one. */
  readonly port: number;
  /** With its leading slash. */
  readonly path: string;
  /** For connecting and the whole answer. Milliseconds. */
  readonly timeoutMs: number;
  /** The longest body that is read. Bytes. */
  readonly maxBytes: number;
}

/** What was answered, whatever the status. */
export interface HttpAnswer {
  readonly status: number;
  /** The body as UTF-8. */
  readonly text: string;
}

/** Asks HTTP servers. */
export interface HttpProbe {
  /**
   * GET. Throws `UNREACHABLE` when nothing answers in time, or not to the end, `API_ERROR` when what answers is no HTTP
   * or longer than allowed, `INTERRUPTED` or whatever the signal was aborted with.
   */
  get(request: HttpProbeRequest): Promise<HttpAnswer>;
}

/** Makes a probe that stops when the signal aborts. */
export function createHttpProbe(signal: AbortSignal): HttpProbe {
  return {get: (request) => ask(request, signal)};
}

async function ask(request: HttpProbeRequest, signal: AbortSignal): Promise<HttpAnswer> {
  signal.throwIfAborted();
  const sent = get({
    host: '127.0.0.1',
    port: request.port,
    path: request.path,
    agent: false,
    headers: {connection: 'close'},
  });
  try {
    const late = (): MeshError => unreachable(request, `no answer within ${String(request.timeoutMs / 1000)} s`);
    return await bounded<HttpAnswer>({timeoutMs: request.timeoutMs, late, signal}, (resolve, fail) => {
      receive(sent, request, resolve, fail);
    });
  } finally {
    sent.destroy();
  }
}

function receive(
  sent: ClientRequest,
  request: HttpProbeRequest,
  resolve: (answer: HttpAnswer) => void,
  fail: (reason: unknown) => void,
): void {
  // The first error is the reason; later ones come from tearing down.
  const explain = (error: NodeJS.ErrnoException): void => {
    if (error instanceof TooLong) {
      fail(new MeshError('API_ERROR', `the answer to ${asked(request)} is ${error.message}`));
      // The HTTP parser's errors (nodejs.org/api/errors.html: HPE_*): somebody answers, in another language.
    } else if (error.code?.startsWith('HPE_') === true) fail(notHttp(request, error));
    else fail(unreachable(request, error.message, error));
  };
  sent.on('error', explain);
  sent.on('response', (response) => {
    readBody(response, request.maxBytes).then((body) => {
      resolve({status: response.statusCode ?? 0, text: body.toString('utf8')});
    }, explain);
  });
}

function asked({path, port}: HttpProbeRequest): string {
  return `GET ${path} through local port ${String(port)}`;
}

function unreachable(request: HttpProbeRequest, why: string, cause?: unknown): MeshError {
  return new MeshError('UNREACHABLE', `no answer to ${asked(request)}: ${printableLine(why)}`, defined({cause}));
}

function notHttp(request: HttpProbeRequest, cause: Error): MeshError {
  return new MeshError('API_ERROR', `the answer to ${asked(request)} is no HTTP: ${printableLine(cause.message)}`, {
    cause,
  });
}
