/**
 * Asks a plain HTTP server on this machine one question: a port of a pod that kubectl forwards. Nothing is followed,
 * kept or believed: no redirect, no proxy from the environment, no connection that outlives the answer.
 */
import {defined} from '../domain/defined.js';
import {get} from 'node:http';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {sendRequest, type HttpResponse, ResponseTooLargeError} from './http.js';

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
  get(request: HttpProbeRequest): Promise<Pick<HttpResponse, 'status' | 'text'>>;
}

/** Makes a probe that stops when the signal aborts. */
export function createHttpProbe(signal: AbortSignal): HttpProbe {
  return {
    async get({port, path, timeoutMs, maxBytes}) {
      const asked = `GET ${path} through local port ${String(port)}`;
      const failed = (code: 'UNREACHABLE' | 'API_ERROR', message: string, cause?: unknown): MeshError =>
        new MeshError(code, message, defined({cause}));
      const send = () => get({host: '127.0.0.1', port, path, agent: false, headers: {connection: 'close'}});
      const {status, text} = await sendRequest(send, {
        timeoutMs,
        maxBytes,
        signal,
        timeoutError: () =>
          failed('UNREACHABLE', `no answer to ${asked}: no answer within ${String(timeoutMs / 1000)} s`),
        explain: (error) => {
          if (error instanceof ResponseTooLargeError)
            return failed('API_ERROR', `the answer to ${asked} is ${error.message}`);
          const why = printableLine(error.message);
          // The HTTP parser's errors (nodejs.org/api/errors.html: HPE_*): somebody answers, in another language.
          return error.code?.startsWith('HPE_') === true
            ? failed('API_ERROR', `the answer to ${asked} is no HTTP: ${why}`, error)
            : failed('UNREACHABLE', `no answer to ${asked}: ${why}`, error);
        },
      });
      return {status, text};
    },
  };
}
