/** Private keys where they do not belong: in the files that are pushed, and in Secret cacerts. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import InstallRender from '../../src/commands/install/render.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import type {DiffResult} from '../../src/operations/trust/diff.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import {embeddedKeys} from '../../src/domain/keys/embedded-keys.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {putCacerts, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;
let files: Record<string, string>;

beforeEach(async () => {
  mesh = await trustMesh(['c1']);
  files = textsOf(mesh.bundle('c1'));
});

afterEach(() => mesh.stop());

const bodyOf = (pem: string): string => pem.replaceAll(/-----.*-----|\s/g, '');
const rootKey = (): string => writePrivateKey(mesh.root.key).reveal();
const encrypted = (): string =>
  mesh.root.key.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'another'}).toString();
const legacy = (): string =>
  mesh.root.key.export({type: 'sec1', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'another'}).toString();

/** How the root key can be written into a file. */
const forms: Readonly<Record<string, () => string>> = {
  'in the clear': rootKey,
  encrypted,
  'encrypted as in older PEM': legacy,
  'as base64 of PEM in a comment': () => `# ${Buffer.from(rootKey()).toString('base64')}\n`,
  'as base64 of DER in a comment': () => `# ${bodyOf(rootKey())}\n`,
  'as encrypted base64 in a comment': () => `# ${bodyOf(encrypted())}\n`,
};
const published = ['ca-cert.pem', 'root-cert.pem', 'cert-chain.pem', 'ca-crl.pem'];
const allForms = Object.entries(forms);
const inEachFile = published.flatMap((file) => allForms.map(([form, make]) => [file, form, make] as const));

async function json<Result>(command: typeof TrustPush | typeof TrustDiff | typeof TrustRollback, ...argv: string[]) {
  const run: CommandRun = await runCommand(command, ['c1', ...argv, '-o', 'json'], mesh.env);
  expect(run.stdout + run.stderr).not.toContain(bodyOf(rootKey()).slice(30, 80));
  return {code: run.code, result: answerOf(run) as AsJson<Result>};
}
const push = (...argv: string[]) => json<PushResult>(TrustPush, '-y', '--allow-invalid-bundle', ...argv);

/** The ids of the keys in everything that was ever written to the cluster. */
function keysInCluster(): readonly string[] {
  const texts = ['cacerts', 'cacerts-previous'].flatMap((name) =>
    mesh.cluster('c1').get('Secret', `istio-system/${name}`)
      ? Object.values(mesh.cluster('c1').secretText(`istio-system/${name}`))
      : [],
  );
  return [...new Set(texts.flatMap((text) => embeddedKeys(new Sensitive(text))).map(({id}) => id))];
}
const ownKey = (): string => embeddedKeys(mesh.bundle('c1').caKey)[0]!.id;

describe('a root key in the files of the work directory', () => {
  it.each(allForms)('after the CA key, %s, does not reach the cluster, whatever is allowed', async (_, make) => {
    await mesh.writeCa('c1', {...files, 'ca-key.pem': (files['ca-key.pem'] ?? '') + make()});
    const {code, result} = await push();
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, 'PUSH_REFUSED_INVALID_CA']);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it.each(inEachFile)('in %s, %s, does not reach the cluster, whatever is allowed', async (file, _, make) => {
    await mesh.writeCa('c1', {...files, [file]: make() + (files[file] ?? '')});
    const {code, result} = await push();
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, 'PRIVATE_KEY_PUBLISHED']);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it.each(['c1/ca-key.pem', 'root-key.pem'])(
    'that is kept in another directory does not reach it from %s',
    async (file) => {
      const elsewhere = join(mesh.dir, 'elsewhere');
      await mkdir(elsewhere);
      await writeFile(join(elsewhere, 'root-key.pem'), encrypted());
      const yaml =
        'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust:\n  signer: {type: local, directory: elsewhere}\n';
      await writeFile(join(mesh.dir, 'mesh.yaml'), `${yaml}clusters:\n  - name: c1\n    context: ctx-c1\n`);
      await writeFile(join(mesh.dir, file), encrypted());
      const {code} = await push();
      expect(keysInCluster()).toEqual(file === 'root-key.pem' ? [ownKey()] : []);
      expect(code).toBe(file === 'root-key.pem' ? 0 : 5);
    },
  );

  it('is not in what a push writes: certificates and one key, without other text', async () => {
    const note = (text = ''): string => `a note\n# ${'x'.repeat(80)}\n${text.replaceAll('\n', '\r\n')}after\n`;
    await mesh.writeCa('c1', Object.fromEntries(Object.entries(files).map(([name, text]) => [name, note(text)])));
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(files);
    const again = await push();
    expect(again.result.clusters[0]).toMatchObject({outcome: 'unchanged', differences: []});
  });

  it('does not come along if only the certificates change, because the key is only in the cluster', async () => {
    putCacerts(mesh.cluster('c1'), files);
    const chain = `# a note\n${files['cert-chain.pem'] ?? ''}${files['root-cert.pem'] ?? ''}`;
    await mesh.writeCa('c1', {...files, 'cert-chain.pem': chain});
    await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').writes.map(({verb}) => verb)).toContain('patch');
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')['cert-chain.pem']).not.toContain('note');
  });
});

describe('a private key in Secret cacerts', () => {
  const inSecret = [...inEachFile, ...allForms.map(([form, make]) => ['ca-key.pem', form, make] as const)];

  it.each(inSecret)(
    'in %s, %s, is a difference, and a push replaces the Secret and keeps no copy',
    async (file, _, make) => {
      putCacerts(mesh.cluster('c1'), {...files, [file]: (files[file] ?? '') + make()});
      const compared = await json<DiffResult>(TrustDiff);
      expect([compared.code, compared.result.clusters[0]?.same]).toEqual([3, false]);
      expect(compared.result.clusters[0]?.differences).toContainEqual({part: 'privateKeys', wanted: [], found: [file]});
      const {code, result} = await json<PushResult>(TrustPush, '-y');
      expect([code, result.clusters[0]?.plan, result.clusters[0]?.keepsPrevious]).toEqual([0, 'update', false]);
      // The key is not secret any more, which a push does not change.
      expect(result.warnings.length).toBeGreaterThan(0);
      expect(keysInCluster()).toEqual([ownKey()]);
      // Lists are kept, their text is not.
      expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(files);
    },
  );

  it('of another root, which is its own, is replaced without a copy', async () => {
    const other = await tinyRoot();
    putCacerts(mesh.cluster('c1'), textsOf(bundleOf(other, [other])));
    const {code, result} = await json<PushResult>(TrustPush, '-y', '--allow-root-change');
    expect([code, result.clusters[0]?.keepsPrevious]).toEqual([0, false]);
    expect(keysInCluster()).toEqual([ownKey()]);
  });

  it('of the CA above the cluster CA is replaced without a copy', async () => {
    const between = await tinyClusterCa(mesh.root, 'between');
    const below = await tinyClusterCa(between, 'c1');
    const bundle = bundleOf(below, [between, mesh.root]);
    await mesh.writeCa('c1', {...textsOf(bundle), 'root-cert.pem': mesh.root.certificate.pem});
    putCacerts(mesh.cluster('c1'), textsOf(bundleOf(between, [mesh.root])));
    // The CAs of tests have path length 0.
    const {code, result} = await push();
    expect([code, result.clusters[0]?.keepsPrevious]).toEqual([0, false]);
    expect(keysInCluster()).toEqual(embeddedKeys(bundle.caKey).map(({id}) => id));
  });

  it('beside the CA key is removed even if the CA key is only there', async () => {
    putCacerts(mesh.cluster('c1'), {...files, 'ca-key.pem': (files['ca-key.pem'] ?? '') + rootKey()});
    await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(files);
  });

  it.each(inSecret)('in %s, %s, is not restored by a rollback, whatever is allowed', async (file, _, make) => {
    const current = textsOf(await mesh.renew('c1'));
    putCacerts(mesh.cluster('c1'), current);
    const before = {...files, [file]: (files[file] ?? '') + make()};
    mesh.cluster('c1').put(secret('istio-system/cacerts-previous', before));
    const {code, result} = await json<PushResult>(TrustRollback, '-y', '--allow-invalid-bundle');
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, 'PRIVATE_KEY_PUBLISHED']);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(current);
  });
});

it('a private key in the values of install.yaml is not rendered', async () => {
  const values = `values: {meshConfig: {caCertificates: [{pem: ${JSON.stringify(`${files['root-cert.pem'] ?? ''}${rootKey()}`)}}]}}`;
  const yaml = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\nistio: {version: "1.30"}\n';
  const cluster = `clusters:\n  - name: c1\n    context: ctx-c1\n    network: n1\n    ${values}\n`;
  await writeFile(join(mesh.dir, 'mesh.yaml'), yaml + cluster);
  const run = await runCommand(InstallRender, ['c1', '-o', 'json'], mesh.env);
  expect(run.code).toBe(5);
  expect(run.stdout).toContain('PRIVATE_KEY_PUBLISHED');
  expect(run.stdout + run.stderr).not.toContain(bodyOf(rootKey()).slice(30, 80));
});
