import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsInspect from '../../src/commands/certs/inspect.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {encryptKey} from '../../src/signers/keys.js';
import {Sensitive} from '../../src/domain/sensitive.js';
import {openssl} from '../helpers/openssl.js';
import type {InspectResult} from '../../src/operations/certs/inspect.js';
import type {AsJson} from '../helpers/suggestions.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {bundleOf, type TinyCa, tinyClusterCa, tinyLeaf, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
let root: TinyCa;
let ca: TinyCa;
beforeEach(async () => {
  dir = await createWorkDir();
  root = await tinyRoot();
  ca = await tinyClusterCa(root, 'cluster1');
});
afterEach(() => dir.dispose());

const run = (...argv: string[]): Promise<CommandRun> => runCommand(CertsInspect, [...argv, '-w', dir.root]);

/** Writes a file and inspects it. */
async function inspect(content: string, ...argv: string[]): Promise<CommandRun> {
  await dir.write('inspected', content);
  return run(`${dir.root}/inspected`, ...argv);
}
const json = async (content: string, ...argv: string[]) => answerOf(await inspect(content, '-o', 'json', ...argv));

function secret(data: Readonly<Record<string, string>>, rest: object = {}): object {
  const encoded = Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {name: 'cacerts', namespace: 'istio-system'},
    data: encoded,
    ...rest,
  };
}
const cacerts = (): Record<string, string> => {
  const bundle = bundleOf(ca, [root]);
  return {
    'ca-cert.pem': bundle.caCert,
    'ca-key.pem': bundle.caKey.reveal(),
    'root-cert.pem': bundle.rootCert,
    'cert-chain.pem': bundle.certChain,
  };
};

describe('certs inspect', () => {
  it('shows all details of a certificate and matches openssl', async () => {
    const answer = (await json(ca.certificate.pem)) as {certificates: Record<string, unknown>[]};
    const text = (...args: string[]) => openssl(['x509', '-noout', ...args], ca.certificate.pem).trim();
    expect(answer).toMatchObject({
      kind: 'file',
      certificates: [
        {
          subject: 'O=Istio, CN=Intermediate CA, L=cluster1',
          ca: true,
          pathLength: 0,
          keyUsage: ['digitalSignature', 'keyCertSign', 'cRLSign'],
          signatureAlgorithm: 'ecdsa-with-SHA256',
          selfSigned: false,
        },
      ],
    });
    const [certificate] = answer.certificates;
    const fingerprint = text('-fingerprint', '-sha256').split('=')[1]?.replaceAll(':', '').toLowerCase();
    expect(certificate?.fingerprint).toBe(fingerprint);
    expect(text('-serial').toLowerCase()).toBe(`serial=${String(certificate?.serial)}`);
  });

  it('reads DER, CRLF, and text around PEM blocks', async () => {
    await dir.write('ca.der', '');
    const der = openssl(['x509', '-outform', 'der', '-out', `${dir.root}/ca.der`], ca.certificate.pem);
    expect(der).toBe('');
    const fingerprints = [
      answerOf(await run(`${dir.root}/ca.der`, '-o', 'json')),
      await json(ca.certificate.pem.replaceAll('\n', '\r\n')),
      await json(openssl(['x509', '-text'], ca.certificate.pem)),
    ].map((answer) => (answer as {certificates: {fingerprint: string}[]}).certificates.map((one) => one.fingerprint));
    expect(fingerprints).toEqual(Array(3).fill([ca.certificate.fingerprint]));
  });

  it('reports whether a certificate belongs to the mesh', async () => {
    await dir.write('root-cert.pem', root.certificate.pem);
    expect(await json(ca.certificate.pem)).toMatchObject({certificates: [{ours: true}], istiod: {loads: true}});
    expect(await json((await tinyRoot()).certificate.pem)).toMatchObject({certificates: [{ours: false}]});
    await dir.remove('root-cert.pem');
    const [certificate] = ((await json(ca.certificate.pem)) as {certificates: object[]}).certificates;
    expect(certificate).not.toHaveProperty('ours');
  });

  it('names the root that it was verified against', async () => {
    const chain = `${ca.certificate.pem}${root.certificate.pem}`;
    expect(await json(ca.certificate.pem)).toMatchObject({istiod: {root: 'none'}});
    await dir.write('root-cert.pem', root.certificate.pem);
    expect(await json(ca.certificate.pem)).toMatchObject({istiod: {root: 'work directory'}});
    expect(await json(chain)).toMatchObject({istiod: {root: 'inspected'}});
    expect((await inspect(ca.certificate.pem)).stdout).toContain("checked against the work directory's root-cert.pem");
  });

  it('evaluates a chain, a trust bundle and a leaf by their role', async () => {
    const leaf = await tinyLeaf(ca);
    const chain = `${ca.certificate.pem}${root.certificate.pem}`;
    expect(await json(chain)).toMatchObject({istiod: {as: 'cert-chain.pem', loads: true, findings: []}});
    expect(await json(`${root.certificate.pem}${ca.certificate.pem}`)).toMatchObject({
      istiod: {as: 'cert-chain.pem', loads: true, findings: [{id: 'chain-order', effect: 'silent'}]},
    });
    expect(await json(root.certificate.pem)).toMatchObject({istiod: {as: 'root-cert.pem', loads: true, findings: []}});
    expect(await json(`${leaf.certificate.pem}${chain}`)).toMatchObject({
      istiod: {loads: false, findings: [{id: 'not-a-ca'}]},
    });
  });

  it('shows only the public half of a private key, and the certificate that it belongs to', async () => {
    const key = writePrivateKey(ca.key).reveal();
    const answer = await json(`${key}${ca.certificate.pem}`);
    expect(answer).toMatchObject({
      keys: [{key: 'ecdsa-p256', publicKeyFingerprint: ca.certificate.spki, belongsTo: [ca.certificate.subject.text]}],
    });
  });

  it('reports how an encrypted key is protected, without a passphrase prompt', async () => {
    const pem = await encryptKey(ca.key, new Sensitive('passphrase'));
    expect(await json(pem.reveal())).toMatchObject({
      keys: [{form: 'encrypted-pkcs8', encryption: {cipher: 'aes-256-cbc', weak: false}, istiod: {loads: false}}],
      istiod: {as: 'ca-key.pem', loads: false, findings: [{id: 'key-format'}]},
    });
    expect((await inspect(pem.reveal())).stdout).toContain('encrypted: reading it requires its passphrase');
  });

  it.each([
    ['JSON', (object: object) => JSON.stringify(object, undefined, 4)],
    [
      'YAML',
      (object: object) => {
        const {data, ...rest} = object as {data: Record<string, string>};
        const lines = Object.entries(data).map(([key, value]) => `  ${key}: ${value}`);
        return `apiVersion: v1\nkind: Secret\nmetadata: ${JSON.stringify((rest as {metadata: object}).metadata)}\ndata:\n${lines.join('\n')}\n`;
      },
    ],
  ])('reads a Secret as kubectl prints it in %s', async (_format, print) => {
    expect(await json(print(secret(cacerts())))).toMatchObject({
      kind: 'secret',
      object: {name: 'cacerts', namespace: 'istio-system'},
      istiod: {as: 'cacerts', loads: true, findings: []},
      keys: [{in: 'ca-key.pem', belongsTo: [ca.certificate.subject.text]}],
    });
  });

  it('evaluates a Secret by the layout that istiod would use', async () => {
    const tls = {
      ...cacerts(),
      'tls.crt': ca.certificate.pem,
      'tls.key': writePrivateKey(root.key).reveal(),
      'ca.crt': root.certificate.pem,
    };
    expect(await json(JSON.stringify(secret(tls, {type: 'kubernetes.io/tls'})))).toMatchObject({
      istiod: {loads: false, findings: [{id: 'key-mismatch'}]},
    });
    const incomplete = Object.fromEntries(Object.entries(cacerts()).filter(([name]) => name !== 'cert-chain.pem'));
    expect(await json(JSON.stringify(secret(incomplete)))).toMatchObject({
      istiod: {loads: false, findings: [{id: 'incomplete'}]},
    });
  });

  it.each([
    ['as PEM', (key: string) => key],
    ['as base64 in a comment', (key: string) => `# ${key.replaceAll(/-----.*-----|\s/g, '')}\n`],
  ])('reports a private key in a public file of a Secret, %s', async (_, form) => {
    const key = form(writePrivateKey(root.key).reveal());
    const published = {...cacerts(), 'root-cert.pem': `${root.certificate.pem}${key}`};
    const inspected = (await json(JSON.stringify(secret(published)))) as AsJson<InspectResult>;
    expect(inspected.istiod?.findings.map(({id}) => id)).toContain('published-key');
  });

  it('notes a private key in the text around the blocks of a file', async () => {
    const notesOf = async (note: string): Promise<readonly string[]> =>
      ((await json(`# ${note}\n${root.certificate.pem}`)) as AsJson<InspectResult>).notes;
    const other = await notesOf('a note');
    const key = await notesOf(
      writePrivateKey(root.key)
        .reveal()
        .replaceAll(/-----.*-----|\s/g, ''),
    );
    expect([other.length, key.length]).toEqual([1, 1]);
    expect(key).not.toEqual(other);
  });

  it('reads a ConfigMap and lists of one', async () => {
    const map = {
      kind: 'ConfigMap',
      metadata: {name: 'istio-ca-root-cert'},
      data: {'root-cert.pem': root.certificate.pem},
    };
    expect(await json(JSON.stringify({kind: 'List', items: [map]}))).toMatchObject({
      kind: 'configmap',
      certificates: [{in: 'root-cert.pem', selfSigned: true}],
    });
  });

  it('accepts the name of a cluster, with or without its key', async () => {
    for (const [name, content] of Object.entries(cacerts())) await dir.write(`cluster1/${name}`, content);
    expect(answerOf(await run('cluster1', '-o', 'json'))).toMatchObject({
      kind: 'cluster',
      istiod: {loads: true, findings: []},
    });
    await dir.remove('cluster1/ca-key.pem');
    expect(answerOf(await run('cluster1', '-o', 'json'))).toMatchObject({keys: [], istiod: {loads: true}});
  });

  it('shows a certificate in several files once', async () => {
    for (const [name, content] of Object.entries(cacerts())) await dir.write(`cluster1/${name}`, content);
    const {stdout} = await run('cluster1');
    expect(stdout.match(/: certificate$/gm)).toEqual([': certificate', ': certificate']);
    expect(stdout).toContain('ca-cert.pem, cert-chain.pem: certificate');
    expect(stdout).toContain('istiod would load this as cacerts');
  });

  it.each([
    ['nothing', '', 'NOT_PEM'],
    ['words', 'hello\n', 'NOT_PEM'],
    ['another object', '{"kind":"Pod"}', 'NOT_PEM'],
    ['several objects', '{"kind":"List","items":[{"kind":"Secret"},{"kind":"Secret"}]}', 'NOT_PEM'],
  ])('rejects %s', async (_what, content, code) => {
    const {code: exit, stdout} = await inspect(content, '--json');
    expect(exit).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({error: {code}});
  });

  it('reports an unreadable block and shows the others', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n';
    const done = await inspect(`${ca.certificate.pem}${broken}`, '-o', 'json');
    expect(done.code).toBe(2);
    expect(answerOf(done)).toMatchObject({certificates: [{ca: true}], problems: [{code: 'NOT_A_CERTIFICATE'}]});
  });

  it('reports a missing file', async () => {
    const missing = await run(`${dir.root}/nothing`, '--json');
    expect(missing.code).toBe(2);
    expect(answerOf(missing)).toMatchObject({error: {code: 'FILE_MISSING'}});
  });

  it('prints no byte of a key, and no control characters in a subject', async () => {
    const key = writePrivateKey(ca.key).reveal();
    const lines = key.split('\n').filter((line) => line.length > 20 && !line.startsWith('-----'));
    const hostile = openssl(['req', '-x509', '-key', await keyFile(key), '-subj', '/CN=a\u001b[31mred', '-days', '9']);
    const inputs = [key, JSON.stringify(secret(cacerts())), hostile];
    for (const input of inputs) {
      for (const format of ['text', 'json']) {
        const {stdout, stderr} = await inspect(input, '-o', format);
        for (const line of lines) expect(stdout + stderr).not.toContain(line);
        expect(stdout + stderr).not.toContain('\u001b');
      }
    }
  });
});

async function keyFile(key: string): Promise<string> {
  await dir.write('key.pem', key, 0o600);
  return `${dir.root}/key.pem`;
}
