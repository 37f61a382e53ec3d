import {execFileSync} from 'node:child_process';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsRequest from '../../src/commands/certs/request.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

const small = ['--key-algorithm', 'ecdsa-p256'];
const request = (...argv: string[]): Promise<CommandRun> => runCommand(CertsRequest, [...argv, '-w', dir.root]);

interface Answer {
  readonly clusters: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly action?: string;
    readonly error?: {readonly code: string};
    readonly request?: {readonly csr: string; readonly key: string; readonly publicKey: string; readonly file: string};
  }[];
  readonly errors: readonly {readonly code: string}[];
  readonly warnings: readonly {readonly message: string}[];
  readonly error?: {readonly code: string; readonly message: string};
}
const answer = (run: CommandRun) => answerOf(run) as Answer;
const outcomes = (run: CommandRun) => answer(run).clusters.map(({outcome}) => outcome);

/** A request as openssl prints it. */
const text = (csr: string): string => openssl(['req', '-verify', '-noout', '-text'], csr);

describe('a request', () => {
  it.each(['rsa-2048', 'ecdsa-p256', 'ecdsa-p384'])(
    'requests the CA that istiod requires, according to openssl (%s)',
    async (algorithm) => {
      const run = await request('c1', '--key-algorithm', algorithm, '-o', 'json');
      expect(run.code).toBe(0);
      const csr = await dir.read('c1/request/ca.csr');
      expect(answer(run).clusters).toMatchObject([
        {name: 'c1', outcome: 'done', request: {csr, key: algorithm, file: 'c1/request/ca.csr'}},
      ]);
      expect(text(csr)).toContain('Subject: O = Istio, CN = Intermediate CA, L = c1');
      expect(text(csr)).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
      expect(text(csr)).toMatch(/Key Usage: critical\s+Digital Signature, Certificate Sign, CRL Sign/);
      expect(openssl(['req', '-noout', '-pubkey'], csr)).toBe(
        openssl(['pkey', '-pubout'], await dir.read('c1/request/ca-key.pem')),
      );
    },
  );

  it('has a key readable only by its owner, and nothing else is written', async () => {
    await request('c1', ...small);
    expect([await dir.mode('c1/request/ca-key.pem'), await dir.mode('c1/request')]).toEqual([0o600, 0o700]);
    const files = Object.keys(await dir.snapshot()).map((path) => path.slice(dir.root.length + 1));
    expect(files.filter((path) => !path.startsWith('.')).sort()).toEqual(
      ['c1/request/ca-key.pem', 'c1/request/ca.csr', 'journal.jsonl', 'mesh.yaml'].sort(),
    );
  });

  it('is printed alone, for other programs', async () => {
    await request('c1', 'c2', ...small);
    const run = await request('c2', '-o', 'csr');
    expect(run.stdout).toBe(await dir.read('c2/request/ca.csr'));
  });

  it('is not changed when run again', async () => {
    await request('c1', ...small);
    const before = await dir.snapshot();
    const run = await request('-o', 'json');
    expect(outcomes(run)).toEqual(['unchanged']);
    expect(await dir.snapshot()).toEqual(before);
  });

  it('is created again for an existing key', async () => {
    await request('c1', ...small);
    const key = await dir.read('c1/request/ca-key.pem');
    await dir.remove('c1/request/ca.csr');
    expect(outcomes(await request('-o', 'json'))).toEqual(['done']);
    expect(await dir.read('c1/request/ca-key.pem')).toBe(key);
    expect(openssl(['req', '-noout', '-pubkey'], await dir.read('c1/request/ca.csr'))).toBe(
      openssl(['pkey', '-pubout'], key),
    );
  });

  it('prints the plan in a dry run, and changes nothing', async () => {
    const run = await request('c1', ...small, '--dry-run', '-o', 'json');
    expect(answer(run).clusters).toMatchObject([{outcome: 'skipped', action: 'create a key and a CSR (ecdsa-p256)'}]);
    expect(await dir.snapshot()).toEqual({});
  });

  it('records the signer in mesh.yaml', async () => {
    await request('c1', ...small);
    expect(await dir.read('mesh.yaml')).toContain('signer: {type: csr}');
  });
});

describe('--renew', () => {
  it('prompts before it discards a key whose certificate may be pending', async () => {
    await request('c1', ...small);
    const before = await dir.snapshot();
    const refused = await request('c1', '--renew', '-o', 'json');
    expect(refused.code).toBe(5);
    expect(answer(refused).error?.code).toBe('CONFIRMATION_NEEDED');
    expect(await dir.snapshot()).toEqual(before);
    const key = await dir.read('c1/request/ca-key.pem');
    expect(outcomes(await request('c1', '--renew', '--yes', '-o', 'json'))).toEqual(['done']);
    expect(await dir.read('c1/request/ca-key.pem')).not.toBe(key);
  });
});

describe('conflicting files', () => {
  it.each<[string, () => Promise<void>]>([
    ['a request without its key', () => dir.remove('c1/request/ca-key.pem')],
    [
      'the key of another request',
      async () => dir.write('c1/request/ca-key.pem', await dir.read('c2/request/ca-key.pem'), 0o600),
    ],
    ['a truncated request', () => dir.write('c1/request/ca.csr', '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n')],
    ['a certificate in its place', async () => dir.write('c1/request/ca.csr', (await tinyRoot()).certificate.pem)],
    [
      'the request of another cluster',
      async () => {
        await dir.write('c1/request/ca.csr', await dir.read('c2/request/ca.csr'));
        await dir.write('c1/request/ca-key.pem', await dir.read('c2/request/ca-key.pem'), 0o600);
      },
    ],
    [
      'an encrypted key',
      async () =>
        dir.write(
          'c1/request/ca-key.pem',
          openssl(['pkcs8', '-topk8', '-passout', 'pass:x'], await dir.read('c1/request/ca-key.pem')),
          0o600,
        ),
    ],
  ])('with %s is an error and changes nothing', async (_what, spoil) => {
    await request('c1', 'c2', ...small);
    await spoil();
    const before = await dir.snapshot();
    const run = await request('c1', '-o', 'json');
    expect(run.code).toBe(2);
    expect(answer(run).clusters[0]?.error?.code).toBe('WORKDIR_CONFLICT');
    expect(await dir.snapshot()).toEqual(before);
  });

  it.each(['local', 'cluster, context: x', 'external, issuer: istio-csr'])(
    'with another declared signer is a contradiction (%s)',
    async (signer) => {
      await dir.write(
        'mesh.yaml',
        `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust:\n  signer: {type: ${signer}}\nclusters:\n  - name: c1\n`,
      );
      const run = await request('c1', '-o', 'json');
      expect([run.code, answer(run).error?.code]).toEqual([2, 'CONTRADICTION']);
    },
  );

  it('with a root key is a contradiction', async () => {
    await dir.write('root-key.pem', 'whatever', 0o600);
    const run = await request('c1', '-o', 'json');
    expect([run.code, answer(run).error?.code]).toEqual([2, 'CONTRADICTION']);
  });

  it('with a git repository that does not ignore the key is an error', async () => {
    execFileSync('git', ['init', '-q'], {cwd: dir.root});
    await dir.write('.gitignore', '*.log\n');
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1\n');
    const run = await request('c1', ...small, '-o', 'json');
    expect(run.code).toBe(5);
    expect(answer(run).errors).toMatchObject([{code: 'KEY_IN_GIT'}]);
  });

  it('a git tree without .gitignore receives one with the key, and only with a key', async () => {
    execFileSync('git', ['init', '-q'], {cwd: dir.root});
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1\n');
    expect((await request('c1', ...small)).code).toBe(0);
    const seen = () => execFileSync('git', ['status', '--porcelain', '-uall'], {cwd: dir.root, encoding: 'utf8'});
    expect(seen()).toContain('c1/request/ca.csr');
    expect(seen()).not.toContain('key.pem');
    await dir.remove('.gitignore');
    expect((await request('c1', ...small)).code).toBe(0);
    await expect(dir.read('.gitignore')).rejects.toThrow();
  });
});
