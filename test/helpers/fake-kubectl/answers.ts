/** Answers of the fake API server. */
import type {ServerResponse} from 'node:http';

/** One answer. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

/** What is sent instead of an answer. */
export interface AlteredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** Only so many bytes are sent, then the connection breaks. */
  readonly cutAfter?: number;
}

/** The answer to a request that fails. */
export function failed(status: number, message: string, reason = ''): Answer {
  return {status, body: {kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code: status}};
}

/** Sends an answer. */
export function send(response: ServerResponse, {status, body, contentType = 'application/json'}: Answer): void {
  response.writeHead(status, {'content-type': contentType}).end(JSON.stringify(body));
}

/** Sends what a test has put in place of an answer. */
export function sendAltered(response: ServerResponse, {status, headers, body, cutAfter}: AlteredAnswer): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {...headers, 'content-length': String(bytes.length)});
  if (cutAfter === undefined) response.end(bytes);
  else response.write(bytes.subarray(0, cutAfter), () => response.destroy());
}
