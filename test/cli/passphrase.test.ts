import {describe, expect, it} from 'vitest';
import {takePassphrases, takeVaultSecrets} from '../../src/cli/environment.js';
import {isSamePassphrase, newPassphraseVariable, passphraseVariable} from '../../src/domain/keys/passphrase.js';
import {createPassphraseSource, type PassphraseOptions} from '../../src/cli/passphrase.js';
import {MeshError} from '../../src/domain/errors.js';
import {Sensitive} from '../../src/domain/sensitive.js';

const never = (what: string) => (): never => {
  throw new Error(`${what} must not be prompted for`);
};
const nothing: PassphraseOptions = {
  interactive: false,
  flagPrefix: '--passphrase',
  readFile: never('the file'),
  runCommand: never('the command'),
  prompt: never('the terminal'),
  warn: never('a warning'),
};
const answer = (text: string) => () => Promise.resolve(new Sensitive(text));

describe('the passphrase', () => {
  it.each<[string, Partial<PassphraseOptions>, string]>([
    [
      'a file takes precedence over the environment',
      {file: 'f', readFile: answer('file'), environment: new Sensitive('env')},
      'file',
    ],
    [
      'a command takes precedence over the environment',
      {command: 'c', runCommand: answer('cmd'), environment: new Sensitive('env')},
      'cmd',
    ],
    ['the environment takes precedence over a prompt', {environment: new Sensitive('env'), interactive: true}, 'env'],
    ['the prompt is the last source', {interactive: true, prompt: answer('typed')}, 'typed'],
  ])('%s', async (_, options, expected) => {
    const source = createPassphraseSource({...nothing, warn: () => undefined, ...options});
    expect(source.available).toBe(true);
    expect((await source.get('new', 'root-key.pem')).reveal()).toBe(expected);
  });

  it('is prompted for at most three times if it is wrong, with a warning between', async () => {
    const warnings: string[] = [];
    const typed = ['one', 'two', 'three'].map((text) => new Sensitive(text));
    const prompt = () => Promise.resolve(typed.shift() ?? new Sensitive('none'));
    const source = createPassphraseSource({
      ...nothing,
      interactive: true,
      prompt,
      warn: (text) => warnings.push(text),
    });
    const wrong = new MeshError('WRONG_PASSPHRASE', 'wrong');
    const read = async () => (await source.get('existing', 'root-key.pem')).reveal();
    expect([await read(), await read()]).toEqual(['one', 'one']);
    expect([source.retry(wrong), await read()]).toEqual([true, 'two']);
    expect([source.retry(wrong), await read()]).toEqual([true, 'three']);
    expect(source.retry(wrong)).toBe(false);
    expect(warnings).toHaveLength(2);
  });

  it.each<[string, Partial<PassphraseOptions>, string]>([
    ['file', {file: 'f', readFile: answer('wrong')}, '--passphrase-file'],
    ['command', {command: 'c', runCommand: answer('wrong')}, '--passphrase-command'],
  ])('is not read again from a %s if it is wrong', (_, options, flag) => {
    const source = createPassphraseSource({...nothing, interactive: true, ...options});
    expect(source.flag).toBe(flag);
    expect(source.retry(new MeshError('WRONG_PASSPHRASE', 'wrong'))).toBe(false);
  });

  it('is refused without a source, with the available options as hints', async () => {
    const source = createPassphraseSource(nothing);
    expect(source.available).toBe(false);
    await expect(source.get('existing', 'root-key.pem')).rejects.toMatchObject({
      code: 'PASSPHRASE_NEEDED',
      class: 'refused',
    });
  });

  it.each<[string, Partial<PassphraseOptions>, boolean]>([
    ['variable, even with a terminal', {environment: new Sensitive(''), interactive: true}, false],
    ['line of a file', {file: 'f', readFile: answer('')}, true],
    ['line of a command', {command: 'c', runCommand: answer('')}, true],
    ['answer at the prompt', {interactive: true, prompt: answer('')}, true],
  ])('is refused if the %s is empty, for a new and an existing key', async (_, options, available) => {
    for (const purpose of ['new', 'existing'] as const) {
      const source = createPassphraseSource({...nothing, ...options});
      expect(source.available).toBe(available);
      await expect(source.get(purpose, 'root-key.pem')).rejects.toMatchObject({code: 'PASSPHRASE_NEEDED'});
    }
  });

  it.each<[string, Partial<PassphraseOptions>]>([
    ['a file', {file: 'f', readFile: answer('elevenchars')}],
    ['a command', {command: 'c', runCommand: answer('elevenchars')}],
    ['the environment', {environment: new Sensitive('elevenchars')}],
    ['the terminal', {interactive: true, prompt: answer('elevenchars')}],
    ['characters of several units', {environment: new Sensitive('🔑'.repeat(11))}],
  ])('triggers a warning if new and short, which does not contain it: %s', async (_, options) => {
    const warnings: string[] = [];
    const warn = (message: string): void => {
      warnings.push(message);
    };
    const source = createPassphraseSource({...nothing, ...options, warn});
    await source.get('new', 'root-key.pem');
    await source.get('new', 'root-key.pem');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toMatch(/elevenchars|🔑/u);
    await createPassphraseSource({...nothing, ...options}).get('existing', 'root-key.pem');
  });

  it('triggers no warning with 12 characters', async () => {
    const source = createPassphraseSource({...nothing, environment: new Sensitive('twelve chars')});
    expect((await source.get('new', 'root-key.pem')).reveal()).toBe('twelve chars');
  });

  it('hints at an unencrypted key for a new key only', async () => {
    const hints = async (purpose: 'new' | 'existing'): Promise<string> => {
      const thrown: unknown = await createPassphraseSource(nothing)
        .get(purpose, 'root-key.pem')
        .catch((error: unknown) => error);
      return JSON.stringify((thrown as {readonly hints: readonly string[]}).hints);
    };
    expect(await hints('new')).toContain('--no-passphrase');
    expect(await hints('existing')).not.toContain('--no-passphrase');
  });

  it('is read once in a run', async () => {
    let requested = 0;
    const prompt = () => Promise.resolve(new Sensitive(String((requested += 1))));
    const source = createPassphraseSource({...nothing, interactive: true, prompt, warn: () => undefined});
    await source.get('new', 'root-key.pem');
    expect((await source.get('existing', 'root-key.pem')).reveal()).toBe('1');
  });
});

describe('two passphrases', () => {
  it.each([
    ['one', 'one', true],
    ['one', 'One', false],
    ['', '', true],
  ])('%j equals %j: %s', (one, other, same) => {
    expect(isSamePassphrase(new Sensitive(one), new Sensitive(other))).toBe(same);
  });
});

describe('the environment', () => {
  it('provides the passphrases once and no longer contains them', () => {
    const env = {[passphraseVariable]: 'secret', [newPassphraseVariable]: 'other', PATH: '/bin'};
    const taken = takePassphrases(env);
    expect(taken.existing?.reveal()).toBe('secret');
    expect(taken.replacement?.reveal()).toBe('other');
    expect(env).toEqual({PATH: '/bin'});
    expect(takePassphrases(env)).toEqual({existing: undefined, replacement: undefined});
  });

  it("provides Vault's tokens and secret IDs once and no longer contains them", () => {
    const env = {VAULT_TOKEN: 'one', BAO_SECRET_ID: 'two', VAULT_ADDR: 'https://vault.example.com', PATH: '/bin'};
    const taken = takeVaultSecrets(env);
    expect([...taken].map(([name, secret]) => [name, secret.reveal()])).toEqual([
      ['VAULT_TOKEN', 'one'],
      ['BAO_SECRET_ID', 'two'],
    ]);
    expect(env).toEqual({VAULT_ADDR: 'https://vault.example.com', PATH: '/bin'});
    expect(String(taken.get('VAULT_TOKEN'))).not.toContain('one');
  });
});
