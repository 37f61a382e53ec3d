import type {Readable} from 'node:stream';

/**
 * Lines of a stream, without their ends; throws what the stream throws. The last one need not have an end. A reader that
 * stops early leaves the stream open.
 */
export async function* linesOf(stream: Readable): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream.iterator({destroyOnReturn: false})) {
    const lines = (rest + String(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
