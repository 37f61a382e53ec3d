import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import {
  requestedExtensions,
  type FakeAnswer,
  type FakeVault,
  type Signing,
  startFakeVault,
} from '../helpers/fake-vault.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const token = 'hvs.nobody-may-see-this';
let vault: FakeVault;
let dir: TestWorkDir;

beforeAll(async () => {
  vault = await startFakeVault();
});
afterAll(() => vault.close());
beforeEach(async () => {
  vault.reset();
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hints: readonly string[];
}
interface Answer {
  readonly clusters: readonly {
    readonly outcome: string;
    readonly changes?: readonly string[];
    readonly error?: ErrorReport;
  }[];
  readonly errors: readonly ErrorReport[];
}

/** Hides the developer's own Vault. */
const nothing = Object.fromEntries(
  ['ADDR', 'TOKEN', 'NAMESPACE', 'CACERT', 'CAPATH', 'CACERT_BYTES', 'SKIP_VERIFY', 'ROLE_ID', 'SECRET_ID'].flatMap(
    (name) => [`BAO_${name}`, `VAULT_${name}`].map((variable) => [variable, '']),
  ),
);

const usualEnvironment = () => ({
  ...nothing,
  HOME: dir.root,
  VAULT_ADDR: vault.address,
  VAULT_CACERT: vault.file('tls-ca.pem'),
  VAULT_TOKEN: token,
});

function generate(
  signer: string,
  env: Readonly<Record<string, string>> = {},
  ...argv: readonly string[]
): Promise<CommandRun> {
  const command = ['one', '--key-algorithm', 'ecdsa-p256', '--signer', signer, ...argv, '-o', 'json', '-w', dir.root];
  return runCommand(CertsGenerate, command, {...usualEnvironment(), ...env});
}

/** The single error of a run, and its output. */
async function refusal(
  signer = 'vault',
  env: Readonly<Record<string, string>> = {},
  ...argv: readonly string[]
): Promise<ErrorReport & {readonly exit: number; readonly text: string}> {
  const run = await generate(signer, env, ...argv);
  const {errors, clusters} = answerOf(run) as Answer;
  const [error] = [...errors, ...clusters.flatMap((cluster) => cluster.error ?? [])];
  if (!error) throw new Error(`no error: ${run.stdout}`);
  expect(run.stdout + run.stderr).not.toContain(token);
  // On any error, no cluster has a CA.
  expect(existsSync(join(dir.root, 'one/ca-cert.pem'))).toBe(false);
  return {...error, exit: run.code, text: [error.message, ...error.hints].join('\n')};
}

describe('a cluster CA that Vault signs', () => {
  it('is requested with a CSR, and written to the work directory with its chain', async () => {
    const run = await generate('vault');
    expect(run.code).toBe(0);
    expect((answerOf(run) as Answer).clusters[0]).not.toHaveProperty('changes');
    const path = (name: string) => join(dir.root, name);
    const verify = ['verify', '-CAfile', path('root-cert.pem'), '-untrusted', path('one/cert-chain.pem')];
    expect(openssl([...verify, path('one/ca-cert.pem')])).toContain('OK');
    expect(readFileSync(path('root-cert.pem'), 'utf8')).toBe(readFileSync(vault.file('root.pem'), 'utf8'));
    const signed = vault.requests.find(({route}) => route === 'POST pki/root/sign-intermediate');
    expect(signed?.headers['x-vault-token']).toBe(token);
    expect(signed?.body).toMatchObject({max_path_length: 0, use_csr_values: true, ttl: `${String(730 * 86_400)}s`});
    expect(JSON.stringify(vault.requests)).not.toContain('PRIVATE KEY');
    const requested = openssl(['req', '-noout', '-text', '-verify'], String(signed?.body.csr));
    expect(requested).toContain('pathlen:0');
    expect(requested).toMatch(/Subject: O ?= ?Istio, CN ?= ?Intermediate CA, L ?= ?one/);
  });

  it('is not signed in a dry run, which contacts no server', async () => {
    expect((await generate('vault', {}, '--dry-run')).code).toBe(0);
    expect(vault.requests).toEqual([]);
  });

  it('prints the root that the mesh adopts, for comparison', async () => {
    const printed = openssl(['x509', '-noout', '-fingerprint', '-sha256', '-in', vault.file('root.pem')]).trim();
    const sha256 = printed.slice(printed.indexOf('=') + 1);
    const command = ['one', '--key-algorithm', 'ecdsa-p256', '--signer', 'vault', '-w', dir.root];
    const {stdout} = await runCommand(CertsGenerate, command, usualEnvironment());
    expect(stdout).toContain(`SHA-256 ${sha256}`);
    expect(answerOf(await generate('vault'))).toMatchObject({
      root: {outcome: 'unchanged', certificate: {fingerprint: sha256.replaceAll(':', '').toLowerCase()}},
    });
  });

  it('is never requested with a validity beyond that of its issuers', async () => {
    vault.sign({days: 3649});
    await dir.write(
      'mesh.yaml',
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: {clusterValidity: 3651d}\nclusters: [{name: one}]\n',
    );
    expect((await generate('vault')).stdout).toContain('3649 days instead of 3651 days');
    const {body} = vault.requests.at(-1) ?? {};
    expect(parseInt(String(body?.ttl))).toBeLessThanOrEqual(3650 * 86_400);
  });

  it.each<readonly [what: string, signing: Signing, change: string]>([
    ['a shorter lifetime', {days: 30}, '30 days instead of 730 days'],
    ['another subject', {subject: '/CN=Intermediate CA'}, 'subject "CN=Intermediate CA" instead of'],
    [
      'no path length',
      {extensions: ['basicConstraints=critical,CA:TRUE', ...requestedExtensions.slice(1)]},
      'no path length',
    ],
    [
      'another key usage',
      {extensions: [requestedExtensions[0], 'keyUsage=critical,keyCertSign,nonRepudiation']},
      'key usage without digitalSignature, cRLSign',
    ],
    [
      'more names',
      {extensions: [...requestedExtensions, 'subjectAltName=DNS:intermediate.example']},
      'alternative names intermediate.example',
    ],
    [
      'an extended usage',
      {extensions: [...requestedExtensions, 'extendedKeyUsage=serverAuth,clientAuth']},
      'extended key usage',
    ],
  ])('with %s is accepted, with a warning', async (_, signing, change) => {
    vault.sign(signing);
    const run = await generate('vault');
    expect(run.code).toBe(0);
    expect((answerOf(run) as Answer).clusters[0]?.changes).toContainEqual(expect.stringContaining(change));
  });

  it.each<readonly [what: string, signing: Signing]>([
    ['for another key', {otherKey: true}],
    ['that is not a CA', {extensions: ['basicConstraints=critical,CA:FALSE']}],
    ['that may not sign', {extensions: [requestedExtensions[0], 'keyUsage=critical,digitalSignature']}],
    ['that serves clients only', {extensions: [...requestedExtensions, 'extendedKeyUsage=clientAuth']}],
  ])('%s is refused', async (_, signing) => {
    vault.sign(signing);
    expect(await refusal()).toMatchObject({code: 'ISSUE_FAILED', exit: 1});
  });
});

describe('the server settings', () => {
  it('in mesh.yaml take precedence over the environment, and BAO_ over VAULT_', async () => {
    const elsewhere = 'https://127.0.0.1:1';
    const namedCa = `caCert: ${vault.file('tls-ca.pem')}`;
    expect((await generate(`{type: vault, address: "${vault.address}", ${namedCa}}`, {VAULT_ADDR: ''})).code).toBe(0);
    expect(
      (await generate(`{type: vault, address: "${vault.address}", ${namedCa}}`, {VAULT_CACERT: '/none'})).code,
    ).toBe(0);
    await dir.remove('mesh.yaml');
    expect((await generate('vault', {VAULT_ADDR: elsewhere, BAO_ADDR: vault.address}, '--renew', '--yes')).code).toBe(
      0,
    );
  });

  it('include a token from a file, ~/.vault-token by default', async () => {
    await dir.write('.vault-token', `${token}\n`, 0o600);
    expect((await generate('vault', {VAULT_TOKEN: ''})).code).toBe(0);
    expect(vault.requests.at(-1)?.headers['x-vault-token']).toBe(token);
  });

  it('include a namespace, sent with every request', async () => {
    await generate('vault', {VAULT_NAMESPACE: 'acme/mesh'});
    expect(new Set(vault.requests.map(({headers}) => headers['x-vault-namespace']))).toEqual(new Set(['acme/mesh']));
  });

  it.each<
    readonly [what: string, signer: string, env: Readonly<Record<string, string>>, code: string, expected: string]
  >([
    ['no address', 'vault', {VAULT_ADDR: ''}, 'MISSING_VALUE', 'VAULT_ADDR'],
    ['an invalid address', 'vault', {VAULT_ADDR: 'vault'}, 'USAGE', 'not a URL'],
    ['http beyond this machine', 'vault', {VAULT_ADDR: 'http://vault.example.com:8200'}, 'USAGE', 'unencrypted'],
    [
      'a password in the address',
      'vault',
      {VAULT_ADDR: 'https://me:x@vault.example.com'},
      'USAGE',
      'must not contain credentials',
    ],
    ['VAULT_SKIP_VERIFY', 'vault', {VAULT_SKIP_VERIFY: 'true'}, 'USAGE', 'VAULT_SKIP_VERIFY is set'],
    ['VAULT_CAPATH', 'vault', {VAULT_CAPATH: '/etc/ssl', VAULT_CACERT: ''}, 'USAGE', 'VAULT_CACERT'],
    ['a missing CA file', 'vault', {VAULT_CACERT: '/none.pem'}, 'FILE_MISSING', '/none.pem'],
    ['a CA file without certificates', 'vault', {VAULT_CACERT: '/dev/null'}, 'NOT_A_CERTIFICATE', '/dev/null'],
    ['half a client certificate', 'vault', {VAULT_CLIENT_CERT: '/x.pem'}, 'MISSING_VALUE', 'VAULT_CLIENT_KEY'],
    ['no token', 'vault', {VAULT_TOKEN: ''}, 'MISSING_VALUE', '~/.vault-token'],
    ['a token of two lines', 'vault', {VAULT_TOKEN: `${token}\nx`}, 'USAGE', 'VAULT_TOKEN'],
    ['no role ID', '{type: vault, auth: {method: approle}}', {}, 'MISSING_VALUE', 'VAULT_ROLE_ID'],
    ['no pod', '{type: vault, auth: {method: kubernetes, role: mesh}}', {}, 'FILE_MISSING', 'inside a pod'],
    ['a namespace that is invalid in a header', 'vault', {VAULT_NAMESPACE: 'a\nb'}, 'USAGE', 'VAULT_NAMESPACE'],
    ['an invalid namespace in mesh.yaml', '{type: vault, namespace: büro}', {}, 'USAGE', 'trust.signer.namespace'],
    ['an issuer with a path', '{type: vault, issuer: ..}', {}, 'USAGE', 'trust.signer.issuer'],
    ['a mount with a path', '{type: vault, mount: pki/../sys}', {}, 'USAGE', 'trust.signer.mount'],
  ])('are rejected before any request: %s', async (_, signer, env, code, output) => {
    const error = await refusal(signer, env);
    expect(error).toMatchObject({code, exit: 2});
    expect(error.text).toContain(output);
    expect(vault.requests).toEqual([]);
  });
});

const survey = 'GET pki/issuer/default/json';
const sign = 'POST pki/root/sign-intermediate';
const health = (status: number, state: object): FakeAnswer => ({
  status,
  body: {initialized: true, sealed: false, standby: false, ...state},
});
const errors = (status: number, ...texts: readonly string[]): FakeAnswer => ({
  status,
  body: {errors: texts},
  headers: {'retry-after': '0'},
});

describe('an unavailable server', () => {
  it.each<readonly [what: string, answers: Readonly<Record<string, FakeAnswer>>, expected: string]>([
    ['sealed', {[survey]: errors(503, 'Vault is sealed'), 'GET sys/health': health(503, {sealed: true})}, 'is sealed'],
    [
      'not initialized',
      {[survey]: errors(503, 'Vault is sealed'), 'GET sys/health': health(501, {initialized: false, sealed: true})},
      'not initialized',
    ],
    [
      'a standby without its active server',
      {
        [survey]: errors(500, 'local node not active but active cluster node not found'),
        'GET sys/health': health(429, {standby: true}),
      },
      'is a standby',
    ],
    [
      'a disaster recovery secondary',
      {[survey]: errors(472, ''), 'GET sys/health': health(472, {standby: true, replication_dr_mode: 'secondary'})},
      'disaster recovery secondary',
    ],
    [
      'a standby that points elsewhere',
      {[survey]: {status: 307, headers: {location: 'https://vault-1.example.com:8200/v1/pki/issuer/default/json'}}},
      'https://vault-1.example.com:8200',
    ],
    [
      'too busy',
      {[survey]: errors(429, 'request path "pki": rate limit quota exceeded'), 'GET sys/health': health(200, {})},
      'rate limit quota',
    ],
    ['no Vault, but a web page', {[survey]: {status: 200, body: '<html>Welcome</html>'}}, 'not the API of Vault'],
    ['no Vault, but Kubernetes', {[survey]: {status: 403, body: {kind: 'Status', code: 403}}}, 'not the API of Vault'],
    ['a proxy without it', {[survey]: {status: 502, body: '<html>', headers: {'retry-after': '0'}}}, 'returned 502'],
  ])('is reported: %s', async (_, answers, reported) => {
    for (const [route, answer] of Object.entries(answers)) vault.on(route, answer);
    const error = await refusal();
    expect(error).toMatchObject({code: 'SIGNER_UNAVAILABLE', exit: 4});
    expect(error.text).toContain(reported);
    // The token was sent nowhere else, and no signature was requested.
    expect(vault.requests.some(({route}) => route === sign)).toBe(false);
  });

  it('is reported with an unknown CA, whatever the value of NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    const error = await refusal('vault', {VAULT_CACERT: '', NODE_TLS_REJECT_UNAUTHORIZED: '0'});
    expect(error).toMatchObject({code: 'SIGNER_UNAVAILABLE', exit: 4});
    expect(error.text).toContain('VAULT_CACERT');
    expect(vault.requests).toEqual([]);
  });

  it('is reported with a certificate for another name', async () => {
    const error = await refusal('vault', {VAULT_TLS_SERVER_NAME: 'vault.example.com'});
    expect(error).toMatchObject({code: 'SIGNER_UNAVAILABLE', exit: 4});
    expect(error.message).toContain('for another name');
  });

  it('is reported with an expired certificate, without TLS, and without a listener', async () => {
    const [expired, plain] = await Promise.all([startFakeVault('expired'), startFakeVault('plain')]);
    const messages = async (env: Readonly<Record<string, string>>) => {
      const error = await refusal('vault', env);
      expect(error).toMatchObject({code: 'SIGNER_UNAVAILABLE', exit: 4});
      return error.text;
    };
    expect(await messages({VAULT_ADDR: expired.address, VAULT_CACERT: expired.file('tls-ca.pem')})).toContain(
      'expired',
    );
    const {port} = new URL(plain.address);
    expect(await messages({VAULT_ADDR: `https://127.0.0.1:${port}`})).toContain('does not use TLS');
    await Promise.all([expired.close(), plain.close()]);
    expect(await messages({VAULT_ADDR: `https://127.0.0.1:${port}`})).toContain('connection refused');
  });
});

describe('a server that refuses', () => {
  const denied = errors(403, 'permission denied');
  it.each<readonly [what: string, answers: Readonly<Record<string, FakeAnswer>>, expected: string]>([
    ['no such mount', {[survey]: denied}, 'no PKI secrets engine is mounted at pki'],
    [
      'no such mount, openly',
      {[survey]: errors(404, 'no handler for route "pki/x"')},
      'no PKI secrets engine is mounted at pki',
    ],
    [
      'another engine',
      {[survey]: {status: 404, body: {data: null, warnings: ['Invalid path']}}},
      'not a PKI secrets engine',
    ],
    ['no namespace', {[survey]: errors(404, 'namespace not found')}, 'no namespace'],
    ['no issuer yet', {[survey]: errors(500, 'no default issuer currently configured')}, 'no default issuer'],
    [
      'a token without the policy',
      {'POST sys/capabilities-self': {status: 200, body: {data: {capabilities: ['deny']}}}},
      'path "pki/root/sign-intermediate" { capabilities = ["update"] }',
    ],
    ['a token without the policy, on signing', {[sign]: denied}, '(policies: default, mesh)'],
    [
      'an expired token',
      {
        'POST sys/capabilities-self': denied,
        'GET auth/token/lookup-self': denied,
        'GET sys/internal/ui/mounts/pki': denied,
      },
      'expired',
    ],
    ["the server's reason", {[sign]: errors(400, 'common name not\u001b[31m allowed')}, 'common name not allowed'],
    ['a response without a certificate', {[sign]: {status: 200, body: {data: {certificate: 'none'}}}}, 'certificate'],
    ['an empty response', {[sign]: {status: 204}}, 'certificate'],
  ])('is explained: %s', async (_, answers, expected) => {
    for (const [route, answer] of Object.entries(answers)) vault.on(route, answer);
    const error = await refusal();
    expect(error).toMatchObject({code: 'SIGNER_REFUSED', exit: 1});
    expect(error.text).toContain(expected);
  });

  it('has its issuers listed if the name is wrong, with the nearest one as a suggestion', async () => {
    vault.on('GET pki/issuer/mesh-polcy/json', errors(500, 'unable to find PKI issuer for reference: mesh-polcy'));
    vault.on('GET pki/issuers?list=true', {
      status: 200,
      body: {
        data: {keys: ['1-2', '3-4'], key_info: {'1-2': {issuer_name: 'mesh-policy', key_id: '5'}, '3-4': {key_id: ''}}},
      },
    });
    const error = await refusal('{type: vault, issuer: mesh-polcy}');
    expect(error).toMatchObject({code: 'SIGNER_REFUSED', exit: 1});
    expect(error.hints).toEqual(['did you mean mesh-policy?', 'available issuers: mesh-policy']);
  });

  it('receives one retry if it was too busy', async () => {
    vault.on(sign, errors(429, 'rate limit quota exceeded'));
    vault.on('GET sys/health', health(200, {}));
    expect(await refusal()).toMatchObject({code: 'SIGNER_UNAVAILABLE', exit: 4});
    expect(vault.requests.filter(({route}) => route === sign)).toHaveLength(2);
  });
});

describe('a login', () => {
  const login = 'POST auth/robots/login';
  const approle = '{type: vault, auth: {method: approle, mount: auth/robots/, roleId: mesh}}';
  const granted: FakeAnswer = {status: 200, body: {auth: {client_token: token}}};

  it('by AppRole sends the secret ID from the environment, and revokes its token', async () => {
    vault.on(login, granted);
    vault.on('POST auth/token/revoke-self', {status: 204});
    expect((await generate(approle, {VAULT_TOKEN: '', VAULT_SECRET_ID: 'a-secret'})).code).toBe(0);
    expect(vault.requests.map(({route}) => route)).toEqual([survey, login, sign, 'POST auth/token/revoke-self']);
    expect(vault.requests[1]?.body).toEqual({role_id: 'mesh', secret_id: 'a-secret'});
    expect(vault.requests.slice(2).map(({headers}) => headers['x-vault-token'])).toEqual([token, token]);
  });

  it('revokes its token after a refusal as well', async () => {
    vault.on(login, granted);
    vault.on(sign, errors(400, 'no'));
    await refusal(approle, {VAULT_TOKEN: ''});
    expect(vault.requests.at(-1)?.route).toBe('POST auth/token/revoke-self');
  });

  it('is not attempted in a dry run: a secret ID may be valid for one login only', async () => {
    expect((await generate(approle, {VAULT_SECRET_ID: 'a-secret'}, '--dry-run')).code).toBe(0);
    expect(vault.requests).toEqual([]);
  });

  it('by Kubernetes sends the token of the service account', async () => {
    await dir.write('sa-token', 'a.b.c\n', 0o600);
    vault.on('POST auth/kubernetes/login', granted);
    const signer = '{type: vault, auth: {method: kubernetes, role: mesh, tokenFile: sa-token}}';
    expect((await generate(signer, {VAULT_TOKEN: ''})).code).toBe(0);
    expect(vault.requests[1]?.body).toEqual({role: 'mesh', jwt: 'a.b.c'});
  });

  it.each<readonly [what: string, answer: FakeAnswer, expected: string]>([
    ['a wrong secret ID', errors(400, 'invalid role or secret ID'), 'generate a new secret ID'],
    ['no such method', errors(403, 'permission denied'), 'auth.mount'],
    ['a second factor', {status: 200, body: {auth: {client_token: '', mfa_requirement: {}}}}, 'second factor'],
  ])('that is rejected is explained: %s', async (_, answer, expected) => {
    vault.on(login, answer);
    const error = await refusal(approle, {VAULT_TOKEN: '', VAULT_SECRET_ID: token});
    expect(error).toMatchObject({code: 'SIGNER_REFUSED', exit: 1});
    expect(error.text).toContain(expected);
  });
});

describe('Vault before 1.11, which has one issuer in a mount', () => {
  it('is requested through the older path', async () => {
    vault.on(survey, errors(404, 'unsupported path'));
    for (const [path, file] of [
      ['ca', 'policy.pem'],
      ['ca_chain', 'root.pem'],
    ] as const) {
      const certificate = readFileSync(vault.file(file), 'utf8');
      vault.on(`GET pki/cert/${path}`, {status: 200, body: {data: {certificate}}});
    }
    expect(await generate('vault')).toMatchObject({code: 0});
  });
});
