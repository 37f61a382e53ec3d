import {inspect} from 'node:util';
import {describe, expect, it} from 'vitest';
import {clusterLayout, layout} from '../../../src/domain/mesh/layout.js';
import {MeshError} from '../../../src/domain/errors.js';
import type {SignerSpec} from '../../../src/domain/mesh/signer.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {refuseKeys, textsOf} from '../../../src/engine/effects/root-key-guard.js';
import type {Workspace} from '../../../src/workspace/workspace.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

const root = await tinyRoot();
const rootKey = bundleOf(root, [root]).caKey.reveal();
const clusterKey = bundleOf(await tinyClusterCa(root, 'c1'), [root]).caKey.reveal();
const foreignKey = bundleOf(await tinyClusterCa(root, 'c2'), [root]).caKey.reveal();
const other = await tinyRoot();
const otherKey = bundleOf(other, [other]).caKey.reveal();

/** A work directory with these files besides root-cert.pem, whose mesh.yaml keeps the root key in `rootDirectory`. */
function directories(files: Readonly<Record<string, string>> = {}, rootDirectory?: Readonly<Record<string, string>>) {
  const store = (all: Readonly<Record<string, string>>): Workspace =>
    ({
      readText: (path: string) => Promise.resolve(all[path]),
      readSecret: (path: string) => Promise.resolve(all[path] === undefined ? undefined : new Sensitive(all[path])),
    }) as unknown as Workspace;
  const signer = 'trust:\n  signer: {type: local, directory: ../root}\n';
  const meshYaml = `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${rootDirectory ? signer : ''}`;
  const workspace = store({[layout.rootCert]: root.certificate.pem, [layout.meshYaml]: meshYaml, ...files});
  return {
    workspace,
    rootStore: (spec: SignerSpec) =>
      spec.type === 'local' && spec.directory === '../root' ? store(rootDirectory ?? {}) : workspace,
  };
}

const guard = (content: object, at = directories()): Promise<void> =>
  refuseKeys(textsOf(content), 'c1', at, 'an object');
const encoded = (text: string): string => Buffer.from(text).toString('base64');
const manifest = (value: string): string => `kind: Secret\ndata:\n  key: ${value}\n  other: YWJj\n`;
const wrapped = (text: string): string => encoded(text).replace(/.{76}/g, '$&\n    ');
const bodyOf = (pem: string): string => pem.replaceAll(/-----.*-----|\s/g, '');

/** Everywhere a key can be in an object. */
const places = (key: string): [place: string, content: object][] => [
  ['in a ConfigMap', {kind: 'ConfigMap', data: {note: key}}],
  ['in the data of a Secret', {kind: 'Secret', data: {'other.pem': encoded(key)}}],
  ['in an annotation', {metadata: {annotations: {copy: `here: ${key}`}}}],
  ['in the name of an annotation', {metadata: {annotations: {[bodyOf(key)]: ''}}}],
  ['in a JSON patch', [{op: 'add', path: '/data/x', value: encoded(key)}]],
  ['indented', {kind: 'ConfigMap', data: {note: key.replaceAll('\n', '\n    ')}}],
  ['in an annotation with JSON', {metadata: {annotations: {applied: JSON.stringify({data: {note: key}})}}}],
  ['encoded in an annotation with JSON', {metadata: {annotations: {a: JSON.stringify({data: {k: encoded(key)}})}}}],
  ['in a manifest in a ConfigMap', {kind: 'ConfigMap', data: {manifest: manifest(encoded(key))}}],
  ['wrapped in a manifest', {kind: 'ConfigMap', data: {manifest: manifest(wrapped(key))}}],
  ['encoded twice in a Secret', {kind: 'Secret', data: {key: encoded(encoded(key))}}],
  ['in a comment after a certificate', {kind: 'ConfigMap', data: {note: `${root.certificate.pem}# ${bodyOf(key)}\n`}}],
  ['in a comment before the CA key', {data: {'ca-key.pem': encoded(`# ${bodyOf(key)}\n${clusterKey}`)}}],
  ['after the CA key', {data: {'ca-key.pem': encoded(clusterKey + key)}}],
];

const encrypted = (passphrase: string): string =>
  root.key.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase}).toString();

describe('the root key guard', () => {
  it.each(places(rootKey))('does not let the root key through %s', async (_, content) => {
    await expect(guard(content)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
  });

  it.each([...places(encrypted('p')), ['as the CA key', {data: {'ca-key.pem': encoded(encrypted('p'))}}] as const])(
    'does not let an encrypted key through %s, whatever its passphrase',
    async (_, content) => {
      await expect(guard(content)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
    },
  );

  it.each(places(foreignKey))('does not let any other key through %s', async (_, content) => {
    await expect(guard(content)).rejects.toMatchObject({code: 'PRIVATE_KEY_IN_PAYLOAD'});
  });

  it('names no key in its errors', async () => {
    for (const [, content] of places(rootKey)) {
      const error: unknown = await guard(content).catch((thrown: unknown) => thrown);
      expect(inspect(error)).not.toContain(bodyOf(rootKey).slice(20, 60));
    }
  });

  const asCaKey = (key: string) => ({kind: 'Secret', data: {'ca-key.pem': encoded(key)}});

  it.each([
    ['the directory of the root key has its certificate', directories({}, {[layout.rootCert]: other.certificate.pem})],
    ['the directory of the root key has it in the clear', directories({}, {[layout.rootKey]: otherKey})],
    [
      "the cluster's directory has its certificate",
      directories({[clusterLayout('c1').rootCert]: other.certificate.pem}),
    ],
    ['the work directory has it in the clear', directories({[layout.rootKey]: otherKey})],
  ])('knows a root key as the CA key if %s', async (_, at) => {
    await expect(guard(asCaKey(otherKey))).resolves.toBeUndefined();
    await expect(guard(asCaKey(otherKey), at)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
  });

  it('does not let the key of a CA above the cluster CA through', async () => {
    const between = await tinyClusterCa(root, 'between');
    const ca = await tinyClusterCa(between, 'c1');
    const {caCert, certChain} = bundleOf(ca, [between, root]);
    const paths = clusterLayout('c1');
    const at = directories({[paths.caCert]: caCert, [paths.certChain]: certChain});
    const keyOf = (one: TinyCa): string => bundleOf(one, [root]).caKey.reveal();
    await expect(guard(asCaKey(keyOf(between)), at)).rejects.toMatchObject({code: 'ROOT_KEY_IN_PAYLOAD'});
    await expect(guard(asCaKey(keyOf(ca)), at)).resolves.toBeUndefined();
  });

  it('does not need to read the directory of the root key', async () => {
    const closed = {
      ...directories({}, {}),
      rootStore: () =>
        ({
          readText: () => Promise.reject(new MeshError('WORKDIR_UNREADABLE', 'no')),
          readSecret: () => Promise.reject(new MeshError('WORKDIR_UNREADABLE', 'no')),
        }) as unknown as Workspace,
    };
    await expect(guard(asCaKey(clusterKey), closed)).resolves.toBeUndefined();
  });

  it.each([
    ['as it is', clusterKey],
    ['encoded once more', encoded(clusterKey)],
  ])('lets the key of a cluster CA through as the CA key, %s', async (_, text) => {
    await expect(guard(asCaKey(text))).resolves.toBeUndefined();
    await expect(guard({kind: 'Secret', data: {'tls.key': encoded(text)}})).resolves.toBeUndefined();
  });
});
