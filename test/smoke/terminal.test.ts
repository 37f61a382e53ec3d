import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {closed, runInTerminal} from '../helpers/pseudo-terminal.js';
import {root, runMesh} from './program.js';

const mesh = `"${process.execPath}" "${join(root, 'bin/run.js')}"`;
const generate = `${mesh} certs generate cluster1 --key-algorithm ecdsa-p256`;
const passphrase = 'correct horse';
let cwd: string;

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'terminal-'));
});
afterEach(() => {
  rmSync(cwd, {recursive: true});
});

describe('on a terminal', () => {
  it('prompts for a new passphrase twice without echo, and shows animated progress', async () => {
    const {screen, code} = await runInTerminal(
      generate,
      [
        {when: /New passphrase/, type: `${passphrase}\r`},
        {when: /Repeat the passphrase/, type: `${passphrase}\r`},
      ],
      {cwd},
    );
    expect(code, screen).toBe(0);
    expect(screen).not.toContain(passphrase);
    expect(screen).toContain('✔');
    expect(readFileSync(join(cwd, 'root-key.pem'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const env = {...process.env, KUBECTL_MESH_PASSPHRASE: passphrase};
    const renewed = runMesh(['certs', 'generate', 'cluster1', '--renew', '--yes'], {cwd, env});
    expect(renewed.code, renewed.stderr).toBe(0);
  });

  it('writes no key when the two passphrases differ', async () => {
    const {screen, code} = await runInTerminal(
      generate,
      [
        {when: /New passphrase/, type: `${passphrase}\r`},
        {when: /Repeat the passphrase/, type: 'something else\r'},
      ],
      {cwd},
    );
    expect(code, screen).toBe(2);
    expect(() => readFileSync(join(cwd, 'root-key.pem'))).toThrow();
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('exits with 130 on %s at a prompt, and releases the lock', async (_, type) => {
    const {screen, code} = await runInTerminal(generate, [{when: /New passphrase/, type}], {cwd});
    expect(code, screen).toBe(130);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('releases the lock when the terminal is closed at a prompt', async () => {
    const {screen} = await runInTerminal(generate, [{when: /New passphrase/, type: closed}], {cwd});
    expect(screen).toContain('New passphrase');
    await vi.waitFor(
      () => {
        expect(readdirSync(cwd)).toEqual([]);
      },
      {timeout: 10_000},
    );
  });

  it('shows the plan and accepts a refusal', async () => {
    const env = {...process.env, KUBECTL_MESH_PASSPHRASE: passphrase};
    expect(runMesh(['certs', 'generate', 'cluster1', '--key-algorithm', 'ecdsa-p256'], {cwd, env}).code).toBe(0);
    const before = readFileSync(join(cwd, 'cluster1/ca-cert.pem'), 'utf8');
    const {screen, code} = await runInTerminal(`${generate} --renew`, [{when: /Continue\?/, type: 'n\r'}], {cwd, env});
    expect(code, screen).toBe(5);
    expect(readFileSync(join(cwd, 'cluster1/ca-cert.pem'), 'utf8')).toBe(before);
  });

  it('shows what mesh.yaml would run before the first use, and remembers the confirmation', async () => {
    const env = {...process.env, XDG_STATE_HOME: join(cwd, 'state'), KUBECTL_MESH_TRUST: ''};
    const work = join(cwd, 'work');
    mkdirSync(work);
    const declare = (argv: string) => {
      writeFileSync(
        join(work, 'mesh.yaml'),
        `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: {signer: {type: command, argv: ${argv}}}\nclusters: [{name: one}]\n`,
      );
    };
    writeFileSync(join(work, 'sign.sh'), '#!/bin/sh\ntouch ran\nexit 1\n', {mode: 0o755});
    const ran = () => readdirSync(work).includes('ran');
    const command = `${mesh} certs generate`;
    declare('[./sign.sh, --slot, "1 2"]');
    const refused = await runInTerminal(command, [{when: /later runs\?/, type: 'n\r'}], {cwd: work, env});
    expect([refused.code, ran()], refused.screen).toEqual([5, false]);
    expect(refused.screen).toContain('./sign.sh --slot "1 2"');
    const confirmed = await runInTerminal(command, [{when: /later runs\?/, type: 'y\r'}], {cwd: work, env});
    expect([confirmed.code, ran()], confirmed.screen).toEqual([4, true]);
    const again = runMesh(['certs', 'generate'], {cwd: work, env});
    expect(again.code, again.stderr).toBe(4);
    declare('[./sign.sh, --slot, "2"]');
    expect(runMesh(['certs', 'generate'], {cwd: work, env}).code).toBe(5);
  });

  it('changes a passphrase: prompts once for the old one and twice for the new one, without echo', async () => {
    const env = {...process.env, KUBECTL_MESH_PASSPHRASE: passphrase};
    const renew = ['certs', 'generate', 'cluster1', '--renew', '--yes'];
    expect(runMesh(['certs', 'generate', 'cluster1', '--key-algorithm', 'ecdsa-p256'], {cwd, env}).code).toBe(0);
    const other = 'another passphrase';
    const change = (once: string, twice: string) =>
      runInTerminal(
        `${mesh} certs passphrase`,
        [
          {when: /Passphrase for the root key/, type: `${passphrase}\r`},
          {when: /New passphrase/, type: `${once}\r`},
          {when: /Repeat the passphrase/, type: `${twice}\r`},
        ],
        {cwd},
      );
    const differing = await change(other, 'a slip');
    expect(differing.code, differing.screen).toBe(2);
    expect(runMesh(renew, {cwd, env}).code).toBe(0);
    const {screen, code} = await change(other, other);
    expect(code, screen).toBe(0);
    for (const secret of [passphrase, other]) expect(screen).not.toContain(secret);
    expect(runMesh(renew, {cwd, env}).code).toBe(2);
    expect(runMesh(renew, {cwd, env: {...env, KUBECTL_MESH_PASSPHRASE: other}}).code).toBe(0);
  });
});
