/** mesh.yaml of a cloned repository: what it names is run or contacted only after the user confirmed it. */
import {existsSync, mkdtempSync, rmSync, symlinkSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import Up from '../../src/commands/up.js';
import Verify from '../../src/commands/verify.js';
import {type FakeVault, startFakeVault} from '../helpers/fake-vault.js';
import {answerOf, type CommandClass, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
let state: string;
let vault: FakeVault;

beforeAll(async () => {
  vault = await startFakeVault();
});
afterAll(() => vault.close());
beforeEach(async () => {
  vault.reset();
  dir = await createWorkDir();
  state = mkdtempSync(join(tmpdir(), 'kubectl-mesh-state-'));
});
afterEach(async () => {
  await dir.dispose();
  rmSync(state, {recursive: true});
});

const declare = (signer: string) =>
  dir.write(
    'mesh.yaml',
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: {keyAlgorithm: ecdsa-p256, signer: ${signer}}\nclusters: [{name: one}]\n`,
  );

/** A program that signs, and leaves a trace. */
async function writeProgram(more = ''): Promise<void> {
  const script = `#!/bin/sh\n${more}touch "$(dirname "$0")/ran"\ncase "$*" in\n*public-key) openssl pkey -in key.pem -pubout ;;\n*) openssl dgst -sha256 -sign key.pem ;;\nesac\n`;
  await dir.write('sign.sh', script, 0o755);
}

async function withProgram(argv = '[./sign.sh]'): Promise<void> {
  const {openssl} = await import('../helpers/openssl.js');
  await dir.write('key.pem', openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']));
  await writeProgram();
  await declare(`{type: command, argv: ${argv}}`);
}

const run = (
  command: CommandClass,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> =>
  runCommand(command, [...argv, '-o', 'json', '-w', dir.root], {XDG_STATE_HOME: state, KUBECTL_MESH_TRUST: '', ...env});
const generate = (argv: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  run(CertsGenerate, argv, env);
const ran = () => existsSync(join(dir.root, 'ran'));

interface Refusal {
  readonly errors: readonly {readonly code: string; readonly hints: readonly string[]}[];
}
const codesOf = (answer: CommandRun) => (answerOf(answer) as Refusal).errors.map(({code}) => code);

/** The hash that the error of an unconfirmed run names. */
function hashOf(answer: CommandRun): string {
  const hash = /KUBECTL_MESH_TRUST=([0-9a-f]{64})/.exec(answer.stdout)?.[1];
  if (hash === undefined) throw new Error(`no hash: ${answer.stdout}`);
  return hash;
}

describe('a program in mesh.yaml', () => {
  it.each<readonly [string, CommandClass, readonly string[]]>([
    ['certs generate --dry-run=client', CertsGenerate, ['--dry-run=client']],
    ['certs generate --dry-run=server --trust-mesh-yaml', CertsGenerate, ['--dry-run=server', '--trust-mesh-yaml']],
    ['up --dry-run', Up, ['--dry-run', '--mesh-id', 'm', '--network', 'n', '--istio-version', '1.30.1']],
    ['verify --offline', Verify, ['--offline']],
  ])('is not run by %s', async (_, command, argv) => {
    await withProgram();
    const {stdout} = await run(command, argv);
    expect(stdout).not.toContain('MESH_YAML_NOT_TRUSTED');
    expect(ran()).toBe(false);
  });

  it('is planned by a dry run with a warning that it was not checked', async () => {
    await withProgram();
    const {code, stdout, stderr} = await generate(['--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toContain('create the root CA');
    expect(stderr).toContain('./sign.sh');
  });

  it.each([[[]], [['--yes']]])('is not run without confirmation, also with %j', async (flags) => {
    await withProgram();
    const answer = await generate(flags);
    expect([answer.code, codesOf(answer), ran()]).toEqual([5, ['MESH_YAML_NOT_TRUSTED'], false]);
    expect(existsSync(join(dir.root, 'root-cert.pem'))).toBe(false);
  });

  it('is run with its hash in KUBECTL_MESH_TRUST, for this run only', async () => {
    await withProgram();
    const hash = hashOf(await generate());
    expect(
      (await generate([], {KUBECTL_MESH_TRUST: hash.replace(/^./, (first) => (first === '0' ? '1' : '0'))})).code,
    ).toBe(5);
    expect(ran()).toBe(false);
    expect((await generate([], {KUBECTL_MESH_TRUST: `${'0'.repeat(64)},${hash}`})).code).toBe(0);
    expect(ran()).toBe(true);
    expect((await generate(['--renew', '--yes'])).code).toBe(5);
  });

  it('is remembered after --trust-mesh-yaml, until its arguments or its content change', async () => {
    await withProgram('[sh, ./sign.sh]');
    expect((await generate(['--trust-mesh-yaml'])).code).toBe(0);
    expect((await generate(['--renew', '--yes'])).code).toBe(0);
    await declare('{type: command, argv: [sh, ./sign.sh, other]}');
    expect((await generate(['--renew', '--yes'])).code).toBe(5);
    await declare('{type: command, argv: [sh, ./sign.sh]}');
    expect((await generate(['--renew', '--yes'])).code).toBe(0);
    await writeProgram('true\n');
    expect((await generate(['--renew', '--yes'])).code).toBe(5);
  });

  it.each(['ABSOLUTE', 'LINK'])(
    'is identified by its content too if its path only looks as if it were elsewhere: %s',
    async (path) => {
      const link = join(state, 'link');
      symlinkSync(dir.root, link);
      const program = path.replace('ABSOLUTE', join(dir.root, '../.', basename(dir.root), 'sign.sh'));
      await withProgram(`[sh, ${program.replace('LINK', join(link, 'sign.sh'))}]`);
      expect((await generate(['--trust-mesh-yaml'])).code).toBe(0);
      expect((await generate(['--renew', '--yes'])).code).toBe(0);
      await writeProgram('true\n');
      expect((await generate(['--renew', '--yes'])).code).toBe(5);
    },
  );

  it('is confirmed by typing it; its type alone names nothing', async () => {
    await withProgram();
    expect((await generate(['--signer', '{type: command, argv: [./sign.sh]}'])).code).toBe(0);
    expect((await generate(['--renew', '--yes'])).code).toBe(0);
  });

  it('is used but not remembered if the state directory cannot be written', async () => {
    await withProgram();
    const env = {XDG_STATE_HOME: '/dev/null'};
    const {code, stderr} = await generate(['--trust-mesh-yaml'], env);
    expect([code, stderr]).toEqual([0, expect.stringContaining('not remembered')]);
    expect((await generate(['--renew', '--yes'], env)).code).toBe(5);
  });

  it('is not confirmed by a state directory in the work directory', async () => {
    await withProgram();
    await generate(['--trust-mesh-yaml']);
    const {readFileSync} = await import('node:fs');
    await dir.write(
      'state/kubectl-mesh/trusted.json',
      readFileSync(join(state, 'kubectl-mesh/trusted.json'), 'utf8'),
      0o600,
    );
    const env = {XDG_STATE_HOME: join(dir.root, 'state')};
    expect((await generate(['--renew', '--yes'], env)).code).toBe(5);
  });
});

describe('a server in mesh.yaml', () => {
  const environment = (more: Readonly<Record<string, string>> = {}) => ({
    ...Object.fromEntries(['BAO_ADDR', 'BAO_TOKEN', 'BAO_CACERT', 'VAULT_ADDR'].map((name) => [name, ''])),
    VAULT_TOKEN: 'hvs.secret',
    VAULT_CACERT: vault.file('tls-ca.pem'),
    ...more,
  });
  const declareServer = (more = '') => declare(`{type: vault, address: '${vault.address}'${more}}`);

  it('is not contacted by a dry run, confirmed or not', async () => {
    await declareServer();
    const dry = await generate(['--dry-run', '--trust-mesh-yaml'], environment());
    const own = await generate(['--dry-run'], environment({VAULT_ADDR: vault.address}));
    expect([dry.code, own.code, vault.requests]).toEqual([0, 0, []]);
  });

  it.each([[[]], [['--dry-run']], [['--trust-mesh-yaml']]])(
    'that contradicts VAULT_ADDR is invalid, and not contacted (%j)',
    async (flags) => {
      await declareServer();
      const answer = await generate(flags, environment({VAULT_ADDR: 'https://vault.example.com'}));
      expect([answer.code, codesOf(answer), vault.requests]).toEqual([2, ['CONTRADICTION'], []]);
      expect(answer.stdout).toContain(vault.address);
      expect(answer.stdout).toContain('https://vault.example.com');
    },
  );

  it('is contacted only after confirmation', async () => {
    await declareServer();
    const answer = await generate(['--yes'], environment());
    expect([answer.code, codesOf(answer), vault.requests]).toEqual([5, ['MESH_YAML_NOT_TRUSTED'], []]);
    expect((await generate([], environment({KUBECTL_MESH_TRUST: hashOf(answer)}))).code).toBe(0);
  });

  it('needs no confirmation if VAULT_ADDR names it, unless mesh.yaml names a file to send or its CA', async () => {
    const env = environment({VAULT_ADDR: `${vault.address}/`});
    await dir.write('token', 'hvs.secret', 0o600);
    await declareServer(', auth: {method: token, file: token}');
    expect((await generate([], env)).code).toBe(5);
    await declareServer(`, caCert: ca.pem`);
    await dir.write('ca.pem', '');
    expect((await generate([], env)).code).toBe(5);
    expect(vault.requests).toEqual([]);
    await declareServer();
    expect((await generate([], env)).code).toBe(0);
  });
});
