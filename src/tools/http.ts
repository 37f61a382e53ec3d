/** One question to an HTTP server, and its whole answer: bounded in time and in bytes. */
import {formatSize} from '../domain/format.js';
import type {ClientRequest, IncomingHttpHeaders, IncomingMessage} from 'node:http';
import {abortError, bounded, type Bounds} from './bounded.js';

/** What was answered, whatever the status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body as UTF-8. */
  readonly text: string;
}

/** What bounds an answer. */
export interface AnswerBounds extends Bounds {
  /** The longest body that is read. Bytes. */
  readonly maxBytes: number;
  /** What a failed connection, or {@link ResponseTooLargeError}, means. */
  readonly explain: (error: NodeJS.ErrnoException) => Error;
}

/** Sends a request and reads its answer to the end; otherwise the connection is destroyed. */
export async function sendRequest(send: () => ClientRequest, bounds: AnswerBounds): Promise<HttpResponse> {
  if (bounds.signal.aborted) throw abortError(bounds.signal);
  const sent = send();
  try {
    return await bounded<HttpResponse>(bounds, (resolve, fail) => {
      // The first error is the reason; later ones come from tearing down.
      const failed = (error: NodeJS.ErrnoException): void => {
        fail(bounds.explain(error));
      };
      sent.on('error', failed);
      sent.on('response', (response) => {
        readBody(response, bounds.maxBytes).then((body) => {
          resolve({status: response.statusCode ?? 0, headers: response.headers, text: body.toString('utf8')});
        }, failed);
      });
    });
  } catch (thrown) {
    sent.destroy();
    throw thrown;
  }
}

/** A body that is longer than allowed. */
export class ResponseTooLargeError extends Error {
  constructor(readonly maxBytes: number) {
    super(`longer than ${formatSize(maxBytes)}`);
  }
}

/** The whole body of a response. Throws {@link ResponseTooLargeError} as soon as it is longer than allowed, and what the connection fails with. */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    bytes += (piece as Buffer).length;
    // Leaving the loop destroys the response.
    if (bytes > maxBytes) throw new ResponseTooLargeError(maxBytes);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
