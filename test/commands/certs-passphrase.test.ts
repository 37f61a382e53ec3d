import {execFileSync} from 'node:child_process';
import {createPrivateKey} from 'node:crypto';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsPassphrase from '../../src/commands/certs/passphrase.js';
import {encryptKey, generateKey} from '../../src/signers/keys.js';
import {openPrivateKey, readPrivateKey, writePrivateKey} from '../../src/domain/keys/private-key.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const oldOne = 'the old passphrase';
const newOne = 'the new passphrase';
const strong = 'scrypt N=16384 r=8 p=5';
const key = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

const both = {KUBECTL_MESH_PASSPHRASE: oldOne, KUBECTL_MESH_NEW_PASSPHRASE: newOne};
const change = (env: Readonly<Record<string, string>>, ...argv: string[]): Promise<CommandRun> =>
  runCommand(CertsPassphrase, [...argv, '-w', dir.root], env);

interface Answer {
  readonly outcome: string;
  readonly action?: string;
  readonly before?: {readonly protection: string; readonly kdf?: string; readonly weak?: boolean};
  readonly after?: {readonly protection: string; readonly kdf?: string};
  readonly errors: readonly {readonly code: string}[];
  readonly warnings: readonly {readonly message: string}[];
  readonly error?: {readonly code: string};
}
const answer = (run: CommandRun) => answerOf(run) as Answer;
const code = (run: CommandRun) => answer(run).error?.code ?? answer(run).errors[0]?.code;

/** Whether root-key.pem is the test's key, and opens with this passphrase. */
async function opensWith(passphrase: string, path = 'root-key.pem'): Promise<boolean> {
  const text = new Sensitive(await dir.read(path));
  const opened = await openPrivateKey(text, () => Promise.resolve(new Sensitive(passphrase)), path);
  return opened.equals(createPrivateKey(key));
}

const encrypted = (...args: string[]) => openssl([...args, '-passout', `pass:${oldOne}`], key);
let sealed: Promise<Sensitive<string>> | undefined;
/** The key in our format. Encrypting it takes a third of a second. */
const ours = async () => (await (sealed ??= encryptKey(createPrivateKey(key), new Sensitive(oldOne)))).reveal();

describe("a root key's passphrase changes", () => {
  it.each<[string, () => string | Promise<string>, string]>([
    ['ours', ours, strong],
    ["openssl's default", () => encrypted('pkey', '-aes256'), 'pbkdf2-sha256 2048 rounds'],
    ['headers older than PKCS#8', () => encrypted('ec', '-aes256'), 'md5'],
    ['triple DES from PKCS#12', () => encrypted('pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES'), 'pkcs12-sha1'],
  ])('from %s to our format, and openssl reads it', async (_, make, kdf) => {
    await dir.write('root-key.pem', await make(), 0o600);
    const run = await change(both, '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run)).toMatchObject({
      outcome: 'done',
      before: {protection: 'encrypted', kdf},
      after: {protection: 'encrypted', kdf: strong},
    });
    expect(await opensWith(newOne)).toBe(true);
    await expect(opensWith(oldOne)).rejects.toMatchObject({code: 'WRONG_PASSPHRASE'});
    const read = openssl(['pkey', '-in', `${dir.root}/root-key.pem`, '-passin', `pass:${newOne}`]);
    expect(createPrivateKey(read).equals(createPrivateKey(key))).toBe(true);
    expect(await dir.mode('root-key.pem')).toBe(0o600);
  });

  it('from no passphrase, without a prompt for the old one', async () => {
    await dir.write('root-key.pem', key, 0o644);
    const run = await change({KUBECTL_MESH_NEW_PASSPHRASE: newOne}, '-o', 'json');
    expect(answer(run)).toMatchObject({outcome: 'done', before: {protection: 'clear'}});
    expect(await opensWith(newOne)).toBe(true);
    expect(await dir.mode('root-key.pem')).toBe(0o600);
  });

  it('from files and commands, and the journal contains neither', async () => {
    await dir.write('root-key.pem', await ours(), 0o600);
    await dir.write('new', `${newOne}\nnot this line\n`);
    const run = await change(
      {},
      ...['--passphrase-command', `printf '%s\\n' '${oldOne}'`, '--new-passphrase-file', `${dir.root}/new`],
    );
    expect(run.code).toBe(0);
    expect(run.stdout).toContain(strong);
    expect(await opensWith(newOne)).toBe(true);
    const journal = await dir.read('journal.jsonl');
    expect(journal).toContain('certs passphrase');
    expect(journal).not.toContain(oldOne);
    expect(journal).not.toContain(newOne);
  });

  it('with the root in another directory', async () => {
    await dir.write('stick/root-key.pem', await ours(), 0o600);
    const run = await change(both, '--root-dir', `${dir.root}/stick`, '-o', 'json');
    expect(answer(run).outcome).toBe('done');
    expect(await opensWith(newOne, 'stick/root-key.pem')).toBe(true);
    expect(Object.keys(await dir.snapshot())).not.toContain(`${dir.root}/root-key.pem`);
  });
});

describe('the same passphrase again', () => {
  const same = {KUBECTL_MESH_PASSPHRASE: oldOne, KUBECTL_MESH_NEW_PASSPHRASE: oldOne};

  it('raises the work factor of a weak key', async () => {
    await dir.write('root-key.pem', encrypted('pkey', '-aes256'), 0o600);
    const run = await change(same, '-o', 'json');
    expect(answer(run)).toMatchObject({outcome: 'done', after: {kdf: strong}});
    expect(answer(run).action).toContain('work factor');
    expect(await opensWith(oldOne)).toBe(true);
  });

  it('does not change a strong key', async () => {
    await dir.write('root-key.pem', await ours(), 0o600);
    const before = await dir.snapshot();
    const run = await change(same, '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run).outcome).toBe('unchanged');
    expect(await dir.snapshot()).toEqual(before);
  });
});

describe('--no-passphrase', () => {
  it('prompts, and requires --yes without a terminal', async () => {
    await dir.write('root-key.pem', await ours(), 0o600);
    const before = await dir.snapshot();
    const run = await change({KUBECTL_MESH_PASSPHRASE: oldOne}, '--no-passphrase', '-o', 'json');
    expect([run.code, code(run)]).toEqual([5, 'CONFIRMATION_NEEDED']);
    expect(await dir.snapshot()).toEqual(before);
  });

  it('writes the key unencrypted with a warning, and only once', async () => {
    await dir.write('root-key.pem', await ours(), 0o600);
    const argv = ['--no-passphrase', '--yes', '-o', 'json'];
    const run = await change({KUBECTL_MESH_PASSPHRASE: oldOne}, ...argv);
    expect(answer(run)).toMatchObject({outcome: 'done', after: {protection: 'clear'}});
    expect(answer(run).warnings.some(({message}) => message.includes('is written unencrypted'))).toBe(true);
    expect(readPrivateKey(new Sensitive(await dir.read('root-key.pem')), 'root-key.pem').form).toBe('pkcs8');
    expect(await dir.mode('root-key.pem')).toBe(0o600);
    expect(answer(await change({}, ...argv)).outcome).toBe('unchanged');
  });

  it('is refused if git does not ignore the key', async () => {
    execFileSync('git', ['init', '-q', dir.root]);
    await dir.write('root-key.pem', await ours(), 0o600);
    const run = await change({KUBECTL_MESH_PASSPHRASE: oldOne}, '--no-passphrase', '--yes', '-o', 'json');
    expect([run.code, code(run)]).toEqual([5, 'KEY_IN_GIT']);
    expect(await opensWith(oldOne)).toBe(true);
  });
});

describe('nothing changes', () => {
  it.each<[string, () => string | Promise<string>, Record<string, string>, string[], number, string]>([
    ['with a wrong old passphrase', ours, {...both, KUBECTL_MESH_PASSPHRASE: 'wrong'}, [], 2, 'WRONG_PASSPHRASE'],
    [
      'with a wrong old passphrase of legacy headers',
      () => encrypted('ec', '-aes256'),
      {...both, KUBECTL_MESH_PASSPHRASE: 'wrong'},
      [],
      2,
      'WRONG_PASSPHRASE',
    ],
    ['without the old passphrase', ours, {KUBECTL_MESH_NEW_PASSPHRASE: newOne}, [], 5, 'PASSPHRASE_NEEDED'],
    ['without a new one', ours, {KUBECTL_MESH_PASSPHRASE: oldOne}, [], 5, 'PASSPHRASE_NEEDED'],
    ['with an empty new one', ours, {...both, KUBECTL_MESH_NEW_PASSPHRASE: ''}, [], 5, 'PASSPHRASE_NEEDED'],
    ['with a command that fails', ours, both, ['--new-passphrase-command', 'exit 3'], 1, 'TOOL_FAILED'],
    ['with a missing file', ours, both, ['--new-passphrase-file', '/nowhere/new'], 2, 'FILE_MISSING'],
    ['if the file is not a key', () => 'hello\n', both, [], 2, 'NOT_PEM'],
    [
      'if both are read from standard input',
      ours,
      {},
      ['--passphrase-file', '-', '--new-passphrase-file', '-'],
      2,
      'USAGE',
    ],
    ['with both a new passphrase and none', ours, both, ['--no-passphrase', '--new-passphrase-file', 'x'], 2, 'USAGE'],
    [
      'if both a new one and --no-passphrase are given',
      ours,
      both,
      ['--no-passphrase', '--new-passphrase-file', 'x'],
      2,
      'USAGE',
    ],
    [
      'if the cipher is not supported',
      () => encrypted('pkcs8', '-topk8', '-v1', 'PBE-MD5-DES', '-provider', 'legacy', '-provider', 'default'),
      both,
      [],
      2,
      'UNSUPPORTED_KEY',
    ],
  ])('%s', async (_, make, env, argv, exit, expected) => {
    const text = await make();
    await dir.write('root-key.pem', text, 0o600);
    const run = await change(env, ...argv, '-o', 'json');
    expect([run.code, code(run)]).toEqual([exit, expected]);
    expect(await dir.snapshot()).toEqual({[`${dir.root}/root-key.pem`]: text});
  });

  it('without a root key', async () => {
    const run = await change(both, '-o', 'json');
    expect([run.code, code(run)]).toEqual([2, 'FILE_MISSING']);
    expect(await dir.snapshot()).toEqual({});
  });

  it('in a dry run, which prints the plan and prompts for no passphrase', async () => {
    await dir.write('root-key.pem', encrypted('pkey', '-aes256'), 0o600);
    const before = await dir.snapshot();
    const run = await change({...both, KUBECTL_MESH_PASSPHRASE: 'not read'}, '--dry-run');
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('would change the passphrase');
    expect(await dir.snapshot()).toEqual(before);
  });

  it('through a symbolic link', async () => {
    const {symlink} = await import('node:fs/promises');
    await dir.write('elsewhere.pem', writePrivateKey(await generateKey('ecdsa-p256')).reveal(), 0o600);
    await symlink('elsewhere.pem', `${dir.root}/root-key.pem`);
    const before = await dir.read('elsewhere.pem');
    const run = await change(both, '-o', 'json');
    expect([run.code, code(run)]).toEqual([5, 'SYMLINK']);
    expect(await dir.read('elsewhere.pem')).toBe(before);
  });
});
