/** All formats of verify and of its list of checks, and the reads of formats that show the topology. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Verify from '../../src/commands/verify.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {tinyClusterCa, tinyLeaf, tinyRoot} from '../helpers/tiny-ca.js';
import {verifiedMesh, webhooksOf, type VerifiedMesh} from '../helpers/verify-mesh.js';

const formats = ['text', 'wide', 'short', 'junit', 'mermaid', 'json'] as const;

describe('the list of checks', () => {
  const nowhere = {PATH: '/nowhere', WORK_DIR: '/nowhere'};

  it.each(formats)('is shown with -o %s', async (format) => {
    const list = await runCommand(Verify, ['--list-checks', '-o', format], nowhere);
    expect([list.code, list.stderr]).toEqual([0, '']);
    expect(list.stdout).toContain('MESH307');
    const explained = await runCommand(Verify, ['--explain', 'MESH307', '-o', format], nowhere);
    expect([explained.code, explained.stderr]).toEqual([0, '']);
    expect(explained.stdout).toContain('openssl verify');
  });
});

describe('a mesh', () => {
  let mesh: VerifiedMesh;
  beforeEach(async () => {
    mesh = await verifiedMesh('c1', 'c2');
  });
  afterEach(() => mesh.stop());

  const verify = (...argv: string[]) => runCommand(Verify, argv, mesh.env);

  it.each(formats)('without findings exits with 0 in the format %s', async (format) => {
    const run = await verify('-o', format);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout === '').toBe(format === 'short');
  });

  it('has its topology by fingerprint in JSON', async () => {
    const {mesh: picture} = answerOf(await verify('-o', 'json')) as VerifyResult;
    expect(picture).toEqual({
      meshID: 'mesh1',
      clusters: ['c1', 'c2'].map((name) => ({
        name,
        network: 'network1',
        role: 'primary',
        verdict: 'ok',
        roots: [expect.objectContaining({fingerprint: mesh.root.certificate.fingerprint})],
        clusterCas: [expect.objectContaining({fingerprint: mesh.one(name).ca.certificate.fingerprint})],
        accepts: [{cluster: name === 'c1' ? 'c2' : 'c1', result: 'yes'}],
        discovers: [{cluster: name === 'c1' ? 'c2' : 'c1', result: 'yes'}],
      })),
    });
  });

  it.each(['wide', 'mermaid'])('is read for -o %s regardless of the selected checks', async (format) => {
    const other = await tinyRoot();
    const ca = await tinyClusterCa(other, 'c2');
    mesh.one('c2').present([await tinyLeaf(ca), ca, other]);
    const run = await verify('-o', format, '--only', 'MESH203');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(format === 'wide' ? /^c1 +- +NO$/m : /c1 -\.->\|"does not trust"\| c2/);
  });

  it('is not read from istiod for JSON without a selected check, and nothing is ok', async () => {
    const {mesh: picture} = answerOf(await verify('-o', 'json', '--only', 'MESH203')) as VerifyResult;
    expect(mesh.kube.calls.some(({args}) => args.includes('port-forward'))).toBe(false);
    for (const cluster of picture.clusters) {
      expect(cluster).toMatchObject({verdict: 'unknown', accepts: [{result: 'unknown'}]});
      expect(cluster).not.toHaveProperty('roots');
    }
  });

  it.each([
    [['--offline'], '--offline'],
    [['--no-live'], '--no-live'],
  ])('with %o is shown as unknown, and -o wide reports why', async (flags, why) => {
    const mermaid = await verify('-o', 'mermaid', ...flags);
    expect(mermaid.stdout).toMatch(/:::unknown/);
    expect(mermaid.stdout).not.toMatch(/:::ok|accepts?/);
    expect((await verify('-o', 'wide', ...flags)).stdout).toContain(`c1: unknown: ${why}`);
  });

  it.each([
    [[], 0, 'failures="0"'],
    [['--fail-on', 'warning'], 3, 'failures="1"'],
  ])('counts a warning for CI consistently with the exit code: %o', async (flags, code, counted) => {
    const extra = await tinyRoot();
    const [injector] = webhooksOf(mesh.root.certificate.pem + extra.certificate.pem);
    if (!injector) throw new Error('a webhook');
    mesh.one('c1').kube.put(injector);
    const run = await verify('-o', 'junit', '--only', 'MESH306', ...flags);
    expect([run.code, run.stdout]).toEqual([code, expect.stringContaining(counted)]);
  });
});
