import {execFileSync} from 'node:child_process';
import {X509Certificate} from 'node:crypto';
import {cp, rename} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const passphrase = 'a passphrase nobody may see';
let dir: TestWorkDir;
/** A work directory from one run, with cluster1 and an encrypted root, whose key takes half a second each time. */
let made: TestWorkDir;
let makingIt: CommandRun;
beforeAll(async () => {
  made = await createWorkDir();
  makingIt = await runCommand(CertsGenerate, ['cluster1', ...small, '-o', 'json', '-w', made.root], {
    KUBECTL_MESH_PASSPHRASE: passphrase,
  });
  expect(makingIt.code, makingIt.stderr).toBe(0);
});
afterAll(() => made.dispose());
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

/** Starts the test with the files of that run. */
const copyMade = (): Promise<void> => cp(made.root, dir.root, {recursive: true});

const generate = (...argv: string[]): Promise<CommandRun> =>
  runCommand(CertsGenerate, [...argv, '-w', dir.root], {KUBECTL_MESH_PASSPHRASE: passphrase});
const withoutPassphrase = (...argv: string[]): Promise<CommandRun> =>
  runCommand(CertsGenerate, [...argv, '-w', dir.root]);
const small = ['--key-algorithm', 'ecdsa-p256'];
const clear = [...small, '--no-passphrase'];

interface Answer {
  readonly root: {
    readonly outcome: string;
    readonly protection?: string;
    readonly certificate?: {readonly fingerprint: string};
  };
  readonly clusters: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly error?: {readonly code: string; readonly message: string};
    readonly certificate?: {readonly fingerprint: string; readonly notAfter: string};
  }[];
  readonly errors: readonly {readonly code: string; readonly message: string}[];
  readonly warnings: readonly {readonly message: string}[];
}
const answer = (run: CommandRun) => answerOf(run) as Answer;
const outcomes = (run: CommandRun) => answer(run).clusters.map(({outcome}) => outcome);

/** The files of a CA that another tool created. */
async function place(cluster: string, ca: TinyCa, root: TinyCa): Promise<void> {
  const bundle = bundleOf(ca, [root]);
  await dir.write(`${cluster}/ca-cert.pem`, bundle.caCert);
  await dir.write(`${cluster}/ca-key.pem`, bundle.caKey.reveal(), 0o600);
  await dir.write(`${cluster}/root-cert.pem`, bundle.rootCert);
  await dir.write(`${cluster}/cert-chain.pem`, bundle.certChain);
}

async function placeRoot(root: TinyCa): Promise<void> {
  await dir.write('root-cert.pem', root.certificate.pem);
  await dir.write('root-key.pem', writePrivateKey(root.key).reveal(), 0o600);
}

it('--mesh-id is recorded, and part of the name of the new root', async () => {
  const run = await generate('cluster1', ...clear, '--mesh-id', 'mesh7');
  expect(run.code, run.stderr).toBe(0);
  const {subject} = new X509Certificate(await dir.read('root-cert.pem'));
  expect([subject, await dir.read('mesh.yaml')]).toEqual([
    expect.stringMatching(/^CN=mesh7 Root CA /m),
    expect.stringMatching(/^meshID: mesh7$/m),
  ]);
});

it('a wrong passphrase changes nothing: the new cluster is not added', async () => {
  await copyMade();
  const before = await dir.read('mesh.yaml');
  const run = await runCommand(CertsGenerate, ['cluster2', ...small, '-w', dir.root], {
    KUBECTL_MESH_PASSPHRASE: 'another passphrase',
  });
  expect([run.code, await dir.read('mesh.yaml')]).toEqual([2, before]);
  expect(run.stderr.match(/^error: /gm)).toHaveLength(1);
});

it('warns about a new name that looks like a misspelled one', async () => {
  await copyMade();
  const {warnings, clusters} = answer(await generate('clustr1', ...small, '-o', 'json'));
  expect(clusters).toMatchObject([{name: 'clustr1', outcome: 'done'}]);
  expect(warnings.map(({message}) => message)).toContainEqual(expect.stringContaining('cluster1'));
});

describe('in an empty work directory', () => {
  it('creates an encrypted root, and a CA for each cluster that passes strict verification by openssl', async () => {
    const run = await generate('cluster1', 'cluster2', ...small, '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run)).toMatchObject({root: {outcome: 'done', protection: 'encrypted'}});
    expect(outcomes(run)).toEqual(['done', 'done']);
    for (const cluster of ['cluster1', 'cluster2']) {
      const output = openssl([
        ...['verify', '-x509_strict', '-CAfile', `${dir.root}/${cluster}/root-cert.pem`],
        ...['-untrusted', `${dir.root}/${cluster}/cert-chain.pem`, `${dir.root}/${cluster}/ca-cert.pem`],
      ]);
      expect(output).toContain('OK');
      expect(await dir.read(`${cluster}/root-cert.pem`)).toBe(await dir.read('root-cert.pem'));
      const certificate = new X509Certificate(await dir.read(`${cluster}/ca-cert.pem`));
      expect(certificate.subject).toBe(`O=Istio\nCN=Intermediate CA\nL=${cluster}`);
    }
    const root = new X509Certificate(await dir.read('root-cert.pem'));
    expect(answer(run).root.certificate?.fingerprint).toBe(root.fingerprint256.replaceAll(':', '').toLowerCase());
  });

  it('writes keys readable only by their owner, in directories accessible only to the owner', async () => {
    const modes = ['root-key.pem', 'cluster1/ca-key.pem', 'cluster1'].map((path) => made.mode(path));
    expect(await Promise.all(modes)).toEqual([0o600, 0o600, 0o700]);
  });

  it('encrypts the root key in a format that openssl can read with the passphrase', async () => {
    expect(await made.read('root-key.pem')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const pem = openssl(['pkey', '-in', `${made.root}/root-key.pem`, '-passin', `pass:${passphrase}`]);
    expect(openssl(['pkey', '-pubout'], pem)).toBe(
      openssl(['x509', '-noout', '-pubkey'], await made.read('root-cert.pem')),
    );
  });

  it('changes nothing and does not prompt when run again', async () => {
    await copyMade();
    const before = await dir.snapshot();
    const run = await withoutPassphrase('-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run).root.outcome).toBe('unchanged');
    expect(outcomes(run)).toEqual(['unchanged']);
    expect(await dir.snapshot()).toEqual(before);
  });

  it('adds a cluster under the same root', async () => {
    await copyMade();
    const root = await dir.read('root-cert.pem');
    const first = await dir.read('cluster1/ca-cert.pem');
    await dir.write('mesh.yaml', `${await dir.read('mesh.yaml')}  - name: cluster2\n`);
    const run = await generate('-o', 'json');
    expect(outcomes(run)).toEqual(['unchanged', 'done']);
    expect(await dir.read('root-cert.pem')).toBe(root);
    expect(await dir.read('cluster1/ca-cert.pem')).toBe(first);
    expect(await dir.read('cluster2/root-cert.pem')).toBe(root);
  });

  it('is refused without a passphrase, a terminal or --no-passphrase, and writes nothing', async () => {
    const run = await withoutPassphrase('cluster1', ...small, '-o', 'json');
    expect(run.code).toBe(5);
    expect(answer(run).errors).toMatchObject([{code: 'PASSPHRASE_NEEDED'}]);
    expect(await dir.snapshot()).toEqual({});
  });

  it('writes the root key unencrypted only with --no-passphrase, with a warning', async () => {
    const run = await withoutPassphrase('cluster1', ...clear);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('root-key.pem is written unencrypted');
    expect(await dir.read('root-key.pem')).toMatch(/^-----BEGIN PRIVATE KEY-----/);
  });

  it('reads the passphrase from a file and from a command', async () => {
    await dir.write('../passphrase-of-test', `${passphrase}\n`);
    const path = `${dir.root}/../passphrase-of-test`;
    expect((await withoutPassphrase('cluster1', ...small, '--passphrase-file', path)).code).toBe(0);
    await dir.remove('../passphrase-of-test');
    expect(openssl(['pkey', '-in', `${dir.root}/root-key.pem`, '-passin', `pass:${passphrase}`])).toContain('PRIVATE');
    await dir.write('mesh.yaml', `${await dir.read('mesh.yaml')}  - name: cluster2\n`);
    const command = `printf '%s\\n' '${passphrase}'`;
    expect((await withoutPassphrase('cluster2', '--passphrase-command', command)).code).toBe(0);
  });

  it('writes nothing in a dry run, and prints the plan', async () => {
    const run = await generate('cluster1', ...small, '--dry-run');
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('would create the root CA');
    expect(run.stdout).toContain('would issue the cluster CA');
    expect(await dir.snapshot()).toEqual({});
  });

  it.each(['rsa-2048', 'ecdsa-p384'])('generates %s keys on request', async (algorithm) => {
    const run = await withoutPassphrase('cluster1', '--key-algorithm', algorithm, '--no-passphrase', '-o', 'json');
    expect(answer(run)).toMatchObject({
      root: {certificate: {key: algorithm}},
      clusters: [{certificate: {key: algorithm}}],
    });
  });

  it('names the root after the declared mesh, and uses the declared validity', async () => {
    await dir.write(
      'mesh.yaml',
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh7\ntrust: {keyAlgorithm: ecdsa-p256, rootValidity: 100d, clusterValidity: 50d}\nclusters: [{name: cluster1}]\n',
    );
    await withoutPassphrase('--no-passphrase');
    const root = new X509Certificate(await dir.read('root-cert.pem'));
    const ca = new X509Certificate(await dir.read('cluster1/ca-cert.pem'));
    const days = (one: X509Certificate) => Math.round((Date.parse(one.validTo) - Date.now()) / 86_400_000);
    expect(root.subject).toContain('CN=mesh7 Root CA ');
    expect([days(root), days(ca)]).toEqual([100, 50]);
  });
});

describe('swapped cluster directories', () => {
  beforeEach(async () => {
    await withoutPassphrase('cluster1', 'cluster2', ...clear);
    await rename(join(dir.root, 'cluster1'), join(dir.root, 'between'));
    await rename(join(dir.root, 'cluster2'), join(dir.root, 'cluster1'));
    await rename(join(dir.root, 'between'), join(dir.root, 'cluster2'));
  });

  it('are a conflict that names both clusters', async () => {
    const before = await dir.snapshot();
    const run = await withoutPassphrase('-o', 'json');
    expect(run.code).toBe(2);
    const errors = answer(run).clusters.map(({error}) => error);
    expect(errors.map((error) => error?.code)).toEqual(['WORKDIR_CONFLICT', 'WORKDIR_CONFLICT']);
    for (const error of errors) expect(error?.message).toMatch(/cluster1.*cluster2|cluster2.*cluster1/);
    expect(await dir.snapshot()).toEqual(before);
  });

  it('can be given new CAs instead', async () => {
    const run = await withoutPassphrase('--renew', '-y', '-o', 'json');
    expect([run.code, ...outcomes(run)]).toEqual([0, 'done', 'done']);
    expect(new X509Certificate(await dir.read('cluster1/ca-cert.pem')).subject).toContain('L=cluster1');
  });

  it('are no conflict if the name in the CA belongs to no cluster of the mesh', async () => {
    await rename(join(dir.root, 'cluster1'), join(dir.root, 'renamed'));
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: renamed\n');
    const run = await withoutPassphrase('-o', 'json');
    expect([run.code, ...outcomes(run)]).toEqual([0, 'unchanged']);
  });
});

describe('--renew', () => {
  it('replaces key and certificate under the same root, once confirmed', async () => {
    await copyMade();
    const before = await dir.snapshot();
    const requested = await generate('cluster1', '--renew', '-o', 'json');
    expect(requested.code).toBe(5);
    expect(answerOf(requested)).toMatchObject({error: {code: 'CONFIRMATION_NEEDED'}});
    expect(await dir.snapshot()).toEqual(before);

    const run = await generate('cluster1', '--renew', '-y', '-o', 'json');
    expect(run.code).toBe(0);
    const after = await dir.snapshot();
    for (const name of ['cluster1/ca-cert.pem', 'cluster1/ca-key.pem', 'cluster1/cert-chain.pem']) {
      expect(after[`${dir.root}/${name}`], name).not.toBe(before[`${dir.root}/${name}`]);
    }
    for (const name of ['root-cert.pem', 'root-key.pem', 'cluster1/root-cert.pem']) {
      expect(after[`${dir.root}/${name}`], name).toBe(before[`${dir.root}/${name}`]);
    }
  });

  it('fixes a cluster with conflicting files', async () => {
    await copyMade();
    await dir.write('cluster1/ca-cert.pem', 'broken');
    expect(outcomes(await generate('cluster1', '--renew', '-y', '-o', 'json'))).toEqual(['done']);
    expect(outcomes(await generate('cluster1', '-o', 'json'))).toEqual(['unchanged']);
  });

  it('fails with the wrong passphrase and changes nothing', async () => {
    await copyMade();
    const keys = ['root-key.pem', 'cluster1/ca-key.pem', 'cluster1/ca-cert.pem', 'mesh.yaml', 'journal.jsonl'];
    const before = await Promise.all(keys.map((name) => dir.read(name)));
    const run = await runCommand(CertsGenerate, ['cluster1', 'new', '--renew', '-y', '-o', 'json', '-w', dir.root], {
      KUBECTL_MESH_PASSPHRASE: 'wrong',
    });
    expect(run.code).toBe(2);
    expect(answerOf(run)).toMatchObject({error: {code: 'WRONG_PASSPHRASE'}});
    expect(await Promise.all(keys.map((name) => dir.read(name)))).toEqual(before);
  });
});

describe('existing files', () => {
  it('are completed if only copies are missing', async () => {
    await copyMade();
    const chain = await dir.read('cluster1/cert-chain.pem');
    await dir.remove('cluster1/cert-chain.pem');
    await dir.remove('cluster1/root-cert.pem');
    const run = await withoutPassphrase('cluster1', '-o', 'json');
    expect(outcomes(run)).toEqual(['done']);
    expect(await dir.read('cluster1/cert-chain.pem')).toBe(chain);
    expect(await dir.read('cluster1/root-cert.pem')).toBe(await dir.read('root-cert.pem'));
  });

  it('without keys, as in a git checkout, are used unchanged', async () => {
    await copyMade();
    await dir.remove('root-key.pem');
    await dir.remove('cluster1/ca-key.pem');
    const run = await withoutPassphrase('cluster1', '-o', 'json');
    expect(run.code).toBe(0);
    expect(outcomes(run)).toEqual(['unchanged']);
    expect(answer(run).root).toMatchObject({outcome: 'unchanged', protection: 'missing'});
  });

  interface Conflict {
    readonly what: string;
    readonly make: (root: TinyCa, ca: TinyCa) => Promise<void>;
    readonly code: string;
    /** Text that the message must contain. */
    readonly names: readonly string[];
  }
  const conflicts: readonly Conflict[] = [
    {
      what: 'the key of another certificate',
      make: async (root) => {
        await dir.write('cluster1/ca-key.pem', writePrivateKey((await tinyClusterCa(root, 'x')).key).reveal());
      },
      code: 'WORKDIR_CONFLICT',
      names: ['ca-key.pem', 'ca-cert.pem'],
    },
    {
      what: 'a cluster under another root',
      make: async () => {
        const other = await tinyRoot();
        await place('cluster1', await tinyClusterCa(other, 'cluster1'), other);
      },
      code: 'WORKDIR_CONFLICT',
      names: ['cluster1/root-cert.pem', 'differs from root-cert.pem'],
    },
    {
      what: 'a certificate not signed by the root beside it',
      make: async () => {
        const other = await tinyRoot();
        const ca = await tinyClusterCa(other, 'cluster1');
        await dir.write('cluster1/ca-cert.pem', ca.certificate.pem);
        await dir.write('cluster1/ca-key.pem', writePrivateKey(ca.key).reveal());
      },
      code: 'WORKDIR_CONFLICT',
      names: ['ca-cert.pem', 'root-cert.pem'],
    },
    {
      what: 'an expired cluster CA',
      make: async (root) => {
        const old = await tinyClusterCa(root, 'cluster1', {
          change: (one) => ({...one, notAfter: new Date(Date.now() - 1000)}),
        });
        await place('cluster1', old, root);
      },
      code: 'WORKDIR_CONFLICT',
      names: ['expired'],
    },
    {
      what: 'a certificate where the key should be',
      make: async (root) => dir.write('cluster1/ca-key.pem', root.certificate.pem),
      code: 'WORKDIR_CONFLICT',
      names: ['ca-key.pem', 'certificate'],
    },
    {
      what: 'an encrypted cluster key',
      make: async (_root, ca) => {
        const key = openssl(['pkey', '-aes256', '-passout', 'pass:x'], writePrivateKey(ca.key).reveal());
        await dir.write('cluster1/ca-key.pem', key);
      },
      code: 'WORKDIR_CONFLICT',
      names: ['ca-key.pem', 'encrypted'],
    },
    {
      what: 'EC PARAMETERS before the key',
      make: async (_root, ca) => {
        const key = openssl(['ec'], writePrivateKey(ca.key).reveal());
        const parameters = openssl(['ecparam', '-name', 'prime256v1']);
        await dir.write('cluster1/ca-key.pem', parameters + key);
      },
      code: 'WORKDIR_CONFLICT',
      names: ['EC PARAMETERS'],
    },
    {
      what: 'a key without its certificate',
      make: () => dir.remove('cluster1/ca-cert.pem'),
      code: 'WORKDIR_CONFLICT',
      names: ['cluster1/ca-cert.pem'],
    },
    {
      what: 'a root certificate that is cut off',
      make: async (root) => dir.write('root-cert.pem', root.certificate.pem.slice(0, 300)),
      code: 'NOT_PEM',
      names: ['root-cert.pem'],
    },
    {
      what: 'a root key of another root',
      make: async () => dir.write('root-key.pem', writePrivateKey((await tinyRoot()).key).reveal()),
      code: 'WORKDIR_CONFLICT',
      names: ['root-key.pem', 'root-cert.pem'],
    },
    {
      what: 'a root key without its certificate',
      make: () => dir.remove('root-cert.pem'),
      code: 'WORKDIR_CONFLICT',
      names: ['root-key.pem', 'root-cert.pem'],
    },
  ];
  it.each(conflicts)('$what is a conflict, and the error names both sides', async ({make, code, names}) => {
    const root = await tinyRoot();
    const ca = await tinyClusterCa(root, 'cluster1');
    await placeRoot(root);
    await place('cluster1', ca, root);
    await make(root, ca);
    const before = await dir.snapshot();
    const run = await generate('cluster1', '-o', 'json');
    expect(run.code).toBe(2);
    const error = answer(run).errors[0] ?? answer(run).clusters[0]?.error;
    expect(error?.code).toBe(code);
    for (const name of names) expect(error?.message).toContain(name);
    const after = await dir.snapshot();
    for (const [path, content] of Object.entries(before)) expect(after[path], path).toBe(content);
  });

  it('are used with CRLF and text before the PEM, as openssl writes it', async () => {
    const root = await tinyRoot();
    await placeRoot(root);
    const ca = await tinyClusterCa(root, 'cluster1');
    await place('cluster1', ca, root);
    await dir.write('cluster1/ca-cert.pem', openssl(['x509', '-text'], ca.certificate.pem).replaceAll('\n', '\r\n'));
    expect(outcomes(await generate('cluster1', '-o', 'json'))).toEqual(['unchanged']);
  });

  it('prevent the creation of a new root', async () => {
    const root = await tinyRoot();
    await place('cluster1', await tinyClusterCa(root, 'cluster1'), root);
    const run = await generate('cluster2', ...small, '-o', 'json');
    expect(run.code).toBe(2);
    expect(answer(run).errors).toMatchObject([{code: 'FILE_MISSING'}]);
    const adopted = await generate('cluster1', '-o', 'json');
    expect(adopted.code).toBe(0);
    expect(await dir.read('root-cert.pem')).toBe(root.certificate.pem);
  });
});

describe('a cluster in conflict', () => {
  it('stops the other clusters, unless --keep-going is set', async () => {
    const root = await tinyRoot();
    await placeRoot(root);
    await dir.write('cluster1/ca-cert.pem', 'broken');
    expect(outcomes(await generate('cluster1', 'cluster2', ...small, '-o', 'json'))).toEqual(['failed', 'skipped']);
    const run = await generate('cluster1', 'cluster2', ...small, '--keep-going', '-o', 'json');
    expect(run.code).toBe(2);
    expect(outcomes(run)).toEqual(['failed', 'done']);
  });
});

describe('inside a git tree', () => {
  const git = (...args: string[]) => execFileSync('git', ['-C', dir.root, ...args], {stdio: 'pipe'});

  it('writes .gitignore first, so that git never sees keys', async () => {
    git('init', '-q');
    expect((await withoutPassphrase('cluster1', ...clear)).code).toBe(0);
    git('add', '-A');
    const tracked = git('ls-files').toString();
    expect(tracked).toContain('cluster1/ca-cert.pem');
    expect(tracked).not.toContain('key.pem');
  });

  describe('with a mesh.yaml written by hand and no .gitignore', () => {
    beforeEach(() =>
      dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [{name: cluster1}]\n'),
    );

    it.each(['before', 'after'])('ignores the keys in a repository created %s', async (when) => {
      if (when === 'before') git('init', '-q');
      const run = await withoutPassphrase(...clear);
      expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('.gitignore') as string]);
      if (when === 'after') git('init', '-q');
      git('add', '-A');
      const tracked = git('ls-files').toString();
      expect(tracked).toContain('cluster1/ca-cert.pem');
      expect(tracked).not.toContain('key.pem');
    });

    it('refuses a tracked key, and writes nothing', async () => {
      git('init', '-q');
      await dir.write('root-key.pem', 'whatever', 0o600);
      git('add', 'root-key.pem');
      await dir.remove('root-key.pem');
      const run = await generate(...small, '-o', 'json');
      expect([run.code, answer(run).errors]).toMatchObject([5, [{code: 'KEY_IN_GIT'}]]);
      await expect(dir.read('.gitignore')).rejects.toThrow();
    });

    it('writes none in a dry run, and none for existing keys', async () => {
      expect((await withoutPassphrase(...clear, '--dry-run')).code).toBe(0);
      await expect(dir.read('.gitignore')).rejects.toThrow();
      await withoutPassphrase(...clear);
      await dir.remove('.gitignore');
      const before = await dir.snapshot();
      expect((await withoutPassphrase(...clear)).code).toBe(0);
      expect(await dir.snapshot()).toEqual(before);
    });
  });

  it('refuses if git would add the keys', async () => {
    git('init', '-q');
    await dir.write('.gitignore', '*.log\n');
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [{name: cluster1}]\n');
    const run = await generate('cluster1', '-o', 'json');
    expect(run.code).toBe(5);
    expect(answer(run).errors).toMatchObject([{code: 'KEY_IN_GIT'}]);
    await expect(dir.read('root-key.pem')).rejects.toThrow();
  });

  it('refuses if git would add the copies of keys that a Makefile created', async () => {
    git('init', '-q');
    const root = await tinyRoot();
    await dir.write('.gitignore', '*.log\n');
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [{name: cluster1}]\n');
    await place('cluster1', await tinyClusterCa(root, 'cluster1'), root);
    await dir.write('k8s-root-cert.pem', root.certificate.pem);
    await dir.write('k8s-root-key.pem', writePrivateKey(root.key).reveal(), 0o600);
    const run = await generate('cluster1', '-o', 'json');
    expect(run.code).toBe(5);
    expect(answer(run).errors).toMatchObject([
      {code: 'KEY_IN_GIT', message: expect.stringContaining('root-key.pem') as string},
    ]);
    await expect(dir.read('root-key.pem')).rejects.toThrow();
  });

  it('warns if git cannot answer, with its reason', async () => {
    // git reports a tree of another owner ("dubious ownership") in the same way.
    git('init', '-q');
    await dir.write('.git/config', '[broken\n');
    const run = await runCommand(CertsGenerate, ['cluster1', ...clear, '-o', 'json', '-w', dir.root]);
    expect(run.code).toBe(0);
    const reported = answer(run).warnings.map(({message}) => message);
    expect(reported).toContainEqual(expect.stringMatching(/^cannot determine whether git ignores .*: ./));
  });

  it('does not run git in a dry run if the work directory does not exist', async () => {
    const run = await runCommand(CertsGenerate, ['c1', ...clear, '--dry-run', '-o', 'json', '-w', `${dir.root}/new`]);
    expect(run.code).toBe(0);
    expect(JSON.stringify(answer(run).warnings)).not.toContain('whether git ignores');
  });
});

describe('a usage error', () => {
  it.each(['../x', '-f', 'Upper', 'a'.repeat(64), '', 'a b'])(
    'the cluster name %j is rejected before anything is written',
    async (name) => {
      const run = await runCommand(CertsGenerate, ['-w', dir.root, '--', name]);
      expect(run.code).toBe(2);
      expect(await dir.snapshot()).toEqual({});
    },
  );
});

describe('secrets', () => {
  it('appear in no output, in no JSON, and not in the journal', async () => {
    await copyMade();
    const runs = [makingIt, await generate('cluster1', '--renew', '-y'), await generate('cluster1', '-o', 'json')];
    const rootKey = openssl(['pkey', '-in', `${dir.root}/root-key.pem`, '-passin', `pass:${passphrase}`]);
    const lines = [await dir.read('cluster1/ca-key.pem'), await dir.read('root-key.pem'), rootKey]
      .flatMap((pem) => pem.split('\n'))
      .filter((line) => line.length > 20 && !line.startsWith('-----'));
    expect(lines.length).toBeGreaterThan(3);
    const seen = [...runs.flatMap(({stdout, stderr}) => [stdout, stderr]), await dir.read('journal.jsonl')].join('\n');
    for (const secret of [passphrase, ...lines]) expect(seen).not.toContain(secret);
    const cluster = await Promise.all(
      ['ca-cert', 'ca-key', 'root-cert', 'cert-chain'].map((name) => dir.read(`cluster1/${name}.pem`)),
    );
    for (const secret of rootKey.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'))) {
      expect(cluster.join('\n')).not.toContain(secret);
    }
  });
});
