/** Cluster CAs signed by a real OpenBao: a deeper hierarchy, logins, what it refuses and what it changes. */
import {copyFileSync, existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {X509Certificate} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openssl} from '../helpers/openssl.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, MeshCli} from './harness/mesh-cli.js';
import {OpenBao} from './harness/openbao.js';
import {proveMesh} from './harness/prove-mesh.js';

interface Answer {
  readonly code: number | null;
  readonly errors: readonly {readonly code: string; readonly message: string; readonly hints: readonly string[]}[];
  readonly clusters: readonly {
    readonly outcome: string;
    readonly changes?: readonly string[];
    readonly error?: Answer['errors'][number];
  }[];
}

let setting: Setting;
let bao: OpenBao;
let users = 0;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  bao = await OpenBao.start(setting.sandbox);
});
afterAll(() => setting.sandbox.close());

/** A user with a work directory of their own, and what they have of the server. */
function user(env: Readonly<Record<string, string>>): MeshCli {
  users += 1;
  const cli = new MeshCli(setting.sandbox, at(setting.clusters, 0).planes, {}, `user${String(users)}`);
  Object.assign(cli.env, {VAULT_ADDR: bao.address, VAULT_CACERT: bao.caCert, ...env});
  return cli;
}

async function generate(cli: MeshCli, signer: string, ...args: string[]): Promise<Answer> {
  const ran = await cli.run([
    'certs',
    'generate',
    'one',
    '--key-algorithm',
    'ecdsa-p256',
    '--signer',
    signer,
    '-o',
    'json',
    ...args,
  ]);
  return {...(JSON.parse(ran.stdout) as Omit<Answer, 'code'>), code: ran.code};
}

/** The one error of an answer, of the run or of its cluster. */
function errorOf({errors, clusters}: Answer): Answer['errors'][number] {
  return at([...errors, ...clusters.flatMap(({error}) => error ?? [])], 0);
}

describe('a server that cannot sign', () => {
  it('says which: its CA is not known, not initialized, sealed', async () => {
    const signerError = async (env: Readonly<Record<string, string>> = {}) => {
      const cli = user({VAULT_TOKEN: 'none', ...env});
      const answer = await generate(cli, '{type: vault, mount: pki_mesh}');
      expect(answer.code).toBe(4);
      expect(existsSync(join(cli.workDir, 'one'))).toBe(false);
      return errorOf(answer);
    };
    expect(await signerError({VAULT_CACERT: ''})).toMatchObject({code: 'SIGNER_UNAVAILABLE'});
    expect((await signerError({VAULT_CACERT: ''})).message).toContain('signed by an unknown CA');
    expect((await signerError()).message).toContain('not initialized');
    await bao.initialize();
    expect((await signerError()).message).toContain('sealed');
    await bao.unseal();
  });
});

describe('OpenBao signs cluster CAs', () => {
  beforeAll(async () => {
    await bao.makeRoot('pki_root', 'Acme Root');
    await bao.makeIntermediate('pki_mesh', 'pki_root', 'Acme Mesh Policy CA');
    await bao.write('pki_mesh/issuer/default', 'issuer_name=mesh-policy');
    await bao.bao('auth', 'enable', 'approle');
  });

  it('below a policy CA, chosen by name, with an AppRole that may do nothing else; the mesh verifies green', async () => {
    const path = 'pki_mesh/issuer/mesh-policy/sign-intermediate';
    await bao.policy('mesh', `path "${path}" { capabilities = ["update"] }\n`);
    await bao.bao('write', 'auth/approle/role/mesh', 'token_policies=mesh', 'secret_id_num_uses=1', 'token_ttl=5m');
    const {role_id: roleId = ''} = (
      (await bao.json('read', 'auth/approle/role/mesh/role-id')) as {data: Record<string, string>}
    ).data;
    const secretId = async () => (await bao.write('auth/approle/role/mesh/secret-id')).secret_id ?? '';
    const {cli} = setting;
    Object.assign(cli.env, {VAULT_ADDR: bao.address});
    copyFileSync(bao.caCert, join(cli.workDir, 'vault-ca.pem'));
    await cli.must('init', 'one=kwok-one', 'two=kwok-two');
    const meshYaml = join(cli.workDir, 'mesh.yaml');
    const signer = `{type: vault, mount: pki_mesh, issuer: mesh-policy, caCert: vault-ca.pem, auth: {method: approle, roleId: ${roleId}}}`;
    cli.env.VAULT_SECRET_ID = await secretId();
    const before = await bao.tokens();
    await cli.must('certs', 'generate', '--key-algorithm', 'ecdsa-p256', '--signer', signer);
    expect(readFileSync(meshYaml, 'utf8')).toContain('mesh-policy');
    // The token that the login made was given back.
    expect(await bao.tokens()).toBe(before);
    const file = (name: string) => join(cli.workDir, name);
    const chain = readFileSync(file('one/cert-chain.pem'), 'utf8').match(/-----BEGIN[^]+?-----END[^\n]+\n/g) ?? [];
    expect(chain.map((pem) => new X509Certificate(pem).subject)).toEqual([
      'O=Istio\nCN=Intermediate CA\nL=one',
      'CN=Acme Mesh Policy CA',
      'CN=Acme Root',
    ]);
    const verify = [
      'verify',
      '-x509_strict',
      '-CAfile',
      file('root-cert.pem'),
      '-untrusted',
      file('one/cert-chain.pem'),
    ];
    expect(openssl([...verify, file('one/ca-cert.pem')])).toContain('OK');
    await proveMesh(setting, cli);

    // A secret ID that was used up is refused, and nothing is lost.
    const old = readFileSync(file('one/ca-cert.pem'), 'utf8');
    const refused = await cli.run(['certs', 'generate', 'one', '--renew', '--yes']);
    expect(refused.code).toBe(1);
    expect(readFileSync(file('one/ca-cert.pem'), 'utf8')).toBe(old);
    cli.env.VAULT_SECRET_ID = await secretId();
    await cli.must('certs', 'generate', 'one', '--renew', '--yes');
    expect(readFileSync(file('one/ca-cert.pem'), 'utf8')).not.toBe(old);
    await cli.must('trust', 'push', 'one', '--yes');
    expect(findings(await cli.verify('--wait', '--timeout', '2m'))).toEqual([]);
  });

  it('and says what it cut: a life that is longer than the mount allows', async () => {
    await bao.bao('secrets', 'tune', '-max-lease-ttl=2400h', 'pki_root');
    const answer = await generate(user({VAULT_TOKEN: await rootToken()}), '{type: vault, mount: pki_root}');
    expect(answer.code).toBe(0);
    expect(answer.clusters[0]?.changes).toEqual([expect.stringContaining('100 days instead of 730 days')]);
  });

  it('but not for a token that may not: the policy that it prints is the one that is missing', async () => {
    await bao.policy('other', 'path "pki_mesh/issuer/other/sign-intermediate" { capabilities = ["update"] }\n');
    const cli = user({VAULT_TOKEN: await bao.token('other')});
    const denied = await generate(cli, '{type: vault, mount: pki_mesh}');
    expect(denied.code).toBe(1);
    expect(errorOf(denied)).toMatchObject({code: 'SIGNER_REFUSED'});
    const rule = /path ".*/.exec(at(errorOf(denied).hints, 0))?.[0] ?? '';
    await bao.policy('other', rule);
    expect((await generate(cli, '{type: vault, mount: pki_mesh}')).code).toBe(0);
  });

  it('and names the mount, the issuer, the namespace or the token that is none', async () => {
    const messageOf = async (signer: string, env: Readonly<Record<string, string>> = {}) => {
      const cli = user({VAULT_TOKEN: await rootToken(), ...env});
      const answer = await generate(cli, signer);
      expect(answer.code).toBe(1);
      const {code, message, hints} = errorOf(answer);
      expect(code).toBe('SIGNER_REFUSED');
      return [message, ...hints].join('\n');
    };
    expect(await messageOf('{type: vault, mount: pki_mehs}')).toContain('no PKI secrets engine is mounted at pki_mehs');
    expect(await messageOf('{type: vault, mount: cubbyhole}')).toContain(
      'no PKI secrets engine is mounted at cubbyhole',
    );
    expect(await messageOf('{type: vault, mount: pki_mesh, issuer: mesh-polcy}')).toContain(
      'did you mean mesh-policy?',
    );
    expect(await messageOf('{type: vault, mount: pki_mesh}', {VAULT_NAMESPACE: 'acme'})).toContain('no namespace acme');
    expect(await messageOf('{type: vault, mount: pki_mesh}', {VAULT_TOKEN: 's.gone'})).toContain('expired');
    const approle = '{type: vault, mount: pki_mesh, auth: {method: approle, mount: robots, roleId: x}}';
    expect(await messageOf(approle, {VAULT_SECRET_ID: 'y'})).toContain('auth/robots');
  });

  it('asks for the root that it does not send', async () => {
    await bao.makeIntermediate('pki_rootless', 'pki_root', 'Acme Other Policy CA', false);
    const cli = user({VAULT_TOKEN: await rootToken()});
    const without = await generate(cli, '{type: vault, mount: pki_rootless}');
    expect(without.code).toBe(2);
    expect(errorOf(without)).toMatchObject({code: 'FILE_MISSING'});
    const root = join(setting.sandbox.dir, 'acme-root.pem');
    writeFileSync(root, await bao.bao('read', '-field=certificate', 'pki_root/cert/ca'));
    expect((await generate(cli, '{type: vault, mount: pki_rootless}', '--root', root)).code).toBe(0);
  });

  it('until it is sealed, which changes nothing here', async () => {
    const cli = user({VAULT_TOKEN: await rootToken()});
    expect((await generate(cli, '{type: vault, mount: pki_mesh}')).code).toBe(0);
    const before = readFileSync(join(cli.workDir, 'one/ca-cert.pem'), 'utf8');
    await bao.seal();
    const answer = await generate(cli, '{type: vault, mount: pki_mesh}', '--renew', '--yes');
    expect(answer.code).toBe(4);
    expect(errorOf(answer).message).toContain('sealed');
    expect(readFileSync(join(cli.workDir, 'one/ca-cert.pem'), 'utf8')).toBe(before);
    await bao.unseal();
  });
});

/** A token that may do everything, as an operator who tries things out has it. */
function rootToken(): Promise<string> {
  return bao.token('root');
}
