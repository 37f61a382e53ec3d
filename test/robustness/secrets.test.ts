import {existsSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {fileURLToPath} from 'node:url';
import {secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {opensslCa} from '../helpers/openssl-ca.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {startFakeMonitor} from '../helpers/fake-istiod.js';
import {reader, readRemotes} from '../helpers/link-mesh.js';
import {istiod, pod} from '../helpers/trust-mesh.js';
import {startFakeVault} from '../helpers/fake-vault.js';
import {clusterNames, emptyBox, meshBox, passphrase, snapshot, type Box} from './harness/box.js';
import {builtCommands} from './harness/commands.js';
import {keyNeedles, leaks, type Needle} from './harness/needles.js';

let box: Box;
let kube: FakeKube;
let istioctl: FakeIstioctl;
let record: string;
const openSslFile = fileURLToPath(new URL('../../examples/signers/openssl-file.sh', import.meta.url));
/** Opens the root key for a while. */
const otherPassphrase = 'a passphrase for an hour';
const keys: Needle[] = [
  {what: 'the passphrase', text: passphrase},
  {what: 'the other passphrase', text: otherPassphrase},
];
/** Keys that were in the work directory at any time. */
const seen = new Set<string>();
const ran = new Set<string>();

beforeAll(async () => {
  kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
  istioctl = await startFakeIstioctl(kube.bin);
  box = await meshBox([kube.bin]);
  record = join(box.dir, 'record');
  for (const [tool, real] of [
    ['kubectl', join(kube.bin, 'kubectl')],
    ['istioctl', join(kube.bin, 'istioctl')],
    ['git', '/usr/bin/env -i PATH=/usr/bin:/bin git'],
    ['sh', '/bin/sh'],
  ] as const) {
    const dump = `{ echo "== ${tool}"; tr '\\0' '\\n' < /proc/$$/cmdline; tr '\\0' '\\n' < /proc/$$/environ; } >> ${record}`;
    await box.tool(tool, `${dump}\nexec ${real} "$@"`);
  }
  await box.put('../passphrase', `${passphrase}\n`);
  await collectKeys();
});

afterAll(async () => {
  await istioctl.stop();
  await kube.stop();
  await box.dispose();
});

/** The tokens with which clusters read each other, as they stand in remote secrets now. */
function tokenNeedles(): readonly Needle[] {
  return clusterNames.flatMap((name) =>
    kube
      .cluster(`ctx-${name}`)
      .all('Secret')
      .filter(({metadata}) => metadata.labels?.['istio/multiCluster'] === 'true')
      .flatMap(({metadata}) => {
        const what = `the token in ${metadata.name} of ${name}`;
        const data = kube.cluster(`ctx-${name}`).secretText(`istio-system/${metadata.name}`);
        return Object.values(data).flatMap((kubeconfig) => {
          const token = /token: (\S+)/.exec(kubeconfig)?.[1] ?? '';
          const [, claims = ''] = token.split('.');
          // Also within the encoded kubeconfig, at each of the three positions of base64.
          const encoded = [0, 1, 2].map((skip) => Buffer.from(claims.slice(skip)).toString('base64').slice(0, 60));
          return [claims, ...encoded].map((text) => ({what, text}));
        });
      }),
  );
}

/** The root key is under another passphrase for a while. */
function openWithEither(file: string, pem: string): readonly Needle[] {
  try {
    return keyNeedles(file, pem, passphrase);
  } catch {
    return keyNeedles(file, pem, otherPassphrase);
  }
}

/** Learns the forms of every key that is in the work directory now. */
async function collectKeys(): Promise<void> {
  for (const [file, text] of Object.entries(await snapshot(box.work))) {
    const pem = text.slice(text.indexOf('-----BEGIN'));
    if (!file.endsWith('key.pem') || seen.has(pem)) continue;
    seen.add(pem);
    keys.push(...openWithEither(file, pem));
  }
}

/** The places that must not contain a secret after a run: its output, its children's input, every file but keys. */
async function expectNoLeak(what: string, output: string): Promise<void> {
  await collectKeys();
  const needles = [...keys, ...tokenNeedles()];
  expect(leaks(output, needles), `${what}: its output`).toEqual([]);
  if (existsSync(record)) {
    const children = await readFile(record, 'utf8');
    expect(leaks(children, needles), `${what}: arguments and environment of children`).toEqual([]);
    expect(children).not.toMatch(/KUBECTL_MESH_(?:NEW_)?PASSPHRASE/);
  }
  for (const [file, text] of Object.entries(await snapshot(box.work))) {
    if (!file.endsWith('key.pem')) expect(leaks(text, needles), `${what}: ${file}`).toEqual([]);
  }
  expect(await snapshot(box.tmp), what).toEqual({});
}

async function sweep(words: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const run = await box.run(words, {env: {...box.env, ...env}});
  const command = builtCommands().find((id) => words.join(' ').startsWith(id));
  if (command !== undefined) ran.add(command);
  await expectNoLeak(words.join(' '), run.stdout + run.stderr);
  return run.stdout + run.stderr;
}

/** What is run one after the other on one work directory and its clusters. */
const runs: readonly (readonly [what: string, words: readonly string[], env?: Record<string, string>])[] = [
  ['init', ['init', 'cluster1']],
  ['everything there', ['certs', 'generate']],
  ['renewal by the variable', ['certs', 'generate', 'cluster1', '--renew', '--yes']],
  ['renewal by a file', ['certs', 'generate', 'cluster2', '--renew', '--yes', '--passphrase-file', '../passphrase']],
  [
    'renewal by a command, as JSON',
    ['certs', 'generate', 'cluster2', '--renew', '--yes', '--passphrase-command', 'cat ../passphrase', '-o', 'json'],
  ],
  [
    'a passphrase command that fails',
    ['certs', 'generate', '--renew', '--yes', '--passphrase-command', 'cat ../passphrase; exit 1'],
  ],
  ['a wrong passphrase', ['certs', 'generate', '--renew', '--yes'], {KUBECTL_MESH_PASSPHRASE: `${passphrase}-wrong`}],
  ['wrong usage', ['certs', 'generate', '--obliterate', '--json']],
  [
    "oclif's debugging",
    ['certs', 'generate', 'cluster3', '--renew', '--yes'],
    {DEBUG: '*', NODE_DEBUG: 'child_process,fs'},
  ],
  [
    'a request for a CA elsewhere',
    ['certs', 'request', 'one', '-w', 'elsewhere', '--key-algorithm', 'ecdsa-p256', '-o', 'json'],
    {DEBUG: '*'},
  ],
  ['an answer with another key', ['certs', 'import', 'one', 'cluster1/ca-cert.pem', '-w', 'elsewhere', '-o', 'json']],
  ['a key as an answer', ['certs', 'import', 'one', 'elsewhere/one/request/ca-key.pem', '-w', 'elsewhere']],
  ['list', ['certs', 'list', '-o', 'wide']],
  ['list for Prometheus, live', ['certs', 'list', '--live', '-o', 'prometheus']],
  ['list as JSON, live', ['certs', 'list', '--live', '-o', 'json']],
  ['alert rules', ['monitor', 'rules']],
  ['list as JSON', ['certs', 'list', '-o', 'json']],
  ['inspect a cluster', ['certs', 'inspect', 'cluster1', '-o', 'json']],
  ['inspect a key', ['certs', 'inspect', 'cluster1/ca-key.pem']],
  ['inspect the root key', ['certs', 'inspect', 'root-key.pem', '-o', 'json']],
  ['files in canonical form', ['certs', 'rewrite', '--remove-expired-roots', '--yes', '-o', 'json']],
  ['a workload certificate', ['certs', 'workload', 'shop/cart', '--cluster', 'cluster1', '-o', 'json']],
  ['another one', ['certs', 'workload', 'shop/cart', '--cluster', 'cluster1', '--renew', '--yes']],
  ['another passphrase', ['certs', 'passphrase', '-o', 'json'], {KUBECTL_MESH_NEW_PASSPHRASE: otherPassphrase}],
  [
    'and the first one again, with debugging',
    ['certs', 'passphrase', '--new-passphrase-command', 'cat ../passphrase'],
    {KUBECTL_MESH_PASSPHRASE: otherPassphrase, KUBECTL_MESH_NEW_PASSPHRASE: otherPassphrase, DEBUG: '*'},
  ],
  ['a dry run of push', ['trust', 'push', '--dry-run', '-o', 'json']],
  ['a dry run of push on the server', ['trust', 'push', '--dry-run=server']],
  ['push', ['trust', 'push', 'cluster1', 'cluster2', '-o', 'wide']],
  [
    'push as JSON, with debugging',
    ['trust', 'push', 'cluster3', '-o', 'json'],
    {DEBUG: '*', NODE_DEBUG: 'http,net,child_process'},
  ],
  ['diff', ['trust', 'diff', '-o', 'json']],
  ['renewal before a change', ['certs', 'generate', 'cluster1', '--renew', '--yes']],
  ['diff that differs', ['trust', 'diff', '-o', 'wide']],
  ['push of a change', ['trust', 'push', '--yes', '-o', 'json']],
  ['rollback', ['trust', 'rollback', 'cluster1', '--yes', '-o', 'json']],
  ['rollback, forgotten', ['trust', 'rollback', 'cluster1', '--forget', '--yes']],
  ['rotation, planned', ['trust', 'rotate', 'cluster-ca', '--dry-run=server']],
  ['rotation', ['trust', 'rotate', 'cluster-ca', '--yes', '-o', 'json'], {DEBUG: '*', NODE_DEBUG: 'http,net'}],
  ['render', ['install', 'render']],
  ['render to standard output', ['install', 'render', 'cluster1', '--output-file', '-']],
  ['apply', ['install', 'apply', '-o', 'json']],
  [
    'adoption',
    ['certs', 'adopt', 'cluster1=ctx-cluster1', 'cluster2=ctx-cluster2', '--with-keys', '--yes', '-o', 'json'],
  ],
  ['link, refused without Istio', ['link', '-o', 'json']],
  ['unlink, planned', ['unlink', 'cluster2', '--dry-run']],
  ['unlink', ['unlink', 'cluster2', '--yes', '-o', 'json'], {DEBUG: '*', NODE_DEBUG: 'http,net,child_process'}],
  ['verify', ['verify', '--access']],
  ['who can reach the keys', ['access', 'show', '-o', 'json']],
  ['roles', ['access', 'role', '--role', 'installer']],
  ['the role for renewals', ['access', 'role', '--role', 'renewer']],
  ['the journal', ['journal', 'show', '-o', 'wide']],
  ['the journal as JSON', ['journal', 'show', '-o', 'json']],
  ['the journal, verified', ['journal', 'verify', '-o', 'json']],
  ['verify as JSON', ['verify', '-o', 'json']],
  ['up', ['up', '--yes', '--timeout', '4s', '-o', 'json']],
];

describe('no key and no passphrase is seen outside key files', () => {
  it('in output, children, journal or files of any of these runs', async () => {
    for (const [, words, env] of runs) await sweep(words, env);
    expect([...ran].sort()).toEqual(builtCommands());
    // Far enough to be worth looking at: istioctl was given a file, clusters hold what was pushed.
    expect(istioctl.calls.length).toBeGreaterThan(0);
    const children = await readFile(record, 'utf8');
    // The record is one: each tool was seen at work.
    for (const tool of ['kubectl', 'istioctl', 'git', 'sh']) expect(children).toContain(`== ${tool}`);
  });

  it('when the API server refuses, conflicts, breaks off or fails', async () => {
    const cluster = kube.cluster('ctx-cluster2');
    for (const fault of [
      {status: 403},
      {status: 409},
      {status: 422, message: 'Secret "cacerts" is invalid'},
      {status: 500},
      {status: 200, text: '<html>'},
      'drop',
      'apply-and-drop',
    ] as const) {
      await sweep(['certs', 'generate', 'cluster2', '--renew', '--yes']);
      cluster.fault({resource: 'secrets', verb: 'update'}, fault, 1);
      await sweep(['trust', 'push', 'cluster2', '--yes', '-o', 'json']);
    }
  });

  it('when clusters are linked, and links are renewed, undone and refused', async () => {
    const monitors = await Promise.all(clusterNames.map((name) => startFakeMonitor(name, {})));
    const status: Record<string, string> = {};
    for (const [index, name] of clusterNames.entries()) {
      const [cluster, monitor] = [kube.cluster(`ctx-${name}`), monitors[index]];
      if (!monitor) throw new Error('no monitor');
      for (const object of reader()) cluster.put(object);
      cluster.put(istiod('1.31.0', {CLUSTER_ID: name}));
      cluster.put(pod('istio-system/istiod-1', {}, {app: 'istiod'}));
      cluster.forwards['istiod-1'] = {'15014': monitor.port};
      readRemotes(
        cluster,
        {name, monitor, status},
        clusterNames.map((other) => [other, kube.cluster(`ctx-${other}`)]),
      );
    }
    const debugging = {DEBUG: '*', NODE_DEBUG: 'http,net,child_process'};
    expect(await sweep(['link', '-o', 'json'], debugging)).toContain('"done"');
    expect(tokenNeedles().length).toBeGreaterThan(0);
    for (const name of clusterNames)
      kube.cluster(`ctx-${name}`).remove('Secret', 'istio-system/kubectl-mesh-reader-cluster1');
    expect(await sweep(['link', '--renew-only', '-o', 'json'], debugging)).toContain('"finding"');
    expect(await sweep(['link', '-o', 'wide'], debugging)).toContain('renewed');
    kube.cluster('ctx-cluster2').remove('Secret', 'istio-system/kubectl-mesh-reader-cluster1');
    status.cluster2 = 'timeout';
    expect(await sweep(['link', 'cluster1', '-o', 'json'], debugging)).toContain('NOT_SYNCED');
    for (const fault of [{status: 403}, {status: 500}, 'apply-and-drop'] as const) {
      kube.cluster('ctx-cluster1').fault({resource: 'secrets', verb: 'update'}, fault, 1);
      await sweep(['link', 'cluster1', '-o', 'json'], debugging);
      kube.cluster('ctx-cluster2').fault({resource: 'tokenreviews'}, fault, 1);
      await sweep(['link', 'cluster1'], debugging);
    }
    status.cluster2 = 'synced';
    expect(await sweep(['unlink', 'cluster2', '--dry-run', '-o', 'json'], debugging)).toContain('istio-remote-secret');
    await sweep(['unlink', 'cluster2', '--yes', '-o', 'json'], debugging);
    for (const monitor of monitors) monitor.close();
  });

  it('when the program itself crashes at the key, with its stack', async () => {
    // A fault that no code expects, at the moment when the key is written.
    const preload = `
      import fs from 'node:fs'; import {syncBuiltinESMExports} from 'node:module';
      const {open} = fs.promises; let keys = 0;
      fs.promises.open = async (path, ...rest) => {
        const file = await open(path, ...rest);
        const {writeFile} = file;
        file.writeFile = async (text, ...more) => {
          if (String(text).includes('PRIVATE KEY')) { const error = new TypeError('forced'); error.content = text; throw error; }
          return writeFile.call(file, text, ...more);
        };
        return file;
      };
      syncBuiltinESMExports();`;
    const NODE_OPTIONS = `--import=data:text/javascript;base64,${Buffer.from(preload).toString('base64')}`;
    for (const more of [[], ['-o', 'json']]) {
      const output = await sweep(['certs', 'generate', 'cluster1', '--renew', '--yes', ...more], {
        NODE_OPTIONS,
        NODE_ENV: 'development',
        DEBUG: '*',
      });
      expect(output).toContain('forced');
    }
  });

  it('when the root lies in a cluster, or in a program, and signs from there', async () => {
    const root = opensslCa({subject: '/O=cluster.local'});
    keys.push(...keyNeedles('istio-ca-secret', root.key, passphrase));
    kube
      .cluster('ctx-cluster1')
      .put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': root.certificate, 'ca-key.pem': root.key}));
    const generate = async (directory: string, signer: string) => {
      const words = ['certs', 'generate', 'x', '-w', directory, '--key-algorithm', 'ecdsa-p256', '-o', 'json'];
      const debugging = {DEBUG: '*', NODE_DEBUG: 'http,net,child_process'};
      const output = await sweep([...words, '--signer', signer], debugging);
      await rm(join(box.work, directory), {recursive: true});
      return output;
    };
    expect(await generate('from-cluster', '{type: cluster, context: ctx-cluster1}')).toContain('"done"');
    await box.put('../signing-key.pem', root.key);
    const program = `{type: command, argv: [${openSslFile}, ${join(box.dir, 'signing-key.pem')}]}`;
    expect(await generate('from-program', program)).toContain('"done"');
  });

  it('by the cluster: the root key and the passphrase never get there, a cluster key in its Secret only', () => {
    let written = 0;
    for (const name of clusterNames) {
      for (const {verb, resource, body, url} of kube.cluster(`ctx-${name}`).requests) {
        const text = `${url}\n${body === undefined ? '' : JSON.stringify(body)}`;
        const found = new Set(leaks(text, keys));
        written += found.size;
        expect(
          [...found].filter((what) => what === 'root-key.pem' || what === 'the passphrase'),
          url,
        ).toEqual([]);
        if (found.size > 0)
          expect(['create', 'update', 'patch'].includes(verb) && resource === 'secrets', url).toBe(true);
        if (found.size > 0)
          expect(
            [...found].every((what) => what === `${name}/ca-key.pem`),
            url,
          ).toBe(true);
      }
    }
    // The search finds keys where they are.
    expect(written).toBeGreaterThan(3);
  });

  it('a key written in the clear on purpose is seen in its file only', async () => {
    for (const name of ['root-key.pem', 'root-cert.pem', ...clusterNames]) {
      await rm(join(box.work, name), {recursive: true, force: true});
    }
    await sweep(['certs', 'generate', 'cluster1', '--no-passphrase', '-o', 'json']);
    expect(await box.read('root-key.pem')).toContain('-----BEGIN PRIVATE KEY-----');
  });
});

describe('no token and no secret ID of Vault is seen', () => {
  const token = 'hvs.CAESIJnobodymayseethis-0123456789';
  const secretId = '5f1a7c1e-nobody-may-see-this-either';
  const vaultNeedles: readonly Needle[] = [
    {what: 'the token', text: token},
    {what: 'the secret ID', text: secretId},
  ];
  const appRole = '{type: vault, auth: {method: approle, roleId: mesh}}';

  it('in output, children, journal or files, also when Vault refuses', async () => {
    const vault = await startFakeVault();
    const own = await emptyBox();
    try {
      const children = join(own.dir, 'record');
      for (const [tool, real] of [
        ['git', '/usr/bin/git'],
        ['kubectl', '/bin/false'],
      ] as const) {
        await own.tool(tool, `tr '\\0' '\\n' < /proc/$$/environ >> ${children}\nexec ${real} "$@"`);
      }
      vault.on('POST auth/approle/login', {status: 200, body: {auth: {client_token: token}}});
      vault.on('POST auth/token/revoke-self', {status: 204});
      const debugging = {DEBUG: '*', NODE_DEBUG: 'http,https,net,tls,child_process,fs'};
      const base = {VAULT_ADDR: vault.address, VAULT_CACERT: vault.file('tls-ca.pem')};
      const withToken = {...base, VAULT_TOKEN: token, BAO_SECRET_ID: secretId};
      const look = async (words: readonly string[], env: Readonly<Record<string, string>>, code: number) => {
        const run = await own.run(words, {env: {...own.env, ...env}});
        expect(run.code, run.stderr.slice(-2000)).toBe(code);
        expect(leaks(run.stdout + run.stderr, vaultNeedles), `${words.join(' ')}: its output`).toEqual([]);
        for (const [file, text] of Object.entries(await snapshot(own.work))) {
          expect(leaks(text, vaultNeedles), `${words.join(' ')}: ${file}`).toEqual([]);
        }
      };
      const make = ['certs', 'generate', 'one', '--key-algorithm', 'ecdsa-p256', '--yes'];
      await look([...make, '--signer', 'vault', '--dry-run'], {...withToken, ...debugging}, 0);
      await look([...make, '--signer', 'vault'], {...withToken, ...debugging}, 0);
      await look([...make, '--renew', '-o', 'json'], withToken, 0);
      vault.on('POST pki/root/sign-intermediate', {status: 400, body: {errors: [`no: ${token}`]}});
      await look([...make, '--renew', '-o', 'json'], {...withToken, ...debugging}, 1);
      vault.on('POST pki/root/sign-intermediate', {status: 200, body: `<html>X-Vault-Token: ${token}</html>`});
      await look([...make, '--renew'], withToken, 4);
      await rm(join(own.work, 'mesh.yaml'));
      vault.on('POST pki/root/sign-intermediate', {status: 403, body: {errors: ['permission denied']}});
      const login = {...base, VAULT_SECRET_ID: secretId, ...debugging};
      await look([...make, '--renew', '--signer', appRole], login, 1);
      // They were needed: the search looks at runs that had them, and at children that ran.
      const sent = JSON.stringify(vault.requests);
      expect(sent).toContain(token);
      expect(sent).toContain(secretId);
      const seenByChildren = await readFile(children, 'utf8');
      expect(seenByChildren).toContain('VAULT_ADDR');
      expect(leaks(seenByChildren, vaultNeedles), 'environment of children').toEqual([]);
    } finally {
      await vault.close();
      await own.dispose();
    }
  });
});
