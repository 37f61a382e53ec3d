/** Keys are deleted after use, and not before: `trust.keepClusterKeys: false`, `trust rollback --forget`. */
import {existsSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import Verify from '../../src/commands/verify.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {putCacerts, runIstiod, textsOf, trustMesh, type FakeIstiod, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;
const running: FakeIstiod[] = [];

beforeEach(async () => {
  mesh = await trustMesh(['c1'], {yaml: 'trust:\n  keepClusterKeys: false\n'});
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await mesh.stop();
});

const push = (...argv: string[]): Promise<CommandRun> => runCommand(TrustPush, ['c1', '--yes', ...argv], mesh.env);
const hasKey = (): boolean => existsSync(join(mesh.dir, 'c1/ca-key.pem'));
const kept = async (): Promise<string | undefined> => {
  const run = await runCommand(Verify, ['--only', 'MESH115', '-o', 'json'], mesh.env);
  return (answerOf(run) as VerifyResult).checks.find(({id}) => id === 'MESH115')?.result;
};

describe('the key of a pushed CA', () => {
  it.each<[string, () => void]>([
    [
      'the API server rejects it',
      () => mesh.cluster('c1').fault({verb: 'create', resource: 'secrets'}, {status: 403}, 1),
    ],
    ['the API server fails', () => mesh.cluster('c1').fault({verb: 'create', resource: 'secrets'}, {status: 500}, 1)],
    ['the connection breaks off', () => mesh.cluster('c1').fault({verb: 'create', resource: 'secrets'}, 'drop', 1)],
  ])('stays if %s, and is deleted by the push that succeeds', async (_, spoil) => {
    spoil();
    expect((await push()).code).not.toBe(0);
    expect(hasKey()).toBe(true);
    expect(await kept()).toBe('ok');
    expect((await push()).code).toBe(0);
    expect(hasKey()).toBe(false);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
  });

  it('stays in a dry run of either kind', async () => {
    for (const kind of ['client', 'server']) expect((await push(`--dry-run=${kind}`)).code).toBe(0);
    expect(hasKey()).toBe(true);
  });

  it('stays until a running istiod signs with it', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    running.push(await runIstiod(mesh.kube, mesh.cluster('c1'), before, {byItself: false}));
    await mesh.renew('c1');
    expect((await push('--timeout', '3s')).code).toBe(124);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    expect(hasKey()).toBe(true);
  });

  it('is deleted by the next push if a killed one left it, which MESH115 reports', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    expect(await kept()).toBe('warning');
    expect((await push()).code).toBe(0);
    expect(hasKey()).toBe(false);
    expect(mesh.cluster('c1').writes.filter(({resource}) => resource === 'secrets')).toEqual([]);
    expect(await kept()).toBe('ok');
  });

  it('stays if the cluster has the certificate with another key, until it has this one', async () => {
    const texts = textsOf(mesh.bundle('c1'));
    const other = await mesh.renew('c1');
    const stale = {...texts, 'ca-key.pem': textsOf(other)['ca-key.pem'] ?? ''};
    await mesh.writeCa('c1', texts);
    putCacerts(mesh.cluster('c1'), stale);
    expect(await kept()).toBe('ok');
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')['ca-key.pem']).toBe(texts['ca-key.pem']);
    expect(hasKey()).toBe(false);
  });

  it('is not required afterwards: pushes work without it, and renewal generates another', async () => {
    expect((await push()).code).toBe(0);
    expect((await push()).code).toBe(0);
    const output = await runCommand(CertsGenerate, ['c1', '-o', 'json'], mesh.env);
    expect(output.code).toBe(0);
    expect(hasKey()).toBe(false);
  });
});

describe('the CA that a push replaced', () => {
  it('is kept in the cluster until rollback --forget, and nowhere afterwards', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    await mesh.renew('c1');
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')['ca-key.pem']).toBe(before['ca-key.pem']);
    const forget = await runCommand(TrustRollback, ['c1', '--forget', '--yes'], mesh.env);
    expect(forget.code).toBe(0);
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts-previous')).toBeUndefined();
    const again = await runCommand(TrustRollback, ['c1', '--yes', '-o', 'json'], mesh.env);
    expect(again.code).toBe(5);
    // The content in use is unchanged.
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
  });

  it('is restored with its key, although the work directory has neither', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    await mesh.renew('c1');
    await push();
    await rm(join(mesh.dir, 'c1'), {recursive: true});
    expect((await runCommand(TrustRollback, ['c1', '--yes'], mesh.env)).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(before);
  });
});
