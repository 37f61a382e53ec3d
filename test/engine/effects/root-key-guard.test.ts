import {describe, expect, it} from 'vitest';
import {layout} from '../../../src/domain/mesh/layout.js';
import {refuseRootKey, textsIn} from '../../../src/engine/effects/root-key-guard.js';
import type {Workspace} from '../../../src/workspace/workspace.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

const root = await tinyRoot();
const rootKey = bundleOf(root, [root]).caKey.reveal();
const clusterKey = bundleOf(await tinyClusterCa(root, 'c1'), [root]).caKey.reveal();
const workspace = {
  readText: (path: string) => Promise.resolve(path === layout.rootCert ? root.certificate.pem : undefined),
  readSecret: () => Promise.resolve(undefined),
} as unknown as Workspace;

const guard = (content: object): Promise<void> => refuseRootKey(textsIn(content), 'c1', workspace, 'an object');
const encoded = (text: string): string => Buffer.from(text).toString('base64');

describe('the last door before a cluster', () => {
  it.each([
    ['in a ConfigMap', {kind: 'ConfigMap', data: {note: rootKey}}],
    ['in the data of a Secret', {kind: 'Secret', data: {'other.pem': encoded(rootKey)}}],
    ['in an annotation', {metadata: {annotations: {copy: `here: ${rootKey}`}}}],
    ['in a JSON patch', [{op: 'add', path: '/data/x', value: encoded(rootKey)}]],
  ])('does not let the root key through %s', async (_, content) => {
    await expect(guard(content)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
  });

  it('lets the key of a cluster CA through', async () => {
    await expect(guard({kind: 'Secret', data: {'ca-key.pem': encoded(clusterKey)}})).resolves.toBeUndefined();
  });
});
