import type {Readable} from 'node:stream';
import type {MeshError} from '../../domain/errors.js';
import type {KindRef} from '../../domain/kube/kinds.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {linesOf} from '../lines.js';
import type {WatchEvent} from './api.js';

/** The answer to a watch request. */
export interface WatchAnswer {
  readonly status: number;
  readonly body: Readable;
}

/**
 * The events of a watch, one JSON document a line. A version that is too
 * old (410, as status or as an ERROR event) ends the watch: the reader lists again and watches from there
 * (Kubernetes API concepts, "410 Gone responses").
 */
export async function* watchEvents<T extends KubeObject>(
  kind: KindRef,
  answer: WatchAnswer,
  toError: (body: string) => MeshError,
): AsyncGenerator<WatchEvent<T>> {
  if (answer.status === 410) return;
  if (answer.status !== 200) throw toError(await wholeBody(answer.body));
  try {
    for await (const line of linesOf(answer.body)) {
      if (line.trim() === '') continue;
      const event = JSON.parse(line) as {readonly type: string; readonly object: T & {readonly code?: number}};
      switch (event.type) {
        case 'ADDED':
        case 'MODIFIED':
        case 'DELETED':
          yield {type: event.type, object: {...event.object, apiVersion: kind.apiVersion, kind: kind.kind}};
          break;
        case 'BOOKMARK':
          // Its object has nothing but a version.
          yield {type: 'BOOKMARK', resourceVersion: event.object.metadata.resourceVersion ?? ''};
          break;
        case 'ERROR':
          if (event.object.code === 410) return;
          throw toError(JSON.stringify(event.object));
        default:
          break;
      }
    }
  } finally {
    answer.body.destroy();
  }
}

async function wholeBody(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
