import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRotateClusterCa from '../../src/commands/trust/rotate/cluster-ca.js';
import type {RotateResult} from '../../src/operations/trust/rotation/report-rotation.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {type FakeVault, startFakeVault} from '../helpers/fake-vault.js';
import {answerOf, type CommandClass, type CommandRun, runCommand} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {runIstiod, type FakeIstiod} from '../helpers/trust-mesh.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let vault: FakeVault;
let kube: FakeKube;
let dir: TestWorkDir;
let istiod: FakeIstiod;

beforeAll(async () => {
  vault = await startFakeVault();
});
afterAll(() => vault.close());

/** A cluster whose CA the Vault signed, and an istiod that runs with it. */
beforeEach(async () => {
  vault.reset();
  kube = await startFakeKube(['ctx-one']);
  dir = await createWorkDir();
  await writeFile(
    join(dir.root, 'mesh.yaml'),
    'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: {keyAlgorithm: ecdsa-p256, signer: {type: vault}}\nclusters: [{name: one, context: ctx-one}]\n',
  );
  await must(CertsGenerate, '--trust-mesh-yaml');
  await must(TrustPush);
  istiod = await runIstiod(kube, cluster(), live());
});
afterEach(async () => {
  await istiod.stop();
  await kube.stop();
  await dir.dispose();
});

const cluster = () => kube.cluster('ctx-one');
const live = (): Record<string, string> => cluster().secretText('istio-system/cacerts');

function run(command: CommandClass, ...argv: readonly string[]): Promise<CommandRun> {
  return runCommand(command, [...argv, '-w', dir.root], {
    PATH: kube.path,
    HOME: dir.root,
    VAULT_ADDR: vault.address,
    VAULT_CACERT: vault.file('tls-ca.pem'),
    VAULT_TOKEN: 'hvs.a-token',
    VAULT_NAMESPACE: '',
  });
}

async function must(command: CommandClass, ...argv: readonly string[]): Promise<void> {
  const {code, stderr} = await run(command, ...argv);
  expect(code, stderr).toBe(0);
}

async function rotate(...argv: readonly string[]): Promise<{code: number; result: AsJson<RotateResult>}> {
  const ran = await run(TrustRotateClusterCa, ...argv, '-o', 'json');
  return {code: ran.code, result: answerOf(ran) as AsJson<RotateResult>};
}

it('a Vault signs the new CA, which is pushed and verified', async () => {
  const before = live();
  const {code, result} = await rotate('--yes', '--trust-mesh-yaml');
  expect([code, result.clusters[0]?.outcome, result.clusters[0]?.proven]).toEqual([0, 'done', true]);
  expect(live()['ca-cert.pem']).not.toBe(before['ca-cert.pem']);
  expect(live()['ca-cert.pem']).toBe(await readFile(join(dir.root, 'one/ca-cert.pem'), 'utf8'));
  expect(live()['root-cert.pem']).toBe(before['root-cert.pem']);
});

it('a Vault that refuses to sign leaves the cluster as it is', async () => {
  const before = live();
  vault.on('POST pki/root/sign-intermediate', {status: 403, body: {errors: ['permission denied']}});
  const {code, result} = await rotate('--yes', '--trust-mesh-yaml');
  expect(code).not.toBe(0);
  expect(result.clusters[0]?.error).toBeDefined();
  expect(live()).toEqual(before);
});

it('a dry run, and a run with nothing due, do not use the Vault', async () => {
  const requests = vault.requests.length;
  expect((await rotate('--dry-run')).code).toBe(0);
  expect((await rotate('--within', '1d')).code).toBe(0);
  expect(vault.requests).toHaveLength(requests);
});
