import {Readable} from 'node:stream';
import {describe, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {watchEvents} from '../../../src/tools/kubectl/watch.js';

const pods = {apiVersion: 'v1', kind: 'Pod'};
const toError = (body: string): MeshError => new MeshError('API_ERROR', body);

async function eventsOf(status: number, ...documents: readonly object[]): Promise<readonly string[]> {
  const body = Readable.from(documents.map((document) => Buffer.from(`${JSON.stringify(document)}\n`)));
  const seen: string[] = [];
  for await (const event of watchEvents(pods, {status, body}, toError)) {
    seen.push(`${event.type} ${event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.name}`);
  }
  return seen;
}

const pod = {type: 'ADDED', object: {metadata: {name: 'a', resourceVersion: '7'}}};
const bookmark = {type: 'BOOKMARK', object: {kind: 'Pod', metadata: {resourceVersion: '8'}}};
const tooOld = {type: 'ERROR', object: {kind: 'Status', code: 410}};

describe('the events of a watch', () => {
  it('are changes, and bookmarks that say how far everything was seen', async () => {
    expect(await eventsOf(200, pod, bookmark)).toEqual(['ADDED a', 'BOOKMARK 8']);
  });

  it.each([
    ['as status', 410, [tooOld], []],
    ['as event', 200, [pod, tooOld, pod], ['ADDED a']],
  ])('end at a version that is too old, told %s', async (_, status, documents, seen) => {
    expect(await eventsOf(status, ...documents)).toEqual(seen);
  });

  it.each([
    ['a refusal', 403, {kind: 'Status'}],
    ['an error on the way', 200, {type: 'ERROR', object: {code: 500}}],
  ])('end with the error of %s', async (_, status, document) => {
    await expect(eventsOf(status, document)).rejects.toMatchObject({code: 'API_ERROR'});
  });
});
