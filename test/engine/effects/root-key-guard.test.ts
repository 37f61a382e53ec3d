import {createPrivateKey} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {layout} from '../../../src/domain/mesh/layout.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {refuseRootKey, textsOf} from '../../../src/engine/effects/root-key-guard.js';
import type {Workspace} from '../../../src/workspace/workspace.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

const root = await tinyRoot();
const rootKey = bundleOf(root, [root]).caKey.reveal();
const clusterKey = bundleOf(await tinyClusterCa(root, 'c1'), [root]).caKey.reveal();
const workspace = {
  readText: (path: string) => Promise.resolve(path === layout.rootCert ? root.certificate.pem : undefined),
  readSecret: () => Promise.resolve(undefined),
} as unknown as Workspace;

const guard = (content: object): Promise<void> => refuseRootKey(textsOf(content), 'c1', workspace, 'an object');
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const manifest = (value: string): string => `kind: Secret\ndata:\n  key: ${value}\n  other: YWJj\n`;
const wrapped = (text: string): string => encoded(text).replace(/.{76}/g, '$&\n    ');

describe('the root key guard', () => {
  it.each([
    ['in a ConfigMap', {kind: 'ConfigMap', data: {note: rootKey}}],
    ['in the data of a Secret', {kind: 'Secret', data: {'other.pem': encoded(rootKey)}}],
    ['in an annotation', {metadata: {annotations: {copy: `here: ${rootKey}`}}}],
    ['in a JSON patch', [{op: 'add', path: '/data/x', value: encoded(rootKey)}]],
    ['indented', {kind: 'ConfigMap', data: {note: rootKey.replaceAll('\n', '\n    ')}}],
    ['in an annotation with JSON', {metadata: {annotations: {applied: JSON.stringify({data: {note: rootKey}})}}}],
    [
      'encoded in an annotation with JSON',
      {metadata: {annotations: {a: JSON.stringify({data: {k: encoded(rootKey)}})}}},
    ],
    ['in a manifest in a ConfigMap', {kind: 'ConfigMap', data: {manifest: manifest(encoded(rootKey))}}],
    ['wrapped in a manifest', {kind: 'ConfigMap', data: {manifest: manifest(wrapped(rootKey))}}],
    ['encoded twice in a Secret', {kind: 'Secret', data: {key: encoded(encoded(rootKey))}}],
  ])('does not let the root key through %s', async (_, content) => {
    await expect(guard(content)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
  });

  it.each([
    ['as it is', (text: string) => text],
    ['encoded', encoded],
    ['encoded twice', (text: string) => encoded(encoded(text))],
  ])('does not let a root key that cannot be opened through %s', async (_, written) => {
    const key = createPrivateKey(rootKey);
    const locked = key.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'p'}).toString();
    const withRootKey = {
      ...workspace,
      readSecret: () => Promise.resolve(new Sensitive(locked)),
    } as unknown as Workspace;
    const sent = textsOf({kind: 'Secret', data: {note: written(locked)}});
    await expect(refuseRootKey(sent, 'c1', withRootKey, 'an object')).rejects.toMatchObject({
      code: 'ROOT_KEY_IN_PAYLOAD',
    });
    await expect(refuseRootKey(sent, 'c1', workspace, 'an object')).resolves.toBeUndefined();
  });

  it.each([
    ['as it is', clusterKey],
    ['in a manifest', manifest(wrapped(clusterKey))],
  ])('lets the key of a cluster CA through %s', async (_, text) => {
    await expect(guard({kind: 'Secret', data: {'ca-key.pem': encoded(text)}})).resolves.toBeUndefined();
  });
});
