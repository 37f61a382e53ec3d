/** The output of a child process: its streams as cleaned text, released in time. */
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import {printable} from '../domain/printable.js';
import {abortError} from './bounded.js';

/** How long output may still come after a program has ended. Milliseconds. */
const drainMs = 500;

/**
 * Lets go of a program's output soon after it has ended. A credential plugin or another grandchild that outlives its
 * parent holds the pipe open, and waiting for the pipe's end would be waiting for the grandchild.
 */
export function releaseAtExit(child: {
  once(event: 'exit', listener: () => void): unknown;
  readonly stdout: Readable;
  readonly stderr: Readable | null;
}): void {
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr?.destroy();
    }, drainMs).unref();
  });
}

/** Collects the last 16 KiB of a stream of text, and hands pieces on as they come. */
export function collectText(stream: Readable, onText: ((text: string) => void) | undefined): () => string {
  let said = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    said = (said + text).slice(-16_384);
    onText?.(text);
  });
  return () => said;
}

/** Hands cleaned lines on as they come. */
export function forwardLines(stream: Readable, onLine: (line: string) => void): void {
  // A decoder of its own: the process library reads the same stream as bytes.
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
 * Cleaned lines of a stream; the last one need not have an end. Throws what the run was aborted with after them. A reader
 * that has seen enough leaves the stream flowing: a program would die of a pipe that is closed, or wait for one that is
 * full.
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
    // A program that is killed ends its streams: no error of the reader.
  } finally {
    stream.resume();
  }
  if (signal.aborted) throw abortError(signal);
}

/** The end of what a program said, for a message. */
export function lastLines(text: string, count = 5): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? 'it said nothing' : lines.slice(-count).join('\n');
}
