import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readProcess} from '../../src/workspace/processes.js';
import {root, runMesh} from './program.js';

describe('the command line', () => {
  it.each([
    ['an unknown command', ['obliterate']],
    ['an unknown flag', ['verify', '--obliterate']],
    ['an unsupported -o', ['certs', 'list', '-o', 'prometheus-of-2020']],
    ['an invalid duration', ['verify', '--timeout', 'soon']],
    ['a hostile cluster name', ['certs', 'generate', '../x', '--no-passphrase']],
  ])('%s is a usage error, as text and as JSON without the command line', (_, args) => {
    const cwd = mkdtempSync(join(tmpdir(), 'usage-'));
    const text = runMesh(args, {cwd});
    expect({code: text.code, stdout: text.stdout}).toEqual({code: 2, stdout: ''});
    expect(text.stderr).not.toMatch(/\n\s+at /);
    for (const json of [['--json'], ['-o', 'json'], ['-ojson']]) {
      const {code, stdout} = runMesh([...args, ...json], {cwd});
      expect(code).toBe(2);
      const answer = JSON.parse(stdout) as {error: {message: string}};
      expect(Object.keys(answer)).toEqual(['schemaVersion', 'error']);
      expect(Object.keys(answer.error)).toEqual(['code', 'message', 'hints']);
      expect(stdout).not.toContain('argv');
    }
    rmSync(cwd, {recursive: true});
  });

  it('suggests the nearest command', () => {
    expect(runMesh(['trust', 'pish']).stderr).toContain('kubectl mesh trust push');
  });

  it('accepts help as a command', () => {
    expect(runMesh(['help'])).toEqual(runMesh(['--help']));
    expect(runMesh(['help', 'trust', 'push'])).toEqual(runMesh(['trust', 'push', '--help']));
    expect(runMesh(['help', 'obliterate']).code).toBe(2);
  });

  it('prints no error when the pipe is closed', () => {
    const command = `"${process.execPath}" "${join(root, 'bin/run.js')}" --help | head -n 1`;
    const {stderr, stdout} = spawnSync('bash', ['-c', command], {encoding: 'utf8'});
    expect(stderr).toBe('');
    expect(stdout.split('\n')).toHaveLength(2);
  });

  it('exits with 130 on Ctrl-C, and ends a program with its children', async () => {
    const cwd = mkdtempSync(join(tmpdir(), 'interrupt-'));
    // The passphrase command never ends, and its child process would outlive it with its output open.
    const command = 'sleep 600 & echo "$!" > pid; echo waiting >&2; wait';
    const args = ['certs', 'generate', 'cluster1', '--passphrase-command', command];
    const child = spawn(process.execPath, [join(root, 'bin/run.js'), ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const code = await new Promise<number | null>((resolve) => {
      child.stderr.on('data', (text: Buffer) => {
        if (text.includes('waiting')) child.kill('SIGINT');
      });
      child.on('exit', resolve);
    });
    const below = Number(readFileSync(join(cwd, 'pid'), 'utf8'));
    expect(readProcess(below)).toBeUndefined();
    rmSync(cwd, {recursive: true});
    expect(code).toBe(130);
  });
});
