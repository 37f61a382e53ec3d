/** One HTTP request and its whole response, bounded in time and size. */
import {formatSize} from '../domain/format.js';
import {isUtf8} from 'node:buffer';
import type {ClientRequest, IncomingHttpHeaders, IncomingMessage} from 'node:http';
import {abortError, bounded, type Bounds} from './bounded.js';

/** A response with any status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body as UTF-8; invalid bytes are replaced by U+FFFD. */
  readonly text: string;
  /** Whether the body is valid UTF-8. */
  readonly isUtf8: boolean;
}

/** The bounds of a response. */
export interface ResponseBounds extends Bounds {
  /** The maximum length of the body. Bytes. */
  readonly maxBytes: number;
  /** Translates the error of a failed connection, or a {@link ResponseTooLargeError}. */
  readonly explain: (error: NodeJS.ErrnoException) => Error;
}

/** Sends a request and reads the whole response; on failure the connection is destroyed. */
export async function sendRequest(send: () => ClientRequest, bounds: ResponseBounds): Promise<HttpResponse> {
  if (bounds.signal.aborted) throw abortError(bounds.signal);
  const sent = send();
  try {
    return await bounded<HttpResponse>(bounds, (resolve, fail) => {
      // The first error is the reason; later ones result from closing the connection.
      const failed = (error: NodeJS.ErrnoException): void => {
        fail(bounds.explain(error));
      };
      sent.on('error', failed);
      sent.on('response', (response) => {
        readBody(response, bounds.maxBytes).then((body) => {
          const {statusCode: status = 0, headers} = response;
          resolve({status, headers, text: body.toString('utf8'), isUtf8: isUtf8(body)});
        }, failed);
      });
    });
  } catch (thrown) {
    sent.destroy();
    throw thrown;
  }
}

/** A response body is longer than allowed. */
export class ResponseTooLargeError extends Error {
  constructor(readonly maxBytes: number) {
    super(`longer than ${formatSize(maxBytes)}`);
  }
}

/** Reads a response's body. Throws {@link ResponseTooLargeError} if it is longer than allowed, and connection errors. */
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
