import {expect, it} from 'vitest';
import {readClusterUid} from '../../src/observe/identity.js';

/** Reads of a cluster whose namespace kube-system has this metadata. */
const readsOf = (metadata: object) => ({
  read: () => Promise.resolve({apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'kube-system', ...metadata}}),
});

it("reads the UID of namespace kube-system as the cluster's UID", async () => {
  await expect(readClusterUid(readsOf({uid: 'uid-1'}) as never)).resolves.toBe('uid-1');
});

it.each([{}, {uid: ''}])('refuses a namespace without a UID: %j', async (metadata) => {
  await expect(readClusterUid(readsOf(metadata) as never)).rejects.toMatchObject({code: 'API_ERROR'});
});
