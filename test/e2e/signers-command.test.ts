/** Root keys in a PKCS#11 token, which never gives them away: the mesh that they make, RSA and ECDSA. */
import {execFileSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openssl} from '../helpers/openssl.js';
import {peerTool, softhsmModule} from '../helpers/peer-tools.js';
import {filesWithKeyOf} from './harness/keys-at-rest.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {MeshCli} from './harness/mesh-cli.js';
import {proveMesh} from './harness/prove-mesh.js';

const example = fileURLToPath(new URL('../../examples/signers/pkcs11-tool.sh', import.meta.url));
const pin = '271828';
const ids = {rsa: '01', ecdsa: '02'} as const;

let setting: Setting;
let token: Readonly<Record<string, string>>;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  token = makeToken(setting.sandbox.dir);
});
afterAll(() => setting.sandbox.close());

/** A token with two key pairs. Returns the environment in which it is there. */
function makeToken(directory: string): Record<string, string> {
  const config = join(directory, 'softhsm2.conf');
  mkdirSync(join(directory, 'tokens'));
  writeFileSync(config, `directories.tokendir = ${join(directory, 'tokens')}\nobjectstore.backend = file\n`);
  const env = {...process.env, SOFTHSM2_CONF: config};
  const run = (tool: 'softhsm2-util' | 'pkcs11-tool', ...args: string[]) =>
    execFileSync(peerTool(tool), args, {env, stdio: 'pipe'});
  run('softhsm2-util', '--init-token', '--free', '--label', 'mesh', '--pin', pin, '--so-pin', pin);
  const pair = (type: string, id: string) =>
    run(
      'pkcs11-tool',
      ...['--module', softhsmModule(), '--token-label', 'mesh', '--login', '--pin', pin],
      ...['--keypairgen', '--key-type', type, '--usage-sign', '--id', id],
    );
  pair('rsa:2048', ids.rsa);
  pair('EC:prime256v1', ids.ecdsa);
  return {SOFTHSM2_CONF: config, PKCS11_PIN: pin};
}

function signer(id: string): string {
  return `{type: command, argv: [./pkcs11-tool.sh, ${softhsmModule()}, mesh, "${id}"]}`;
}

/** A user whose work directory holds the program, and who has the token plugged in. */
function withToken(cli: MeshCli): MeshCli {
  copyFileSync(example, join(cli.workDir, 'pkcs11-tool.sh'));
  Object.assign(cli.env, token);
  return cli;
}

const rootOf = (cli: MeshCli) => readFileSync(join(cli.workDir, 'root-cert.pem'), 'utf8');

describe('a root key in a PKCS#11 token', () => {
  it('makes a mesh of two clusters that verifies green, with an ECDSA key', async () => {
    const cli = withToken(setting.cli);
    await cli.must('init', 'one=kwok-one', 'two=kwok-two');
    await cli.must('certs', 'generate', '--signer', signer(ids.ecdsa));
    expect(filesWithKeyOf(cli.workDir, rootOf(cli))).toEqual([]);
    await proveMesh(setting, cli);
  });

  it('makes a root and CAs that openssl verifies, with an RSA key; another key of the token is refused', async () => {
    const cli = withToken(new MeshCli(setting.sandbox, at(setting.clusters, 0).planes, {}, 'rsa'));
    await cli.must('certs', 'generate', 'one', '--key-algorithm', 'ecdsa-p256', '--signer', signer(ids.rsa));
    const path = (name: string) => join(cli.workDir, name);
    const verified = openssl([
      ...['verify', '-x509_strict', '-CAfile', path('root-cert.pem')],
      ...['-untrusted', path('one/cert-chain.pem'), path('one/ca-cert.pem')],
    ]);
    expect(verified).toContain('OK');
    expect(filesWithKeyOf(cli.workDir, rootOf(cli))).toEqual([]);
    const meshYaml = readFileSync(path('mesh.yaml'), 'utf8');
    writeFileSync(path('mesh.yaml'), meshYaml.replace(`"${ids.rsa}"`, `"${ids.ecdsa}"`));
    const before = readFileSync(path('one/ca-cert.pem'), 'utf8');
    const other = await cli.run(['certs', 'generate', 'one', '--renew', '--yes', '--trust-mesh-yaml', '-o', 'json']);
    expect(other.code).toBe(2);
    expect(other.stdout).toContain('WORKDIR_CONFLICT');
    expect(readFileSync(path('one/ca-cert.pem'), 'utf8')).toBe(before);
  });

  it('reports the error of the token when the PIN is wrong, and signs nothing', async () => {
    const cli = withToken(new MeshCli(setting.sandbox, at(setting.clusters, 0).planes, {}, 'wrong-pin'));
    Object.assign(cli.env, {PKCS11_PIN: '000000'});
    const refused = await cli.run(['certs', 'generate', 'one', '--signer', signer(ids.ecdsa), '-o', 'json']);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain('SIGNER_REFUSED');
    expect(refused.stdout).toContain('CKR_PIN_INCORRECT');
    expect(refused.stdout + refused.stderr).not.toContain('000000');
    expect(() => rootOf(cli)).toThrow('ENOENT');
  });
});
