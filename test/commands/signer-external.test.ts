/** The steps of a mesh with an external CA: steps without work succeed, impossible ones are refused. */
import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsRequest from '../../src/commands/certs/request.js';
import InstallApply from '../../src/commands/install/apply.js';
import InstallRender from '../../src/commands/install/render.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import {parseSignerFlag} from '../../src/domain/mesh/signer-schema.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {runCommand, type CommandClass, type CommandRun} from '../helpers/run-command.js';
import {putCacerts, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;
let istioctl: FakeIstioctl;

async function meshOf(issuer: string): Promise<void> {
  const yaml = `meshID: m\nistio: {version: "1.31"}\ntrust:\n  signer: {type: external, issuer: ${issuer}}\n`;
  mesh = await trustMesh(['c1', 'c2'], {yaml, clusterYaml: '    network: n1\n'});
  for (const name of ['c1', 'c2', 'root-cert.pem']) await rm(join(mesh.dir, name), {recursive: true});
  istioctl = await startFakeIstioctl(mesh.kube.bin);
}

afterEach(async () => {
  await istioctl.stop();
  await mesh.stop();
});

const run = (command: CommandClass, ...argv: string[]): Promise<CommandRun> => runCommand(command, argv, mesh.env);
const written = (): readonly string[] =>
  ['c1', 'c2'].flatMap((name) => mesh.cluster(name).writes.map(({resource}) => resource));

describe('with istio-csr', () => {
  beforeEach(() => meshOf('istio-csr'));

  it.each<[string, CommandClass]>([
    ['certs generate', CertsGenerate],
    ['trust push', TrustPush],
    ['trust diff', TrustDiff],
  ])('%s does nothing, reports why, and succeeds', async (_, command) => {
    const done = await run(command);
    expect(done.code).toBe(0);
    expect(done.stdout + done.stderr).toContain('istio-csr');
    expect(await readdir(mesh.dir)).toEqual(['mesh.yaml']);
    expect(written()).toEqual([]);
  });

  it('nothing can be renewed', async () => {
    const done = await run(CertsGenerate, '--renew', '--yes', '-o', 'json');
    expect([done.code, done.stdout.includes('SIGNED_ELSEWHERE')]).toEqual([5, true]);
  });

  it('an installation requires no cacerts, and its namespace is created', async () => {
    expect((await run(InstallRender)).code).toBe(0);
    const done = await run(InstallApply, '--yes', '--dry-run', '-o', 'json');
    expect(done.code).toBe(0);
    expect(done.stdout).not.toContain('NO_CACERTS');
    const real = await run(InstallApply, 'c1', '--yes');
    expect(mesh.cluster('c1').get('Namespace', 'istio-system')?.metadata.labels, real.stderr).toEqual({
      'topology.istio.io/network': 'n1',
    });
  });

  it('--cert-manager contradicts it', async () => {
    const done = await run(CertsRequest, '--cert-manager', '--issuer', 'company', '-o', 'json');
    expect([done.code, done.stdout.includes('CONTRADICTION')]).toEqual([2, true]);
  });
});

describe('with cert-manager', () => {
  beforeEach(() => meshOf('cert-manager'));

  it('an installation waits for a complete Secret with any CA', async () => {
    await run(InstallRender);
    const apply = (): Promise<CommandRun> => run(InstallApply, 'c1', '--yes', '--dry-run', '-o', 'json');
    expect((await apply()).stdout).toContain('NO_CACERTS');
    const {'ca-cert.pem': cert = '', 'ca-key.pem': key = '', 'root-cert.pem': root = ''} = textsOf(mesh.bundle('c1'));
    const type = {type: 'kubernetes.io/tls'};
    putCacerts(mesh.cluster('c1'), {'tls.crt': cert, 'tls.key': key}, type);
    expect((await apply()).code).toBe(5);
    putCacerts(mesh.cluster('c1'), {'tls.crt': cert, 'tls.key': key, 'ca.crt': root}, type);
    expect((await apply()).code).toBe(0);
  });

  it('nothing is pushed over its Secret', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    await mesh.renew('c1');
    const before = mesh.cluster('c1').get('Secret', 'istio-system/cacerts');
    expect((await run(TrustPush, '--yes')).code).toBe(0);
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts')).toEqual(before);
  });

  it.each([
    ['no issuer', ['--cert-manager'], 2],
    ['an issuer without --cert-manager', ['--issuer', 'company'], 2],
    ['an invalid issuer name', ['--cert-manager', '--issuer', '../x'], 2],
    ['an invalid kind', ['--cert-manager', '--issuer', 'company', '--issuer-kind', 'cluster issuer'], 2],
    ['-o csr', ['--cert-manager', '--issuer', 'company', '-o', 'csr'], 2],
    ['a renewal', ['--cert-manager', '--issuer', 'company', '--renew'], 2],
    ['an unknown cluster', ['c9', '--cert-manager', '--issuer', 'company'], 2],
    ['nothing', ['--cert-manager', '--issuer', 'company'], 0],
  ])('certs request rejects %s', async (_, words, code) => {
    expect((await run(CertsRequest, ...words)).code).toBe(code);
    expect(await readdir(mesh.dir)).toEqual(['mesh.yaml']);
  });

  it('prints a document for each cluster, with its context', async () => {
    const {stdout} = await run(CertsRequest, '--cert-manager', '--issuer', 'company', '-o', 'yaml');
    expect(stdout.split('\n---\n').map((text) => /kubectl --context (\S+) /.exec(text)?.[1])).toEqual([
      'ctx-c1',
      'ctx-c2',
    ]);
  });
});

describe('--signer external', () => {
  beforeEach(() => meshOf('spire'));

  it.each([
    ['{type: external}', 'issuer'],
    ['{type: external, issuer: someone}', 'issuer'],
    ['{type: external, issuer: kubernetes-csr}', 'signerName'],
    ['{type: external, issuer: kubernetes-csr, signerName: nodomain}', 'signerName'],
    ['{type: external, issuer: istio-csr, caAddress: "https://x"}', 'caAddress'],
    ['{type: external, issuer: spire, caAddress: "x:1"}', 'caAddress'],
  ])('%s is a usage error that names %s', (output, field) => {
    expect(() => parseSignerFlag(output)).toThrow(field);
  });
});
