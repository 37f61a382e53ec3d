/** The output of a child process: its streams as sanitized text, released in time. */
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import {printable} from '../domain/printable.js';
import {abortError} from './bounded.js';

/** How long output is still read after a program has exited. Milliseconds. */
const drainMs = 500;

/** The output of a child process. */
export interface ChildOutput {
  readonly stdout: Readable;
  readonly stderr: Readable | null;
  once(event: 'exit', listener: () => void): unknown;
}

/**
 * Closes a program's output soon after it has exited. A credential plugin or another grandchild that outlives its
 * parent keeps the pipe open, and waiting for the end of the pipe would mean waiting for the grandchild.
 */
export function releaseAtExit(child: ChildOutput): void {
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr?.destroy();
    }, drainMs).unref();
  });
}

/** Collects the last 16 KiB of a text stream, and forwards chunks as they arrive. */
export function collectText(stream: Readable, onText: ((text: string) => void) | undefined): () => string {
  let collected = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    collected = (collected + text).slice(-16_384);
    onText?.(text);
  });
  return () => collected;
}

/** Forwards sanitized lines as they arrive. */
export function forwardLines(stream: Readable, onLine: (line: string) => void): void {
  // With a separate decoder, because execa reads the same stream as bytes.
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(printable(line));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(printable(rest));
  });
}

/**
 * Sanitized lines of a stream; the last one may lack a line feed. Throws the abort reason of the run after them. If the
 * reader stops early, the stream keeps flowing: a closed pipe would kill the program, a full one would block it.
 */
export async function* cleanLines(stream: Readable, signal: AbortSignal): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of stream.iterator({destroyOnReturn: false})) {
      const lines = (rest + String(chunk)).split(/\r?\n/);
      rest = lines.pop() ?? '';
      yield* lines.map(printable);
    }
    if (rest !== '') yield printable(rest);
  } catch {
    // A killed program closes its streams: not an error for the reader.
  } finally {
    stream.resume();
  }
  if (signal.aborted) throw abortError(signal);
}

/** The last lines of a program's output, for a message. */
export function lastLines(text: string, count = 5): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? 'no output' : lines.slice(-count).join('\n');
}
