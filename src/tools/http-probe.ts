/**
 * Sends one request to a plain HTTP server on this machine, usually a pod's port that kubectl forwards. No redirect is
 * followed, no proxy of the environment is used, and no connection outlives the response.
 */
import {defined} from '../domain/defined.js';
import {get} from 'node:http';
import {MeshError} from '../domain/errors.js';
import {printableLine} from '../domain/printable.js';
import {sendRequest, type HttpResponse, ResponseTooLargeError} from './http.js';

/** A request. */
export interface HttpProbeRequest {
  /** A port of 127.0.0.1, usually a forwarded one. */
  readonly port: number;
  /** With a leading slash. */
  readonly path: string;
  /** For the connection and the whole response. Milliseconds. */
  readonly timeoutMs: number;
  /** The maximum length of the body. Bytes. */
  readonly maxBytes: number;
}

/** Sends HTTP requests. */
export interface HttpProbe {
  /**
   * GET. Throws `UNREACHABLE` without a complete response in time, `API_ERROR` if the response is not HTTP or longer
   * than allowed, and the signal's abort reason (`INTERRUPTED`).
   */
  get(request: HttpProbeRequest): Promise<Pick<HttpResponse, 'status' | 'text'>>;
}

/** Creates a probe that stops when the signal aborts. */
export function createHttpProbe(signal: AbortSignal): HttpProbe {
  return {
    async get({port, path, timeoutMs, maxBytes}) {
      const target = `GET ${path} through local port ${String(port)}`;
      const failed = (code: 'UNREACHABLE' | 'API_ERROR', message: string, cause?: unknown): MeshError =>
        new MeshError(code, message, defined({cause}));
      const send = () => get({host: '127.0.0.1', port, path, agent: false, headers: {connection: 'close'}});
      const {status, text} = await sendRequest(send, {
        timeoutMs,
        maxBytes,
        signal,
        timeoutError: () => failed('UNREACHABLE', `no response to ${target} within ${String(timeoutMs / 1000)} s`),
        explain: (error) => {
          if (error instanceof ResponseTooLargeError)
            return failed('API_ERROR', `the response to ${target} is ${error.message}`);
          const why = printableLine(error.message);
          // Errors of the HTTP parser (nodejs.org/api/errors.html: HPE_*): the server uses another protocol.
          return error.code?.startsWith('HPE_') === true
            ? failed('API_ERROR', `the response to ${target} is not HTTP: ${why}`, error)
            : failed('UNREACHABLE', `no response to ${target}: ${why}`, error);
        },
      });
      return {status, text};
    },
  };
}
