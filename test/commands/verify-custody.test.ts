/** Private keys where they do not belong: in public files (MESH117), published (MESH311), and root keys in Secrets (MESH312). */
import {chmod, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsAdopt from '../../src/commands/certs/adopt.js';
import CertsGenerate from '../../src/commands/certs/generate.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {configMap, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {runCommand, type CommandClass} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {textsOf} from '../helpers/trust-mesh.js';
import {rowName, type Verified, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

async function verify(only: string, ...argv: string[]): Promise<Verified> {
  const verified = await verifyJson(mesh, '--only', only, ...argv);
  expect(verified.output).not.toContain(bodyOf(rootKey()).slice(30, 80));
  return verified;
}
const run = (command: CommandClass, ...argv: string[]) => runCommand(command, argv, mesh.env);

const bodyOf = (pem: string): string => pem.replaceAll(/-----.*-----|\s/g, '');
const rootKey = (): string => writePrivateKey(mesh.root.key).reveal();
/** A renewal requires it. */
const putRootKey = (): Promise<void> => writeFile(join(mesh.dir, 'root-key.pem'), rootKey(), {mode: 0o600});
const encrypted = (): string =>
  mesh.root.key.export({type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'another'}).toString();
const forms: readonly (readonly [form: string, make: () => string])[] = [
  ['as PEM', rootKey],
  ['as encrypted PEM', encrypted],
  ['as base64 of DER in a comment', () => `# ${bodyOf(rootKey())}\n`],
];
const textOf = (path: string): Promise<string> => readFile(join(mesh.dir, path), 'utf8').catch(() => '');
const filesOf = (cluster: string): Record<string, string> => mesh.one(cluster).kube.secretText('istio-system/cacerts');
const rootSecret = (secretName = 'istio-ca-secret') =>
  secret(`istio-system/${secretName}`, {'ca-cert.pem': mesh.root.certificate.pem, 'ca-key.pem': rootKey()});

it('a healthy mesh has no such finding', async () => {
  const {code, rows} = await verify('MESH117,MESH311,MESH312');
  expect([code, ...rows.map(rowName)]).toEqual([
    0,
    'MESH117 ok',
    ...['MESH311 c1 ok', 'MESH311 c2 ok', 'MESH312 c1 ok', 'MESH312 c2 ok'],
  ]);
});

describe('a key in a public file (MESH117)', () => {
  const files = ['ca-cert.pem', 'root-cert.pem', 'cert-chain.pem', 'ca-crl.pem', 'install.yaml'];

  it.each(forms)('is an error, %s', async (_, make) => {
    await writeFile(join(mesh.dir, 'c1/cert-chain.pem'), (await textOf('c1/cert-chain.pem')) + make());
    await putRootKey();
    const {code, rows} = await verify('MESH117', '--offline');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH117 error']);
    expect(rows[0]?.fix).toContain('certs generate c1 --renew');
  });

  it.each(files)('is found in CLUSTER/%s', async (file) => {
    await writeFile(join(mesh.dir, 'c1', file), `# ${bodyOf(rootKey())}\n${await textOf(`c1/${file}`)}`);
    const {code, rows} = await verify('MESH117', '--offline');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH117 error']);
    expect(rows[0]?.observed).toContain(`c1/${file}`);
  });

  it.each(['root-cert.pem', 'mesh.yaml'])('is found in %s', async (file) => {
    await writeFile(join(mesh.dir, file), `# ${bodyOf(rootKey())}\n${await textOf(file)}`);
    const {code, rows} = await verify('MESH117', '--offline');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH117 error']);
    expect(rows[0]?.observed).toContain(file);
  });
});

it('a public file with a key, and its directory, are no findings of their modes (MESH106)', async () => {
  await writeFile(join(mesh.dir, 'c1/cert-chain.pem'), (await textOf('c1/cert-chain.pem')) + rootKey());
  await rm(join(mesh.dir, 'c1/ca-key.pem'));
  await chmod(join(mesh.dir, 'c1'), 0o755);
  const {rows} = await verify('MESH106,MESH117', '--offline');
  expect(rows.map(rowName)).toEqual(['MESH106 ok', 'MESH117 error']);
});

describe('a published key (MESH311)', () => {
  it.each(forms)('is an error in Secret cacerts, %s, and the fix replaces key and Secret', async (_, make) => {
    const {kube} = mesh.one('c1');
    kube.put(
      secret('istio-system/cacerts', {
        ...filesOf('c1'),
        'root-cert.pem': `${filesOf('c1')['root-cert.pem'] ?? ''}${make()}`,
      }),
    );
    await putRootKey();
    const {code, rows} = await verify('MESH311');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH311 c1 error', 'MESH311 c2 ok']);
    expect(rows[0]?.fix).toContain('certs generate c1 --renew');
    expect(rows[0]?.fix).toContain('trust push c1');
  });

  it.each([
    [
      'the trust bundle of a namespace',
      () => configMap('shop/istio-ca-root-cert', {'root-cert.pem': `${mesh.root.certificate.pem}${rootKey()}`}),
    ],
    [
      'meshConfig',
      () => configMap('istio-system/istio', {mesh: `caCertificates:\n- pem: "${rootKey().replaceAll('\n', '\\n')}"\n`}),
    ],
    ['a ConfigMap in its namespace', () => configMap('istio-system/notes', {note: `# ${bodyOf(rootKey())}`})],
  ])('is an error in %s', async (_, object) => {
    mesh.one('c1').kube.put(object());
    const {code, rows} = await verify('MESH311');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH311 c1 error', 'MESH311 c2 ok']);
  });
});

describe('a root key in a Secret (MESH312)', () => {
  it.each(['cacerts-previous', 'istio-ca-secret'])(
    'is a warning in %s, of the cluster that has it',
    async (secretName) => {
      mesh.one('c1').kube.put(rootSecret(secretName));
      const {code, rows} = await verify('MESH312');
      expect([code, ...rows.map(rowName)]).toEqual([0, 'MESH312 c1 warning', 'MESH312 c2 ok']);
      expect(rows[0]?.observed).toContain(secretName);
      expect((await verify('MESH312', '--fail-on', 'warning')).code).toBe(3);
    },
  );

  it('is a warning in any data key of cacerts, also beside another certificate', async () => {
    mesh.one('c1').kube.put(secret('istio-system/cacerts', {...filesOf('c1'), 'notes.txt': `# ${bodyOf(rootKey())}`}));
    const {rows} = await verify('MESH312');
    expect(rows.map(rowName)).toEqual(['MESH312 c1 warning', 'MESH312 c2 ok']);
    expect(rows[0]?.observed).toContain('notes.txt');
  });

  it('is no root key of this mesh: another root, or the previous cluster CA', async () => {
    const other = await tinyRoot();
    const {kube} = mesh.one('c1');
    kube.put(secret('istio-system/istio-ca-secret', textsOf(bundleOf(other, [other]))));
    kube.put(
      secret('istio-system/cacerts-previous', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c1'), [mesh.root]))),
    );
    expect((await verify('MESH312')).rows.map(rowName)).toEqual(['MESH312 c1 ok', 'MESH312 c2 ok']);
  });

  it('in cacerts-previous is deleted by the fix', async () => {
    mesh.one('c1').kube.put(rootSecret('cacerts-previous'));
    const {rows} = await verify('MESH312');
    expect(rows[0]?.fix).toContain('trust rollback c1 --forget');
    expect((await run(TrustRollback, 'c1', '--forget', '--yes')).code).toBe(0);
    expect((await verify('MESH312')).rows.map(rowName)).toEqual(['MESH312 c1 ok', 'MESH312 c2 ok']);
  });

  it('that istiod signs with is replaced by a push, not deleted', async () => {
    const {kube} = mesh.one('c1');
    kube.remove('Secret', 'istio-system/cacerts');
    kube.put(rootSecret());
    const {rows} = await verify('MESH312');
    expect(rows.map(rowName)).toEqual(['MESH312 c1 warning', 'MESH312 c2 ok']);
    expect(rows[0]?.fix).toContain('trust push c1');
  });
});

describe('two clusters with one self-signed root (istio/istio#30103)', () => {
  const context = (cluster: string): string => `ctx-${cluster}`;

  beforeEach(async () => {
    for (const cluster of ['c1', 'c2']) {
      const {kube} = mesh.one(cluster);
      kube.remove('Secret', 'istio-system/cacerts');
      kube.put(rootSecret());
    }
    for (const path of ['mesh.yaml', 'journal.jsonl', '.journal-head.json', 'root-cert.pem', 'c1', 'c2']) {
      await rm(join(mesh.dir, path), {recursive: true, force: true});
    }
    const adopted = await run(CertsAdopt, `c1=${context('c1')}`, `c2=${context('c2')}`);
    expect(adopted.code).toBe(0);
  });

  it('are adopted with the first as the signer, which issues their cluster CAs', async () => {
    expect(await textOf('mesh.yaml')).toContain(`signer: {type: cluster, context: ${context('c1')}}`);
    expect((await run(CertsGenerate, 'c1', 'c2', '--yes', '--key-algorithm', 'ecdsa-p256')).code).toBe(0);
    for (const cluster of ['c1', 'c2']) {
      expect(await textOf(`${cluster}/cert-chain.pem`)).toContain(mesh.root.certificate.pem);
      expect(await textOf(`${cluster}/ca-key.pem`)).not.toBe('');
      expect(await textOf(`${cluster}/ca-key.pem`)).not.toBe(rootKey());
    }
  });

  it('have fixes that run here, although the root key is only in the clusters', async () => {
    mesh.one('c1').kube.remove('Deployment', 'istio-system/istiod');
    mesh.one('c2').kube.remove('Deployment', 'istio-system/istiod');
    const before = (await verify('MESH102,MESH301', '--skip', 'MESH312')).rows.filter(({result}) => result === 'error');
    expect(before.map(rowName)).toEqual([
      'MESH102 c1 error',
      'MESH102 c2 error',
      'MESH301 c1 error',
      'MESH301 c2 error',
    ]);
    for (const {fix} of before) {
      for (const command of fix.split(' && ')) {
        const [, , topic = '', action = '', ...argv] = command.split(' ');
        const known: Readonly<Record<string, CommandClass>> = {
          'certs generate': CertsGenerate,
          'trust push': TrustPush,
        };
        const found = known[`${topic} ${action}`];
        if (!found) throw new Error(command);
        expect([command, (await run(found, ...argv)).code]).toEqual([command, 0]);
      }
    }
    const after = (await verify('MESH102,MESH103,MESH104,MESH105,MESH301')).rows;
    expect(after.filter(({result}) => result !== 'ok').map(rowName)).toEqual([]);
  });

  it('keep a warning for the copy of the root key that is not the signer, until it is deleted', async () => {
    expect((await run(CertsGenerate, 'c1', 'c2', '--yes', '--key-algorithm', 'ecdsa-p256')).code).toBe(0);
    for (const cluster of ['c1', 'c2']) {
      mesh.one(cluster).kube.remove('Deployment', 'istio-system/istiod');
      expect((await run(TrustPush, cluster, '--yes')).code).toBe(0);
    }
    expect((await verify('MESH312')).rows.map(rowName)).toEqual(['MESH312 c1 ok', 'MESH312 c2 warning']);
    mesh.one('c2').kube.remove('Secret', 'istio-system/istio-ca-secret');
    expect((await verify('MESH312')).rows.map(rowName)).toEqual(['MESH312 c1 ok', 'MESH312 c2 ok']);
  });
});
