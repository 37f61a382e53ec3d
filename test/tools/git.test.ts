import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {embeddedKeys} from '../../src/domain/keys/embedded-keys.js';
import {createGit} from '../../src/tools/git.js';
import {createRunner} from '../helpers/runner.js';
import {openssl} from '../helpers/openssl.js';

let dir: string;
const git = (path = process.env.PATH, more: Readonly<Record<string, string>> = {}) =>
  createGit(
    createRunner({
      environment: {PATH: path, HOME: dir, GIT_CEILING_DIRECTORIES: tmpdir(), ...more},
      signal: new AbortController().signal,
    }),
  );

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'km-git-'));
});
afterEach(() => {
  rmSync(dir, {recursive: true});
});

describe('whether git ignores a key', () => {
  it('distinguishes ignored, not ignored and tracked files', async () => {
    execFileSync('git', ['init', '-q', dir]);
    writeFileSync(join(dir, '.gitignore'), '*key.pem\n');
    writeFileSync(join(dir, 'old-key.pem'), '');
    execFileSync('git', ['-C', dir, 'add', '-f', 'old-key.pem']);
    const answers = await git().isIgnored(dir, ['root-key.pem', 'other.pem', 'old-key.pem']);
    expect([...answers.values()].map(({answer}) => answer)).toEqual(['ignored', 'not-ignored', 'tracked']);
  });

  it('does not apply outside a repository', async () => {
    expect([...(await git().isIgnored(dir, ['root-key.pem'])).values()]).toEqual([{answer: 'no-repository'}]);
  });

  it('is unknown without git', async () => {
    const answers = await git(join(dir, 'nowhere')).isIgnored(dir, ['root-key.pem']);
    expect([...answers.values()]).toEqual([{answer: 'unknown', why: 'git is not installed'}]);
  });
});

describe("private keys in git's history", () => {
  const pem = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
  const run = (...args: string[]) =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {encoding: 'utf8'});
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(dir, path)), {recursive: true});
    writeFileSync(join(dir, path), text);
  };
  const commit = (message: string): string => {
    run('add', '-A', '-f');
    run('commit', '-q', '-m', message);
    return run('rev-parse', 'HEAD').slice(0, 12);
  };
  const found = async (directory = dir) => {
    const keys = await git().committedKeys(directory);
    return keys.state === 'read' ? keys.texts.map(({path, commit: by}) => ({path, commit: by})) : keys.state;
  };
  beforeEach(() => {
    execFileSync('git', ['init', '-q', '-b', 'main', dir]);
  });

  it('are found in the first commit, regardless of git settings', async () => {
    run('init', '-q');
    for (const setting of ['log.showRoot=false', 'log.diffMerges=first-parent']) run('config', ...setting.split('='));
    put('root-key.pem', pem);
    const first = commit('all of it');
    const history = await git().committedKeys(dir);
    expect(history.state === 'read' && history.texts.map(({path, commit: by}) => [path, by])).toEqual([
      ['root-key.pem', first],
    ]);
  });

  it('are absent in a repository without commits or without keys', async () => {
    expect(await found()).toEqual([]);
    put('ca-cert.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    put('README.md', 'Never commit a BEGIN PRIVATE KEY.\n');
    commit('certificates');
    expect(await found()).toEqual([]);
  });

  it('are found with the commit that added them, even if they were deleted', async () => {
    put('mesh.yaml', 'kind: Mesh\n');
    commit('first');
    put('c1/ca-key.pem', pem);
    const brought = commit('oops');
    put('mesh.yaml', 'kind: Mesh # 2\n');
    commit('between');
    rmSync(join(dir, 'c1/ca-key.pem'));
    commit('gone');
    expect(await found()).toEqual([{path: 'c1/ca-key.pem', commit: brought}]);
  });

  it('are found once under their original name, even if they were renamed', async () => {
    put('innocent.txt', pem);
    const brought = commit('under another name');
    run('mv', 'innocent.txt', 'notes.txt');
    commit('renamed');
    expect(await found()).toEqual([{path: 'innocent.txt', commit: brought}]);
  });

  it('are found on other branches, in stashes and in merges', async () => {
    put('a', '1\n');
    commit('first');
    run('checkout', '-q', '-b', 'side');
    put('side-key.pem', `side\n${pem}`);
    commit('on a branch');
    run('checkout', '-q', 'main');
    put('a', pem);
    run('stash');
    put('b', '2\n');
    commit('second');
    run('checkout', '-q', '-b', 'other', 'HEAD^');
    put('c', '3\n');
    commit('third');
    run('merge', '-q', '--no-commit', '--no-ff', 'main');
    put('merged.key', `${pem}\n`);
    commit('a merge that brings what neither side had');
    const paths = await found();
    expect(Array.isArray(paths) && paths.map(({path}) => path).sort()).toEqual(['a', 'merged.key', 'side-key.pem']);
  });

  it('are limited to the directory', async () => {
    put('elsewhere/key.pem', pem);
    put('mesh/one/ca-key.pem', `${pem}\n`);
    commit('both');
    const paths = await found(join(dir, 'mesh'));
    expect(Array.isArray(paths) && paths.map(({path}) => path)).toEqual(['one/ca-key.pem']);
  });

  it.each([
    ['a Secret as a manifest', `data:\n  ca-key.pem: ${Buffer.from(pem).toString('base64')}\n`],
    ['a legacy key', openssl(['ec'], pem)],
    ['an encrypted key', openssl(['pkey', '-aes256', '-passout', 'pass:x'], pem)],
    ['a key with CRLF', pem.replaceAll('\n', '\r\n')],
    ['a key among bytes', `\0\0\n${pem}`],
  ])('are seen in %s, and read as one key', async (_, text) => {
    put('file', text);
    commit('file');
    const keys = await git().committedKeys(dir);
    if (keys.state !== 'read') throw new Error(keys.state);
    expect(keys.texts.flatMap((one) => embeddedKeys(one.text))).toHaveLength(1);
  });

  it('are marked as those of a shallow clone', async () => {
    put('root-key.pem', pem);
    commit('first');
    rmSync(join(dir, 'root-key.pem'));
    put('a', '1\n');
    commit('second');
    const clone = join(dir, 'clone');
    execFileSync('git', ['clone', '-q', '--depth', '1', `file://${dir}`, clone]);
    expect(await git().committedKeys(clone)).toEqual({state: 'read', texts: [], more: 0, shallow: true});
  });

  it('are read up to a limit, and the rest is counted', async () => {
    for (let index = 0; index < 53; index += 1) put(`${String(index)}.pem`, `${pem}${String(index)}\n`);
    commit('many');
    const keys = await git().committedKeys(dir);
    expect(keys).toMatchObject({state: 'read', more: 3});
  });

  it("run nobody's own programs", async () => {
    put('.gitattributes', '* diff=own\n');
    put('root-key.pem', pem);
    commit('first');
    run('config', 'diff.own.textconv', `touch ${join(dir, 'ran')}; cat`);
    run('config', 'diff.own.command', `touch ${join(dir, 'ran')}`);
    expect(await found()).toHaveLength(1);
    expect(existsSync(join(dir, 'ran'))).toBe(false);
  });

  it('do not apply outside a repository, and are unknown in a broken one', async () => {
    rmSync(join(dir, '.git'), {recursive: true});
    expect(await found()).toBe('no-repository');
    expect(await git(join(dir, 'nowhere')).committedKeys(dir)).toEqual({state: 'no-git'});
    execFileSync('git', ['init', '-q', dir]);
    put('root-key.pem', pem);
    commit('first');
    rmSync(join(dir, '.git/objects'), {recursive: true});
    mkdirSync(join(dir, '.git/objects'));
    await expect(git().committedKeys(dir)).rejects.toMatchObject({code: 'TOOL_FAILED'});
  });
});

describe('a repository whose configuration names programs', () => {
  /** Creates a program that leaves a file behind. */
  const program = (): {readonly path: string; readonly ran: () => boolean} => {
    const [path, trace] = [join(dir, 'program.sh'), join(dir, 'ran')];
    writeFileSync(path, `#!/bin/sh\ntouch ${trace}\nexit 1\n`, {mode: 0o755});
    return {path, ran: () => existsSync(trace)};
  };
  const commit = (at: string): void => {
    execFileSync('git', ['-C', at, 'add', '-A']);
    execFileSync('git', ['-C', at, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-qm', 'x']);
  };
  const query = async (at: string): Promise<void> => {
    await git().isIgnored(at, ['root-key.pem']);
    await git()
      .committedKeys(at)
      .catch(() => undefined);
  };

  it('runs none of them: fsmonitor, hooks', async () => {
    const repository = join(dir, 'repository');
    execFileSync('git', ['init', '-q', repository]);
    writeFileSync(join(repository, 'mesh.yaml'), 'x');
    commit(repository);
    const {path, ran} = program();
    mkdirSync(join(repository, '.git/hooks'), {recursive: true});
    for (const hook of ['post-index-change', 'pre-auto-gc', 'reference-transaction', 'fsmonitor-watchman'])
      writeFileSync(join(repository, '.git/hooks', hook), `#!/bin/sh\n${path}\n`, {mode: 0o755});
    execFileSync('git', ['-C', repository, 'config', 'core.fsmonitor', path]);
    execFileSync('git', ['-C', repository, 'config', 'core.pager', path]);
    await query(repository);
    expect(ran()).toBe(false);
    // The attack works against git itself.
    execFileSync('git', ['-C', repository, 'ls-files', '-m', '-o', '--others'], {stdio: 'ignore'});
    execFileSync('git', ['-C', repository, 'status'], {stdio: 'ignore'});
    expect(ran()).toBe(true);
  });

  it('does not fetch missing objects of a partial clone', async () => {
    const repository = join(dir, 'repository');
    execFileSync('git', ['init', '-q', repository]);
    const key = ['-----BEGIN', 'PRIVATE KEY-----\nAAAA\n-----END', 'PRIVATE KEY-----\n'].join(' ');
    writeFileSync(join(repository, 'root-key.pem'), key);
    commit(repository);
    const {path, ran} = program();
    for (const [name, value] of [
      ['remote.origin.url', 'ssh://example.com/x'],
      ['remote.origin.promisor', 'true'],
      ['remote.origin.partialclonefilter', 'blob:none'],
      ['extensions.partialClone', 'origin'],
      ['core.sshCommand', path],
    ])
      execFileSync('git', ['-C', repository, 'config', name ?? '', value ?? '']);
    const blob = execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD:root-key.pem'], {encoding: 'utf8'}).trim();
    rmSync(join(repository, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    await query(repository);
    expect(ran()).toBe(false);
    spawnSync('git', ['-C', repository, 'cat-file', 'blob', blob], {stdio: 'ignore'});
    expect(ran()).toBe(true);
  });

  it.each([
    [
      'a remote helper',
      [
        ['remote.origin.url', 'x'],
        ['remote.origin.vcs', 'evil'],
      ],
    ],
    [
      'an ext:: address',
      [
        ['remote.origin.url', 'ext::$PROGRAM'],
        ['protocol.ext.allow', 'always'],
      ],
    ],
    [
      'an upload-pack program',
      [
        ['remote.origin.url', 'FILE'],
        ['remote.origin.uploadpack', '$PROGRAM'],
      ],
    ],
    [
      'everything else that git runs',
      [
        ['include.path', '../more'],
        ['alias.log', '!$PROGRAM'],
        ['alias.ls-files', '!$PROGRAM'],
        ['core.askPass', '$PROGRAM'],
        ['core.editor', '$PROGRAM'],
        ['core.gitProxy', '$PROGRAM'],
        ['core.alternateRefsCommand', '$PROGRAM'],
        ['credential.helper', '!$PROGRAM'],
        ['diff.external', '$PROGRAM'],
        ['filter.own.clean', '$PROGRAM'],
        ['filter.own.smudge', '$PROGRAM'],
        ['filter.own.process', '$PROGRAM'],
        ['filter.own.required', 'true'],
        ['gpg.program', '$PROGRAM'],
        ['log.showSignature', 'true'],
        ['pager.log', '$PROGRAM'],
        ['uploadpack.packObjectsHook', '$PROGRAM'],
        ['protocol.allow', 'always'],
      ],
    ],
  ])('runs none of a partial clone: %s', async (_what, settings) => {
    const repository = join(dir, 'repository');
    execFileSync('git', ['init', '-q', repository]);
    const key = ['-----BEGIN', 'PRIVATE KEY-----\nAAAA\n-----END', 'PRIVATE KEY-----\n'].join(' ');
    writeFileSync(join(repository, 'root-key.pem'), key);
    writeFileSync(join(repository, '.gitattributes'), '* filter=own diff=own\n');
    commit(repository);
    const {path, ran} = program();
    execFileSync('cp', [path, join(dir, 'git-remote-evil')]);
    writeFileSync(join(repository, 'more'), `[core]\n\tfsmonitor = ${path}\n\thooksPath = ${dir}\n`);
    const partial = [
      ['remote.origin.promisor', 'true'],
      ['remote.origin.partialclonefilter', 'blob:none'],
      ['extensions.partialClone', 'origin'],
    ];
    for (const [name = '', value = ''] of [...partial, ...settings]) {
      const filled = value.replace('$PROGRAM', path).replace('FILE', `file://${repository}`);
      execFileSync('git', ['-C', repository, 'config', name, filled]);
    }
    const blob = execFileSync('git', ['-C', repository, 'rev-parse', 'HEAD:root-key.pem'], {encoding: 'utf8'}).trim();
    rmSync(join(repository, '.git/objects', blob.slice(0, 2), blob.slice(2)));
    rmSync(join(dir, 'ran'), {force: true});
    const queries = git(`${dir}:${process.env.PATH ?? ''}`);
    await queries.isIgnored(repository, ['root-key.pem']);
    await queries.committedKeys(repository).catch(() => undefined);
    expect(ran()).toBe(false);
  });

  it('is the one that contains the directory, whatever the environment of a hook names', async () => {
    const [repository, other] = [join(dir, 'repository'), join(dir, 'other')];
    for (const at of [repository, other]) execFileSync('git', ['init', '-q', at]);
    writeFileSync(join(repository, 'root-key.pem'), '');
    execFileSync('git', ['-C', repository, 'add', 'root-key.pem']);
    for (const more of [
      {GIT_DIR: join(other, '.git'), GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, '.git/index')},
      {GIT_DIR: '.nothing'},
    ]) {
      const answers = await git(process.env.PATH, more).isIgnored(repository, ['root-key.pem']);
      expect([...answers.values()]).toEqual([{answer: 'tracked'}]);
    }
  });

  it('of a bare repository that is embedded in another one is not used', async () => {
    const bare = join(dir, 'outer', 'config');
    execFileSync('git', ['init', '-q', join(dir, 'outer')]);
    execFileSync('git', ['init', '-q', '--bare', bare]);
    const {path, ran} = program();
    for (const [name, value] of [
      ['core.bare', 'false'],
      ['core.worktree', '.'],
      ['core.fsmonitor', path],
    ])
      execFileSync('git', ['-C', bare, 'config', name ?? '', value ?? '']);
    await query(bare);
    expect(ran()).toBe(false);
  });
});
