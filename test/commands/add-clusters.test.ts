/** The commands that add a cluster which mesh.yaml does not contain, and the ones that reject it. */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsImport from '../../src/commands/certs/import.js';
import CertsList from '../../src/commands/certs/list.js';
import CertsRequest from '../../src/commands/certs/request.js';
import CertsWorkload from '../../src/commands/certs/workload.js';
import InstallApply from '../../src/commands/install/apply.js';
import InstallRender from '../../src/commands/install/render.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import Up from '../../src/commands/up.js';
import Verify from '../../src/commands/verify.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {answerOf, runCommand, type CommandClass, type CommandRun} from '../helpers/run-command.js';

let workDir: string;
let kube: FakeKube;
let istioctl: FakeIstioctl;

beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'km-add-'));
  kube = await startFakeKube(['ctx-c1', 'ctx-c2']);
  istioctl = await startFakeIstioctl(kube.bin);
});
afterEach(async () => {
  await istioctl.stop();
  await kube.stop();
  await rm(workDir, {recursive: true, force: true});
});

function run(command: CommandClass, ...argv: string[]): Promise<CommandRun> {
  const env = {PATH: kube.path, WORK_DIR: workDir, KUBECTL_MESH_PASSPHRASE: 'a passphrase for this test'};
  return runCommand(command, argv, env);
}

/** The steps of examples/first-cluster.sh that write files or Secrets, for one cluster. */
async function firstSteps(cluster: string, network = `network-${cluster}`): Promise<readonly CommandRun[]> {
  return [
    await run(CertsGenerate, cluster, '--key-algorithm', 'ecdsa-p256'),
    await run(TrustPush, cluster, '--context', `ctx-${cluster}`),
    await run(InstallRender, cluster, '--mesh-id', 'mesh1', '--network', network),
  ];
}

const meshYaml = (): Promise<string> => readFile(join(workDir, 'mesh.yaml'), 'utf8');

describe('a loop over clusters', () => {
  it('creates a CA, a Secret and install.yaml for each, and adds each to mesh.yaml', async () => {
    const first = await firstSteps('c1');
    const second = await firstSteps('c2');
    expect([...first, ...second].map(({code}) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(second[0]?.stderr).toContain('mesh.yaml: added c2');
    for (const name of ['c1', 'c2']) {
      const secret = kube.cluster(`ctx-${name}`).secretText('istio-system/cacerts');
      expect(secret['ca-cert.pem']).toBe(await readFile(join(workDir, name, 'ca-cert.pem'), 'utf8'));
      expect(await readFile(join(workDir, name, 'install.yaml'), 'utf8')).toContain(`clusterName: ${name}`);
    }
    expect(parse(await meshYaml())).toMatchObject({
      meshID: 'mesh1',
      clusters: [
        {name: 'c1', context: 'ctx-c1', network: 'network-c1'},
        {name: 'c2', context: 'ctx-c2', network: 'network-c2'},
      ],
    });
  });

  it.each([
    ['on one network: when it runs again', 1, 'network1', 'network1'],
    // The first cluster on another network gives every cluster an east-west gateway.
    ['on two networks: when it runs a third time', 2, 'network1', 'network2'],
  ])('leaves every file as it is %s', async (_, runs, one, two) => {
    const loop = async (): Promise<readonly CommandRun[]> => [
      ...(await firstSteps('c1', one)),
      ...(await firstSteps('c2', two)),
    ];
    for (let run = 0; run < runs; run++) await loop();
    const files = [
      'mesh.yaml',
      'root-cert.pem',
      'c1/ca-cert.pem',
      'c1/install.yaml',
      'c2/ca-cert.pem',
      'c2/install.yaml',
    ];
    const read = () => Promise.all(files.map((file) => readFile(join(workDir, file), 'utf8')));
    const before = await read();
    const again = await loop();
    expect(again.map(({code}) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(await read()).toEqual(before);
  });
});

describe('a cluster that mesh.yaml does not contain', () => {
  const declared =
    'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1 # the first\n    context: ctx-c1\n';
  beforeEach(() => writeFile(join(workDir, 'mesh.yaml'), declared));

  it('is added by install render with --context', async () => {
    const rendered = await run(InstallRender, 'c2', '--context', 'ctx-c2', '--mesh-id', 'm', '--network', 'n2');
    expect(rendered.code, rendered.stderr).toBe(0);
    expect(await meshYaml()).toContain(
      '  - name: c1 # the first\n    context: ctx-c1\n  - name: c2\n    context: ctx-c2\n',
    );
  });

  it('is named by a dry run and not written', async () => {
    const dryRun = await run(CertsGenerate, 'c2', '--key-algorithm', 'ecdsa-p256', '--dry-run');
    expect([dryRun.code, dryRun.stderr]).toEqual([0, expect.stringContaining('mesh.yaml: added c2')]);
    expect(await meshYaml()).toBe(declared);
  });

  it('is not added when there is no CA to push', async () => {
    const pushed = await run(TrustPush, 'c2', '--context', 'ctx-c2');
    expect(pushed.code).toBe(2);
    expect(await meshYaml()).toBe(declared);
  });

  it('is not added under the context of another cluster', async () => {
    const rendered = await run(InstallRender, 'c2', '--context', 'ctx-c1', '-o', 'json');
    expect([rendered.code, answerOf(rendered)]).toMatchObject([2, {error: {code: 'CONTRADICTION'}}]);
    expect(await meshYaml()).toBe(declared);
  });

  const rejecting: readonly (readonly [string, CommandClass, readonly string[]])[] = [
    ['certs request', CertsRequest, ['c2']],
    ['certs import', CertsImport, ['c2', '/dev/null']],
    ['certs list', CertsList, ['c2']],
    ['certs workload', CertsWorkload, ['ns/account', '--cluster', 'c2']],
    ['trust push without --context', TrustPush, ['c2']],
    ['trust diff', TrustDiff, ['c2', '--context', 'ctx-c2']],
    ['trust rollback', TrustRollback, ['c2', '--context', 'ctx-c2']],
    ['install render without --context', InstallRender, ['c2']],
    ['install apply', InstallApply, ['c2', '--context', 'ctx-c2']],
    ['verify', Verify, ['c2', '--context', 'ctx-c2']],
  ];
  it.each(rejecting)('is rejected by %s', async (_name, command, argv) => {
    const rejected = await run(command, ...argv, '-o', 'json');
    expect([rejected.code, answerOf(rejected)]).toMatchObject([2, {error: {code: 'UNKNOWN_CLUSTER'}}]);
    expect(await meshYaml()).toBe(declared);
  });

  it('is rejected by up, which changes nothing', async () => {
    const rejected = await run(Up, 'c2', '--context', 'ctx-c2', '-o', 'json');
    const {steps} = answerOf(rejected) as {readonly steps: readonly object[]};
    expect([rejected.code, steps[0]]).toMatchObject([2, {error: {code: 'UNKNOWN_CLUSTER'}}]);
    expect(await meshYaml()).toBe(declared);
  });
});
