/** `certs generate` with the root in a cluster's Secret (`trust.signer: {type: cluster}`). */
import {X509Certificate} from 'node:crypto';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import {namespace, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {type FakeKube, startFakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {openssl, temporaryFiles} from '../helpers/openssl.js';
import {type OpensslCa, opensslCa} from '../helpers/openssl-ca.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const context = 'ctx-one';
let kube: FakeKube;
let dir: TestWorkDir;
let root: OpensslCa;
beforeEach(async () => {
  [kube, dir] = await Promise.all([startFakeKube([context]), createWorkDir()]);
  kube.cluster(context).put(namespace('istio-system'));
  root = opensslCa({subject: '/O=cluster.local'});
});
afterEach(async () => {
  await Promise.all([kube.stop(), dir.dispose()]);
});

const pem = (ca: OpensslCa) => ({'ca-cert.pem': ca.certificate, 'ca-key.pem': ca.key});
/** As istiod up to 1.19 writes it: the other two keys exist and are empty. */
const oldSecret = (ca: OpensslCa) => ({...pem(ca), 'root-cert.pem': '', 'cert-chain.pem': '', 'key.pem': ''});
const put = (data: Record<string, string>, name = 'istio-system/istio-ca-secret') =>
  kube.cluster(context).put(secret(name, data, {type: 'istio.io/ca-root'}));

const generate = (signer: string, ...argv: string[]): Promise<CommandRun> =>
  runCommand(
    CertsGenerate,
    [...argv, '-w', dir.root, '--key-algorithm', 'ecdsa-p256', '--signer', signer, '-o', 'json'],
    {PATH: kube.path},
  );
const byCluster = `{type: cluster, context: ${context}}`;

interface Answer {
  readonly root: {readonly outcome: string; readonly protection?: string};
  readonly clusters: readonly {
    readonly outcome: string;
    readonly error?: {readonly code: string; readonly message: string};
  }[];
  readonly errors: readonly {readonly code: string; readonly message: string}[];
}
function refusal(run: CommandRun): {readonly code: string; readonly message: string} | undefined {
  const {errors, clusters} = answerOf(run) as Answer;
  return [...errors, ...clusters.flatMap(({error}) => (error ? [error] : []))][0];
}

async function expectVerified(cluster: string): Promise<void> {
  const output = openssl([
    ...['verify', '-x509_strict', '-CAfile', `${dir.root}/root-cert.pem`],
    ...['-untrusted', `${dir.root}/${cluster}/cert-chain.pem`, `${dir.root}/${cluster}/ca-cert.pem`],
  ]);
  expect(output).toContain('OK');
  const bare = root.key.replace(/-----[^-]+-----|\s/g, '');
  for (const text of Object.values(await dir.snapshot())) expect(text.replace(/\s/g, '')).not.toContain(bare);
}

const fingerprint = (certificate: string) => new X509Certificate(certificate).fingerprint256;

describe('a root in a Secret', () => {
  it.each([
    {name: 'of an istiod up to 1.19', data: () => oldSecret(root)},
    {name: 'of an istiod since 1.20', data: () => ({...oldSecret(root), 'root-cert.pem': root.certificate})},
    {name: 'of type kubernetes.io/tls', data: () => ({'tls.crt': root.certificate, 'tls.key': root.key})},
  ])("$name signs, becomes the mesh's root, and its key is not written to disk", async ({data}) => {
    put(data());
    const run = await generate(byCluster, 'one', 'two');
    expect(run.code).toBe(0);
    expect(answerOf(run)).toMatchObject({root: {outcome: 'done', protection: 'elsewhere'}});
    expect(fingerprint(await dir.read('root-cert.pem'))).toBe(fingerprint(root.certificate));
    await expectVerified('one');
    await expectVerified('two');
    expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY');
    const secrets = kube.cluster(context).requests.filter(({resource}) => resource === 'secrets');
    expect(secrets.map(({verb, name}) => `${verb} ${name ?? ''}`)).toEqual(['get istio-ca-secret']);
    expect(kube.cluster(context).writes).toEqual([]);
  });

  it('may have another name and namespace, and an issuer above it: the complete chain is written', async () => {
    kube.cluster(context).put(namespace('pki'));
    const policy = opensslCa({
      subject: '/O=Acme/CN=Policy CA',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', 'keyUsage=critical,keyCertSign'],
    });
    const chain = {'cert-chain.pem': `${policy.certificate}${root.certificate}`, 'root-cert.pem': root.certificate};
    put({...pem(policy), ...chain}, 'pki/mesh-policy');
    const run = await generate(`{type: cluster, context: ${context}, namespace: pki, secret: mesh-policy}`, 'one');
    expect(run.code).toBe(0);
    await expectVerified('one');
    expect((await dir.read('one/cert-chain.pem')).match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(fingerprint(await dir.read('root-cert.pem'))).toBe(fingerprint(root.certificate));
  });

  it('is read from the Istio namespace in mesh.yaml', async () => {
    kube.cluster(context).put(namespace('mesh-system'));
    put(oldSecret(root), 'mesh-system/istio-ca-secret');
    const istio =
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nistio: {namespace: mesh-system}\nclusters: [{name: one}]\n';
    await dir.write('mesh.yaml', istio);
    expect((await generate(byCluster, 'one')).code).toBe(0);
  });

  it('that istiod renewed with the same key still signs under the root that clusters trust', async () => {
    const clusters = 'clusters: [{name: one}, {name: two}]';
    await dir.write('mesh.yaml', `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${clusters}\n`);
    put(oldSecret(root));
    await generate(byCluster, 'one');
    const before = await dir.read('root-cert.pem');
    put(oldSecret(opensslCa({subject: '/O=cluster.local', key: root.key})));
    expect((await generate(byCluster, 'one', 'two')).code).toBe(0);
    expect(await dir.read('root-cert.pem')).toBe(before);
    await expectVerified('two');
  });

  it('is read once for several signatures, and not at all without any', async () => {
    put(oldSecret(root));
    await generate(byCluster, 'one');
    kube.cluster(context).requests.splice(0);
    expect((await generate(byCluster, 'one')).code).toBe(0);
    expect(kube.cluster(context).requests).toEqual([]);
  });
});

describe('a refusal', () => {
  const cluster = () => kube.cluster(context);
  const encrypted = () => {
    const path = temporaryFiles({key: root.key});
    return openssl(['pkcs8', '-topk8', '-in', path('key'), '-passout', 'pass:secret']);
  };
  const clusterCa = () =>
    opensslCa({
      subject: '/O=Istio/CN=Intermediate CA',
      issuer: root,
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:0', 'keyUsage=critical,keyCertSign'],
    });
  const cases: readonly {
    name: string;
    arrange: () => unknown;
    signer?: string;
    code: string;
    says: string;
    exit: number;
  }[] = [
    {name: 'no such Secret', arrange: () => undefined, code: 'SIGNER_UNAVAILABLE', says: 'not found', exit: 4},
    {
      name: 'no such context',
      arrange: () => undefined,
      signer: '{type: cluster, context: nowhere}',
      code: 'CONTEXT_MISSING',
      says: 'nowhere',
      exit: 4,
    },
    {
      name: 'a Secret we may not read',
      arrange: () => cluster().deny({verb: 'get', resource: 'secrets'}),
      code: 'FORBIDDEN',
      says: 'istio-ca-secret',
      exit: 4,
    },
    {
      name: 'an API server that does not answer',
      arrange: () => cluster().fault({resource: 'secrets'}, {status: 503, message: 'etcd is gone'}, 20),
      code: 'API_ERROR',
      says: 'etcd is gone',
      exit: 4,
    },
    {
      name: 'a Secret without the key',
      arrange: () => put({'ca-cert.pem': root.certificate}),
      code: 'CA_FILES_INVALID',
      says: 'ca-key.pem',
      exit: 2,
    },
    {
      name: 'a Secret whose keys are empty',
      arrange: () => put({'ca-cert.pem': '', 'ca-key.pem': '\n'}),
      code: 'CA_FILES_INVALID',
      says: 'no ca-cert.pem and no ca-key.pem',
      exit: 2,
    },
    {
      name: 'a key of another CA',
      arrange: () => put({...pem(root), 'ca-key.pem': opensslCa({subject: '/CN=other'}).key}),
      code: 'CA_FILES_INVALID',
      says: 'ca-key.pem is not the key of ca-cert.pem',
      exit: 2,
    },
    {
      name: 'an encrypted key',
      arrange: () => put({...pem(root), 'ca-key.pem': encrypted()}),
      code: 'CA_FILES_INVALID',
      says: 'encrypted',
      exit: 2,
    },
    {
      name: 'a key that is none',
      arrange: () => put({...pem(root), 'ca-key.pem': 'not PEM'}),
      code: 'NOT_PEM',
      says: 'ca-key.pem',
      exit: 2,
    },
    {
      name: 'the CA of a cluster taken for a root, as the Makefile takes it',
      arrange: () => put({...pem(clusterCa()), 'root-cert.pem': root.certificate}, 'istio-system/cacerts'),
      signer: `{type: cluster, context: ${context}, secret: cacerts}`,
      code: 'CA_FILES_INVALID',
      says: 'path length 0',
      exit: 2,
    },
    {
      name: 'a certificate that is no CA',
      arrange: () => put(pem(opensslCa({subject: '/CN=leaf', extensions: ['basicConstraints=CA:FALSE']}))),
      code: 'WORKDIR_CONFLICT',
      says: 'CA',
      exit: 2,
    },
    {
      name: 'a CA whose key usage does not allow signing',
      arrange: () => {
        const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,digitalSignature'];
        put(pem(opensslCa({subject: '/CN=shy', extensions})));
      },
      code: 'WORKDIR_CONFLICT',
      says: 'key',
      exit: 2,
    },
    {
      name: "another root than the mesh's",
      arrange: async () => {
        await dir.write('root-cert.pem', opensslCa({subject: '/O=cluster.local'}).certificate);
        put(oldSecret(root));
      },
      code: 'WORKDIR_CONFLICT',
      says: 'does not chain to',
      exit: 2,
    },
  ];

  it.each(cases)(
    '$name, with a specific message, and nothing is written',
    async ({arrange, signer, code, says, exit}) => {
      await arrange();
      const before = await dir.snapshot();
      const run = await generate(signer ?? byCluster, 'one');
      expect(refusal(run)).toMatchObject({code, message: expect.stringContaining(says) as string});
      expect(run.code).toBe(exit);
      expect(run.stdout + run.stderr).not.toContain('PRIVATE KEY');
      expect(await dir.snapshot()).toEqual(before);
    },
  );
});
