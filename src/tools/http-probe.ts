/**
 * Asks a plain HTTP server on this machine one question: a port of a pod that kubectl forwards. Nothing is followed,
 * kept or believed: no redirect, no proxy from the environment, no connection that outlives the answer.
 */
import {defined} from '../domain/defined.js';
import {get} from 'node:http';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {answerTo, type HttpAnswer, TooLong} from './http.js';

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

/** Asks HTTP servers. */
export interface HttpProbe {
  /**
   * GET. Throws `UNREACHABLE` when nothing answers in time, or not to the end, `API_ERROR` when what answers is no HTTP
   * or longer than allowed, `INTERRUPTED` or whatever the signal was aborted with.
   */
  get(request: HttpProbeRequest): Promise<Pick<HttpAnswer, 'status' | 'text'>>;
}

/** Makes a probe that stops when the signal aborts. */
export function createHttpProbe(signal: AbortSignal): HttpProbe {
  return {get: (request) => ask(request, signal)};
}

async function ask(request: HttpProbeRequest, signal: AbortSignal): ReturnType<HttpProbe['get']> {
  const {port, path, timeoutMs, maxBytes} = request;
  const unreachable = (why: string, cause?: unknown): MeshError =>
    new MeshError('UNREACHABLE', `no answer to ${asked(request)}: ${printableLine(why)}`, defined({cause}));
  const {status, text} = await answerTo(
    () => get({host: '127.0.0.1', port, path, agent: false, headers: {connection: 'close'}}),
    {
      timeoutMs,
      maxBytes,
      signal,
      late: () => unreachable(`no answer within ${String(timeoutMs / 1000)} s`),
      explain: (error) => {
        const answered = `the answer to ${asked(request)} is`;
        if (error instanceof TooLong) return new MeshError('API_ERROR', `${answered} ${error.message}`);
        // The HTTP parser's errors (nodejs.org/api/errors.html: HPE_*): somebody answers, in another language.
        if (error.code?.startsWith('HPE_') !== true) return unreachable(error.message, error);
        return new MeshError('API_ERROR', `${answered} no HTTP: ${printableLine(error.message)}`, {cause: error});
      },
    },
  );
  return {status, text};
}

function asked({path, port}: HttpProbeRequest): string {
  return `GET ${path} through local port ${String(port)}`;
}
