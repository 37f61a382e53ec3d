/** How verify checks the storage of keys: in a real git history, duplicated, weakly encrypted. */
import {execFileSync} from 'node:child_process';
import {chmod, mkdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import Verify from '../../src/commands/verify.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {encryptKey} from '../../src/signers/keys.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa} from '../helpers/tiny-ca.js';
import {textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: TrustMesh;
beforeEach(async () => {
  mesh = await trustMesh(['c1', 'c2']);
});
afterEach(() => mesh.stop());

async function rowsOf(id: string, env: Record<string, string> = {}): Promise<AsJson<VerifyResult>['checks']> {
  const run = await runCommand(Verify, ['--offline', '--only', id, '-o', 'json'], {...mesh.env, ...env});
  return (answerOf(run) as AsJson<VerifyResult>).checks;
}
const results = (rows: AsJson<VerifyResult>['checks']) => rows.map(({id, result}) => `${id} ${result}`);

const git = (...args: string[]): string =>
  execFileSync('git', ['-C', mesh.dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {encoding: 'utf8'});
function commitAll(force = true): void {
  git('add', '-A', ...(force ? ['-f'] : []));
  git('commit', '-q', '-m', 'x');
}

describe('MESH114', () => {
  it('is skipped if the work directory is not in a repository', async () => {
    const [row] = await rowsOf('MESH114');
    expect(row).toMatchObject({
      result: 'skipped',
      reason: expect.stringContaining('not in a git repository') as string,
    });
  });

  it('is ok if only files meant for git were committed', async () => {
    git('init', '-q');
    await writeFile(join(mesh.dir, '.gitignore'), '*key.pem\n');
    commitAll(false);
    expect(results(await rowsOf('MESH114'))).toEqual(['MESH114 ok']);
  });

  it('finds cluster keys that were committed and removed, and names cluster, path and commit', async () => {
    git('init', '-q');
    commitAll();
    const commit = git('rev-parse', 'HEAD').slice(0, 12);
    git('rm', '-q', '--cached', 'c1/ca-key.pem', 'c2/ca-key.pem');
    git('commit', '-q', '-m', 'take it back');
    // A renewal requires it.
    await writeFile(join(mesh.dir, 'root-key.pem'), writePrivateKey(mesh.root.key).reveal(), {mode: 0o600});
    const rows = await rowsOf('MESH114');
    expect(results(rows)).toEqual(['MESH114 error', 'MESH114 error']);
    for (const [index, name] of ['c1', 'c2'].entries()) {
      expect(rows[index]?.observed).toContain(
        `the unencrypted CA key of ${name}: ${name}/ca-key.pem in commit ${commit}`,
      );
      expect(rows[index]?.fix).toContain(`certs generate ${name} --renew`);
    }
  });

  it('reports a key that no CA uses any more, with a command that locates it', async () => {
    git('init', '-q');
    git('add', '-f', 'c1/ca-key.pem');
    git('commit', '-q', '-m', 'x');
    await mesh.renew('c1');
    const [row] = await rowsOf('MESH114');
    expect(row).toMatchObject({result: 'warning', observed: expect.stringContaining('no current CA') as string});
    const shown = execFileSync('sh', ['-c', row?.fix ?? 'false'], {cwd: mesh.dir, encoding: 'utf8'});
    expect(shown).toContain('c1/ca-key.pem');
  });

  it.each([
    ['in the clear', false, 'error', /the unencrypted root key: root-key\.pem/],
    ['encrypted', true, 'warning', /an encrypted private key: root-key\.pem/],
  ])('reports a root key %s', async (_, isEncrypted, result, words) => {
    const pem = isEncrypted ? await encryptKey(mesh.root.key, new Sensitive('secret')) : writePrivateKey(mesh.root.key);
    await writeFile(join(mesh.dir, 'root-key.pem'), pem.reveal());
    git('init', '-q');
    git('add', '-f', 'root-key.pem');
    git('commit', '-q', '-m', 'x');
    await rm(join(mesh.dir, 'root-key.pem'));
    const [row] = await rowsOf('MESH114');
    expect(row?.result).toBe(result);
    expect(row?.observed).toMatch(words);
  });

  it('never prints the keys that it finds', async () => {
    git('init', '-q');
    commitAll();
    const body = textsOf(mesh.bundle('c1'))['ca-key.pem']?.split('\n')[1] ?? 'no key';
    for (const output of ['text', 'wide', 'json', 'junit']) {
      const run = await runCommand(Verify, ['--offline', '--only', 'MESH114', '-o', output], mesh.env);
      expect(run.stdout + run.stderr).toContain('ca-key.pem');
      expect(run.stdout + run.stderr).not.toContain(body);
    }
  });

  it('is unknown, not ok, if git fails, or is not installed and the directory has a .git', async () => {
    await mkdir(join(mesh.dir, '.git'));
    await writeFile(join(mesh.dir, '.git/HEAD'), 'ref: refs/heads/main\n');
    await mkdir(join(mesh.dir, '.git/refs'));
    await mkdir(join(mesh.dir, '.git/objects'));
    await writeFile(join(mesh.dir, '.git/config'), '[core\n');
    expect(results(await rowsOf('MESH114'))).toEqual(['MESH114 unknown']);
    expect(results(await rowsOf('MESH114', {PATH: '/nowhere'}))).toEqual(['MESH114 unknown']);
  });
});

describe('MESH110', () => {
  it('finds one key under two certificates, and its fix generates a new key for the second cluster', async () => {
    const one = textsOf(mesh.bundle('c1'));
    await writeFile(join(mesh.dir, 'root-key.pem'), writePrivateKey(mesh.root.key).reveal(), {mode: 0o600});
    const twin = await tinyClusterCa(mesh.root, 'c2');
    await mesh.writeCa('c2', {...textsOf(bundleOf(twin, [mesh.root])), 'ca-key.pem': one['ca-key.pem'] ?? ''});
    const path = (name: string): string => join(mesh.dir, name);
    await writeFile(
      path('ext'),
      'basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n',
    );
    const csr = openssl(['req', '-new', '-key', path('c2/ca-key.pem'), '-subj', '/O=Istio/CN=Intermediate CA/L=c2']);
    const signing = [
      '-CA',
      path('root-cert.pem'),
      '-CAkey',
      path('root-key.pem'),
      '-days',
      '30',
      '-extfile',
      path('ext'),
    ];
    await writeFile(path('c2/ca-cert.pem'), openssl(['x509', '-req', ...signing], csr));
    const rows = await rowsOf('MESH110');
    expect(results(rows)).toEqual(['MESH110 error']);
    expect(rows[0]?.observed).toBe('c1 and c2 have the same key in different certificates');
    expect((await runCommand(CertsGenerate, ['c2', '--renew', '--yes'], mesh.env)).code).toBe(0);
    expect(results(await rowsOf('MESH110'))).toEqual(['MESH110 ok']);
  });
});

describe('MESH107', () => {
  const key = (): string => writePrivateKey(mesh.root.key).reveal();
  const pass = ['-passout', 'pass:x'];
  it.each<[string, () => string, RegExp]>([
    ['headers older than PKCS#8', () => openssl(['ec', '-aes256', ...pass], key()), /aes-256-cbc and md5/],
    [
      'triple DES',
      () => openssl(['pkcs8', '-topk8', '-v2', 'des3', '-iter', '2000000', ...pass], key()),
      /des-ede3-cbc/,
    ],
    [
      'a scheme from PKCS#12',
      () => openssl(['pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', ...pass], key()),
      /pkcs12-sha1/,
    ],
    [
      'scrypt with little memory',
      () => openssl(['pkcs8', '-topk8', '-scrypt', '-scrypt_N', '1024', ...pass], key()),
      /N=1024/,
    ],
    [
      'single DES, which is not supported',
      () =>
        openssl(
          ['pkcs8', '-topk8', '-v1', 'PBE-MD5-DES', '-provider', 'legacy', '-provider', 'default', ...pass],
          key(),
        ),
      /des-cbc/,
    ],
  ])('reports %s as cheap to guess', async (_, make, words) => {
    await writeFile(join(mesh.dir, 'root-key.pem'), make(), {mode: 0o600});
    const [row] = await rowsOf('MESH107');
    expect(row?.result).toBe('warning');
    expect(row?.observed).toMatch(words);
    expect(row?.fix).toBe('kubectl mesh certs passphrase');
  });
});

describe('a key under another name', () => {
  const key = (): string => writePrivateKey(mesh.root.key).reveal();
  const put = async (path: string, text: string, mode = 0o600): Promise<void> => {
    await writeFile(join(mesh.dir, path), text);
    await chmod(join(mesh.dir, path), mode);
  };
  const words = async (id: string): Promise<readonly string[]> =>
    (await rowsOf(id)).map(({result, observed}) => `${result}: ${observed}`);

  it.each(['k.pem', 'c1/k', '-k.pem', "it's $HOME.txt", 'a\nb\u001b[31m.pem'])(
    'is found if it is the unencrypted root key and readable by other users: %j; both fixes apply',
    async (path) => {
      await put(path, key(), 0o644);
      await put('root-cert.pem', mesh.root.certificate.pem, 0o644);
      const rows = [...(await rowsOf('MESH106')), ...(await rowsOf('MESH107'))].filter(({result}) => result !== 'ok');
      expect(results(rows.filter(({observed}) => !observed.startsWith('c1 ')))).toEqual([
        'MESH106 error',
        'MESH107 warning',
      ]);
      for (const {fix = 'false', observed} of rows) {
        expect(`${fix}${observed}`).not.toMatch(/[\u0000-\u001f]/);
        execFileSync('sh', ['-c', fix.replace('-topk8', '-topk8 -passout pass:x')], {cwd: mesh.dir});
      }
      expect(await words('MESH106')).toEqual([expect.stringMatching(/^ok/)]);
      expect(await words('MESH107')).not.toContainEqual(expect.stringMatching(/^warning/));
      if (!path.includes('\n')) expect(await readFile(join(mesh.dir, path), 'utf8')).toContain('BEGIN ENCRYPTED');
    },
  );

  it('of a CA above the clusters is found, too, and a file with other content is not rewritten', async () => {
    const above = await tinyClusterCa(mesh.root, 'above');
    await mesh.writeCa('c1', textsOf(bundleOf(await tinyClusterCa(above, 'c1'), [above, mesh.root])));
    await put('both.txt', above.certificate.pem + writePrivateKey(above.key).reveal());
    const [row] = await rowsOf('MESH107');
    expect(row).toMatchObject({
      result: 'warning',
      observed: expect.stringContaining('above the cluster CAs') as string,
    });
    expect(row?.fix).toMatch(/^ls -l \S*both\.txt$/);
  });

  it('is no finding if it has mode 0600 and is of no CA above, encrypted, too large, or not a key', async () => {
    await put('root-cert.pem', mesh.root.certificate.pem, 0o644);
    const before = await words('MESH106');
    await put('server.pem', writePrivateKey((await tinyClusterCa(mesh.root, 'x')).key).reveal());
    await put('sealed.pem', (await encryptKey(mesh.root.key, new Sensitive('x'))).reveal());
    await put('large', key() + ' '.repeat(64 * 1024), 0o644);
    await put('README', '-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----\n', 0o644);
    expect((await words('MESH106')).length).toBe(before.length);
    expect(await words('MESH106')).not.toContainEqual(expect.stringMatching(/server|sealed|large|README/));
    expect(await words('MESH107')).toEqual([expect.stringMatching(/^ok: sealed\.pem/)]);
  });

  it('is only inspected if a signer command may read it', async () => {
    await put('root-cert.pem', mesh.root.certificate.pem);
    await put('k.pem', key());
    const signer = 'trust: {signer: {type: command, argv: [./sign, k.pem]}}\n';
    await writeFile(join(mesh.dir, 'mesh.yaml'), (await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')) + signer);
    const [row] = await rowsOf('MESH107');
    expect([row?.result, row?.fix]).toEqual(['warning', expect.stringMatching(/^ls -l \S*k\.pem$/)]);
  });
});

describe("a cluster CA's key", () => {
  it.each(['deleted', 'cut off'])('is not a key of a CA above it if ca-cert.pem was %s', async (how) => {
    const path = join(mesh.dir, 'c1', 'ca-cert.pem');
    await (how === 'deleted' ? rm(path) : writeFile(path, (await readFile(path)).subarray(0, 300)));
    expect(results(await rowsOf('MESH107'))).not.toContain('MESH107 warning');
  });
});

describe('MESH106', () => {
  it.each([
    [0o755, 'MESH106 ok'],
    [0o775, 'MESH106 warning'],
    [0o777, 'MESH106 error'],
  ])('of a work directory with mode %o is %s; the fix applies', async (mode, result) => {
    await chmod(mesh.dir, mode);
    const [row] = await rowsOf('MESH106');
    expect(`MESH106 ${row?.result ?? ''}`).toBe(result);
    execFileSync('sh', ['-c', String(row?.fix)], {cwd: mesh.dir});
    expect(results(await rowsOf('MESH106'))).toEqual(['MESH106 ok']);
  });
});
