/** A root key in another directory (`--root-dir`): removable media that are mounted for signing. */
import {existsSync} from 'node:fs';
import {chmod, cp, rename, rm} from 'node:fs/promises';
import {execFileSync} from 'node:child_process';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsInspect from '../../src/commands/certs/inspect.js';
import CertsList from '../../src/commands/certs/list.js';
import CertsPassphrase from '../../src/commands/certs/passphrase.js';
import InstallRender from '../../src/commands/install/render.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import Verify from '../../src/commands/verify.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {type FakeKube, startFakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {openssl} from '../helpers/openssl.js';
import {type OpensslCa, opensslCa} from '../helpers/openssl-ca.js';
import {answerOf, type CommandClass, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const passphrase = 'a passphrase nobody may see';
let dir: TestWorkDir;
let stick: TestWorkDir;
/** A work directory and its media from one run. Encrypting the key takes half a second each time. */
let made: {readonly dir: TestWorkDir; readonly stick: TestWorkDir};
let makingIt: CommandRun;
const startAgain = async (): Promise<void> => {
  [dir, stick] = await Promise.all([createWorkDir(), createWorkDir()]);
};
beforeAll(async () => {
  await startAgain();
  await declare();
  makingIt = await onStick('one');
  expect(makingIt.code, makingIt.stderr).toBe(0);
  made = {dir, stick};
});
afterAll(() => Promise.all([made.dir.dispose(), made.stick.dispose()]));
beforeEach(startAgain);
afterEach(async () => {
  await Promise.all([dir.dispose(), stick.dispose()]);
});

const declare = (trust = '{keyAlgorithm: ecdsa-p256}') =>
  dir.write(
    'mesh.yaml',
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\ntrust: ${trust}\nclusters:\n${['one', 'two'].map((name) => `  - {name: ${name}, context: ctx-${name}, network: network1}\n`).join('')}`,
  );
const run = (command: CommandClass, argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runCommand(command, [...argv, '-w', dir.root], env);
const generate = (...argv: string[]): Promise<CommandRun> =>
  run(CertsGenerate, [...argv, '-o', 'json'], {KUBECTL_MESH_PASSPHRASE: passphrase});
const onStick = (...argv: string[]): Promise<CommandRun> => generate(...argv, '--root-dir', stick.root);

interface Answer {
  readonly errors: readonly {readonly code: string; readonly message: string}[];
  readonly clusters: readonly {
    readonly outcome: string;
    readonly error?: {readonly code: string; readonly message: string};
  }[];
}
function refusal(ran: CommandRun): {readonly code: string; readonly message: string} | undefined {
  const {errors, clusters} = answerOf(ran) as Answer;
  return [...errors, ...clusters.flatMap(({error}) => (error ? [error] : []))][0];
}

/** Starts the test with the files of that run. */
async function copyMade(): Promise<void> {
  const copy = (from: TestWorkDir, to: TestWorkDir): Promise<void> => cp(from.root, to.root, {recursive: true});
  await Promise.all([copy(made.dir, dir), copy(made.stick, stick)]);
}

const verified = (cluster: string): string =>
  openssl([
    ...['verify', '-x509_strict', '-CAfile', `${dir.root}/${cluster}/root-cert.pem`],
    ...['-untrusted', `${dir.root}/${cluster}/cert-chain.pem`, `${dir.root}/${cluster}/ca-cert.pem`],
  ]);

describe('a root key on removable media', () => {
  it('is created there, encrypted, and never in the work directory', async () => {
    expect(makingIt.code).toBe(0);
    await copyMade();
    expect(await stick.read('root-key.pem')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(await made.stick.mode('root-key.pem')).toBe(0o600);
    expect(await stick.read('root-cert.pem')).toBe(await dir.read('root-cert.pem'));
    expect(existsSync(`${dir.root}/root-key.pem`)).toBe(false);
    expect(Object.values(await dir.snapshot()).join('')).not.toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(verified('one')).toContain('OK');
    expect(Object.keys(await stick.snapshot()).map((path) => path.slice(stick.root.length + 1))).toEqual(
      expect.arrayContaining(['root-cert.pem', 'root-key.pem']) as string[],
    );
  });

  it('signs for a new cluster when it is mounted again, with the `directory` in mesh.yaml', async () => {
    await declare(`{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}}}`);
    expect((await generate('one')).code).toBe(0);
    expect((await generate('two')).code).toBe(0);
    expect(verified('two')).toContain('OK');
    expect(existsSync(`${dir.root}/root-key.pem`)).toBe(false);
  });

  it('not mounted: a new cluster is refused with an explanation, and nothing is written', async () => {
    await copyMade();
    await declare(`{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}}}`);
    await rename(stick.root, `${stick.root}-away`);
    const before = await dir.snapshot();
    const ran = await generate('two');
    expect(ran.code).toBe(2);
    expect(refusal(ran)).toMatchObject({
      code: 'FILE_MISSING',
      message: expect.stringContaining(`directory ${stick.root} does not exist`) as string,
    });
    expect(await dir.snapshot()).toEqual(before);
    expect((await generate('one')).code).toBe(0);
    await rm(`${stick.root}-away`, {recursive: true});
  });

  it('is checked by verify with --root-dir or the `directory` in mesh.yaml, and must be where the flag says', async () => {
    await copyMade();
    const check = async (...argv: string[]) => {
      const ran = await run(Verify, ['--offline', '--only', 'MESH106,MESH107', '-o', 'json', ...argv]);
      if (ran.code === 2) return [2, (answerOf(ran) as {error: {code: string}}).error.code];
      return [ran.code, ...(answerOf(ran) as VerifyResult).checks.map(({id, result}) => `${id} ${result}`)];
    };
    expect(await check()).toEqual([0, 'MESH106 ok', 'MESH107 skipped']);
    await chmod(`${stick.root}/root-key.pem`, 0o644);
    expect(await check('--root-dir', stick.root)).toEqual([3, 'MESH106 error', 'MESH107 ok']);
    expect(await check('--root-dir', dir.root)).toEqual([2, 'FILE_MISSING']);
    await declare(`{signer: {type: local, directory: ${stick.root}}}`);
    expect(await check()).toEqual([3, 'MESH106 error', 'MESH107 ok']);
  });

  it('in a new work directory, root-cert.pem is copied from it', async () => {
    await copyMade();
    const root = await dir.read('root-cert.pem');
    await dir.dispose();
    dir = await createWorkDir();
    await declare();
    const ran = await onStick('two');
    expect(ran.code).toBe(0);
    expect(await dir.read('root-cert.pem')).toBe(root);
    expect(verified('two')).toContain('OK');
  });

  it('killed between the writes to the media and to the work directory: the next run continues with that root', async () => {
    await copyMade();
    const root = await stick.read('root-cert.pem');
    await Promise.all([dir.remove('root-cert.pem'), dir.remove('one')]);
    expect((await onStick('one')).code).toBe(0);
    expect(await dir.read('root-cert.pem')).toBe(root);
    expect(await stick.read('root-cert.pem')).toBe(root);
  });

  it('whose creation was killed after its commit still receives the new passphrase', async () => {
    await copyMade();
    const files = await Promise.all(
      ['root-key.pem', 'root-cert.pem'].map(async (path) => ({path, content: new Sensitive(await stick.read(path))})),
    );
    for (const {path} of files) await stick.remove(path);
    const killed = createWorkspace({
      root: dir.root,
      now: () => new Date(),
      faults: (point) => {
        if (point === 'move') throw new Error('killed');
      },
    });
    await expect(killed.directory(stick.root).write(files)).rejects.toThrow('killed');
    expect(existsSync(`${stick.root}/root-key.pem`)).toBe(false);
    const ran = await run(CertsPassphrase, ['--root-dir', stick.root], {
      KUBECTL_MESH_PASSPHRASE: passphrase,
      KUBECTL_MESH_NEW_PASSPHRASE: 'another passphrase',
    });
    expect(ran.code, ran.stderr).toBe(0);
    const key = ['pkey', '-noout', '-in', `${stick.root}/root-key.pem`, '-passin'];
    expect(openssl([...key, 'pass:another passphrase'])).toBe('');
    expect(() => openssl([...key, `pass:${passphrase}`])).toThrow();
    expect(existsSync(`${stick.root}/.pending`)).toBe(false);
  });

  it('that another work directory is writing to gets no root', async () => {
    await declare();
    const lock = await createWorkspace({root: stick.root, now: () => new Date()}).lock('certs generate');
    const ran = await onStick('one');
    await lock.release();
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('WORKDIR_LOCKED')]);
    expect([existsSync(`${stick.root}/root-key.pem`), existsSync(`${dir.root}/root-cert.pem`)]).toEqual([false, false]);
    expect((await onStick('one')).code).toBe(0);
  });

  it('that another work directory is writing to gets no new passphrase', async () => {
    await copyMade();
    const key = await stick.read('root-key.pem');
    const lock = await createWorkspace({root: stick.root, now: () => new Date()}).lock('certs generate');
    const change = () =>
      run(CertsPassphrase, ['--root-dir', stick.root, '-o', 'json'], {
        KUBECTL_MESH_PASSPHRASE: passphrase,
        KUBECTL_MESH_NEW_PASSPHRASE: 'another passphrase',
      });
    const ran = await change();
    await lock.release();
    expect([ran.code, ran.stdout]).toEqual([1, expect.stringContaining('WORKDIR_LOCKED')]);
    expect(await stick.read('root-key.pem')).toBe(key);
    expect((await change()).code).toBe(0);
    expect(existsSync(`${stick.root}/.kubectl-mesh.lock`)).toBe(false);
  });

  it('a missing directory is not created: a root key would be written to another disk', async () => {
    await declare();
    const ran = await generate('--root-dir', `${stick.root}/not-mounted`);
    expect(refusal(ran)).toMatchObject({code: 'FILE_MISSING'});
    expect(existsSync(`${stick.root}/not-mounted`)).toBe(false);
    expect(existsSync(`${dir.root}/root-cert.pem`)).toBe(false);
  });

  it.skipIf(!existsSync('/sys/kernel'))('that cannot be written is reported, and no partial root is left', async () => {
    await declare();
    const ran = await generate('--root-dir', '/sys/kernel');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain('WORKDIR_UNWRITABLE');
    expect(existsSync(`${dir.root}/root-cert.pem`)).toBe(false);
  });

  it('in a git tree that would add it is refused', async () => {
    await declare();
    execFileSync('git', ['init', '-q', stick.root]);
    expect(refusal(await onStick('one'))).toMatchObject({code: 'KEY_IN_GIT'});
    expect(existsSync(`${stick.root}/root-key.pem`)).toBe(false);
  });

  it('in the work directory itself is the default', async () => {
    await declare();
    expect((await generate('--root-dir', dir.root, '--no-passphrase')).code).toBe(0);
    expect((await generate('one', '--renew', '--yes')).code).toBe(0);
  });
});

describe('invalid flags', () => {
  it.each([
    {
      name: 'another kind of signer',
      argv: ['--signer', '{type: command, argv: [x]}', '--root-dir', '/tmp'],
      code: 'CONTRADICTION',
    },
    {name: 'a signer without its fields', argv: ['--signer', 'command'], code: 'USAGE'},
    {name: 'a signer that is none', argv: ['--signer', 'hsm'], code: 'USAGE'},
  ])('$name: a message that names the flag, and nothing is written', async ({argv, code}) => {
    const ran = await generate('one', ...argv);
    expect(ran.code).toBe(2);
    const {error} = answerOf(ran) as {error: {code: string; message: string}};
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/--(?:signer|root-dir) /);
    expect(error.message).not.toContain('\n');
    expect(await dir.snapshot()).toEqual({});
  });
});

describe('not mounted', () => {
  let kube: FakeKube;
  beforeEach(async () => {
    kube = await startFakeKube(['ctx-one', 'ctx-two']);
    await declare(`{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}}}`);
    await generate('--no-passphrase');
    await rm(stick.root, {recursive: true});
  });
  afterEach(() => kube.stop());

  it('all commands except signing work: list, inspect, push, diff, render, verify', async () => {
    const commands: readonly {readonly command: CommandClass; readonly argv: readonly string[]}[] = [
      {command: CertsList, argv: []},
      {command: TrustPush, argv: ['--yes']},
      {command: TrustDiff, argv: []},
      {command: InstallRender, argv: ['--istio-version', '1.30.1']},
    ];
    for (const {command, argv} of commands) {
      const {code, stderr} = await run(command, argv, {PATH: kube.path});
      expect({command, code, stderr}).toMatchObject({code: 0});
    }
    expect((await runCommand(CertsInspect, [`${dir.root}/one/ca-cert.pem`])).code).toBe(0);
    const verdict = await run(Verify, ['--offline', '-o', 'json']);
    const {checks} = answerOf(verdict) as {checks: readonly {id: string; result: string}[]};
    expect(checks.filter(({result}) => result === 'error' || result === 'unknown')).toEqual([]);
    expect(verdict.code).toBe(0);
  });
});

describe('a policy CA on removable media, with an external root', () => {
  let root: OpensslCa;
  beforeAll(() => {
    root = opensslCa({subject: '/O=Acme/CN=Root CA'});
  });

  it('creates chains of three that pass openssl and verify', async () => {
    const policy = opensslCa({
      subject: '/O=Acme/CN=Mesh policy CA',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', 'keyUsage=critical,keyCertSign,cRLSign'],
    });
    await declare(
      `{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}, certificate: policy.pem}}`,
    );
    await dir.write('policy.pem', `${policy.certificate}${root.certificate}`);
    await stick.write('root-key.pem', policy.key, 0o600);
    const ran = await generate();
    expect(ran.code).toBe(0);
    expect(verified('one')).toContain('OK');
    expect((await dir.read('one/cert-chain.pem')).match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(await dir.read('root-cert.pem')).toContain(root.certificate.trim().split('\n').slice(1, 3).join('\n'));
    await rm(`${stick.root}/root-key.pem`);
    const verdict = await run(Verify, ['--offline', '-o', 'json']);
    expect(verdict.code).toBe(0);
  });

  it('reads the root from --root if the policy CA has no chain', async () => {
    const policy = opensslCa({subject: '/O=Acme/CN=Mesh policy CA', issuer: root});
    await declare(
      `{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}, certificate: policy.pem}}`,
    );
    await dir.write('policy.pem', policy.certificate);
    await stick.write('root.pem', root.certificate);
    await stick.write('root-key.pem', policy.key, 0o600);
    expect((await generate('one', '--root', `${stick.root}/root.pem`)).code).toBe(0);
    expect(verified('one')).toContain('OK');
  });

  it('is refused with path length 0', async () => {
    const extensions = ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'];
    const policy = opensslCa({subject: '/O=Acme/CN=Mesh policy CA', issuer: root, extensions});
    await declare(
      `{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}, certificate: policy.pem}}`,
    );
    await dir.write('policy.pem', `${policy.certificate}${root.certificate}`);
    await stick.write('root-key.pem', policy.key, 0o600);
    const ran = await generate('one');
    expect(refusal(ran)).toMatchObject({code: 'WORKDIR_CONFLICT'});
    expect(existsSync(`${dir.root}/one`)).toBe(false);
  });

  it('is refused if the key does not match the certificate', async () => {
    const policy = opensslCa({subject: '/O=Acme/CN=Mesh policy CA', issuer: root});
    await declare(
      `{keyAlgorithm: ecdsa-p256, signer: {type: local, directory: ${stick.root}, certificate: policy.pem}}`,
    );
    await dir.write('policy.pem', `${policy.certificate}${root.certificate}`);
    const other = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
    await stick.write('root-key.pem', other, 0o600);
    expect(refusal(await generate('one'))).toMatchObject({code: 'WORKDIR_CONFLICT'});
  });
});
