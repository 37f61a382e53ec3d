import {expect, it} from 'vitest';
import {readClusterUid} from '../../src/observe/identity.js';

/** Reads of a cluster whose namespace kube-system has this metadata. */
const readsOf = (metadata: object) => ({
  read: () => Promise.resolve({apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'kube-system', ...metadata}}),
});

it('the UID of a cluster is that of its namespace kube-system', async () => {
  await expect(readClusterUid(readsOf({uid: 'uid-1'}) as never)).resolves.toBe('uid-1');
});

it.each([{}, {uid: ''}])('a cluster is not known by a namespace without one: %j', async (metadata) => {
  await expect(readClusterUid(readsOf(metadata) as never)).rejects.toMatchObject({code: 'API_ERROR'});
});
