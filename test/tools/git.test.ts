import {execFileSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createGit} from '../../src/tools/git.js';
import {createRunner} from '../../src/tools/runner.js';

let dir: string;
const git = (path = process.env.PATH) =>
  createGit(
    createRunner({
      environment: {PATH: path, HOME: dir, GIT_CEILING_DIRECTORIES: tmpdir()},
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
  it('tells ignored, not ignored and tracked files apart', async () => {
    execFileSync('git', ['init', '-q', dir]);
    writeFileSync(join(dir, '.gitignore'), '*key.pem\n');
    writeFileSync(join(dir, 'old-key.pem'), '');
    execFileSync('git', ['-C', dir, 'add', '-f', 'old-key.pem']);
    const answers = await git().isIgnored(dir, ['root-key.pem', 'other.pem', 'old-key.pem']);
    expect([...answers.values()].map(({answer}) => answer)).toEqual(['ignored', 'not-ignored', 'tracked']);
  });

  it('is no question outside a repository', async () => {
    expect([...(await git().isIgnored(dir, ['root-key.pem'])).values()]).toEqual([{answer: 'no-repository'}]);
  });

  it('cannot be told without git', async () => {
    const answers = await git(join(dir, 'nowhere')).isIgnored(dir, ['root-key.pem']);
    expect([...answers.values()]).toEqual([{answer: 'unknown', why: 'git is not installed'}]);
  });
});
