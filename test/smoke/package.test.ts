/** The packed program, installed in isolation: no sources, dependencies or other files of the checkout. */
import {existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {root, runProgram} from './program.js';

let home: string;
let env: NodeJS.ProcessEnv;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'installed-'));
  const packed = runProgram('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', home], {cwd: root});
  expect(packed.code, packed.stderr).toBe(0);
  writeFileSync(join(home, 'package.json'), '{"private": true}');
  const installed = runProgram('npm', ['install', '--silent', '--offline', packed.stdout.trim()], {cwd: home});
  expect(installed.code, installed.stderr).toBe(0);
  env = {...process.env, PATH: `${join(home, 'node_modules/.bin')}:${process.env.PATH ?? ''}`};
});

afterAll(() => {
  rmSync(home, {recursive: true, force: true});
});

describe('the installed package', () => {
  it('has no dependencies', () => {
    expect(readdirSync(join(home, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['kubectl-mesh']);
    expect(existsSync(join(home, 'node_modules/kubectl-mesh/src'))).toBe(false);
  });

  it('runs as kubectl-mesh and as kubectl mesh, with the same output', () => {
    const direct = runProgram('kubectl-mesh', ['--version'], {cwd: home, env});
    const plugin = runProgram('kubectl', ['mesh', '--version'], {cwd: home, env});
    expect(direct).toEqual({...plugin, code: 0});
    expect(direct.stdout).toMatch(/^kubectl-mesh\/\d+\.\d+\.\d+ /);
  });

  it('is listed by kubectl without a warning', () => {
    const folder = mkdtempSync(join(tmpdir(), 'path-'));
    // A separate PATH: other plugins on this machine must not be found.
    symlinkSync(join(home, 'node_modules/.bin/kubectl-mesh'), join(folder, 'kubectl-mesh'));
    const kubectl = runProgram('sh', ['-c', 'command -v kubectl'], {env}).stdout.trim();
    const {stdout, stderr} = runProgram(kubectl, ['plugin', 'list'], {env: {...env, PATH: folder}});
    rmSync(folder, {recursive: true});
    expect(stdout).toContain('kubectl-mesh');
    expect(stdout + stderr).not.toMatch(/warning/i);
  });

  it('prints completions for kubectl', () => {
    const {code, stdout} = runProgram('kubectl_complete-mesh', ['trust', ''], {cwd: home, env});
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.split('\t')[0])).toEqual(
      expect.arrayContaining(['push', 'diff', ':4']),
    );
  });

  it('creates a root CA and a cluster CA, and lists them', () => {
    const workDir = join(home, 'mesh');
    const generate = ['certs', 'generate', 'cluster1', '-w', workDir, '--key-algorithm', 'ecdsa-p256'];
    const passphrase = {...env, KUBECTL_MESH_PASSPHRASE: 'only for this test'};
    const made = runProgram('kubectl-mesh', generate, {cwd: home, env: passphrase});
    expect(made.code, made.stderr).toBe(0);
    const listed = runProgram('kubectl-mesh', ['certs', 'list', '-w', workDir, '-o', 'json'], {cwd: home, env});
    expect(listed.code, listed.stderr).toBe(0);
    expect(JSON.parse(listed.stdout)).toMatchObject({schemaVersion: 1});
  });
});
