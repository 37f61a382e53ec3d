/** Revocation lists in trust commands: those in the cluster stay, unless the work directory has others. */
import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import type {CaBundle} from '../../src/domain/ca/ca-files.js';
import type {DiffResult} from '../../src/operations/trust/diff.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import {crlOf} from '../helpers/crl.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, type TinyCa} from '../helpers/tiny-ca.js';
import {istiod, putCacerts, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: TrustMesh;
/** The CA in the cluster, and lists that cover its chain. */
let ca: TinyCa;
let lists: string;

beforeEach(async () => {
  mesh = await trustMesh(['c1']);
  ca = await write();
  lists = crlOf(ca) + crlOf(mesh.root);
  putCacerts(mesh.cluster('c1'), {...files(ca), 'ca-crl.pem': lists});
});

afterEach(() => mesh.stop());

const bundle = (one: TinyCa): CaBundle => bundleOf(one, [mesh.root]);
const files = (one: TinyCa): Record<string, string> => textsOf(bundle(one));
const live = (): Record<string, string> => mesh.cluster('c1').secretText('istio-system/cacerts');
const kept = (): Record<string, string> => mesh.cluster('c1').secretText('istio-system/cacerts-previous');
const writeList = (text: string): Promise<void> => writeFile(join(mesh.dir, 'c1', 'ca-crl.pem'), text);

/** Writes another cluster CA into the work directory. */
async function write(): Promise<TinyCa> {
  const one = await tinyClusterCa(mesh.root, 'c1');
  await mesh.writeCa('c1', files(one));
  return one;
}

async function push(...argv: string[]): Promise<{code: number; result: AsJson<PushResult>}> {
  const run = await runCommand(TrustPush, ['c1', '-y', ...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as AsJson<PushResult>};
}

async function differences(): Promise<readonly string[]> {
  const run = await runCommand(TrustDiff, ['c1', '-o', 'json'], mesh.env);
  return ((answerOf(run) as DiffResult).clusters[0]?.differences ?? []).map(({part}) => part);
}

describe('revocation lists in the cluster', () => {
  it('that are not in the work directory are no difference, and a push does not change them', async () => {
    expect(await differences()).toEqual([]);
    const {code, result} = await push();
    expect(code).toBe(0);
    expect(result.clusters[0]?.plan).toBe('unchanged');
    expect(result.warnings).toEqual([]);
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
  });

  it('stay, without other text, if a push writes a CA that they cover', async () => {
    const next = await write();
    const covering = lists + crlOf(next);
    const more = `# a note \u00ff\r\n${covering}`;
    putCacerts(mesh.cluster('c1'), {...files(ca), 'ca-crl.pem': more});
    expect((await push()).code).toBe(0);
    expect(live()).toEqual({...files(next), 'ca-crl.pem': covering});
    expect(kept()).toEqual({...files(ca), 'ca-crl.pem': more});
  });

  it('stay if the Secret is deleted and created', async () => {
    putCacerts(mesh.cluster('c1'), {...files(ca), 'ca-crl.pem': lists, 'other.pem': 'x'}, {immutable: true});
    expect((await push()).result.clusters[0]?.plan).toBe('replace');
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
  });

  it('stay if only the certificates change, because the key is only in the cluster', async () => {
    putCacerts(mesh.cluster('c1'), {...files(ca), 'ca-crl.pem': lists, 'other.pem': 'x'});
    await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect((await push()).code).toBe(0);
    expect(mesh.cluster('c1').writes.map(({verb}) => verb)).toContain('patch');
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
  });

  it('that do not cover the new chain cause a refusal, which names the file for missing ones', async () => {
    const next = await write();
    mesh.cluster('c1').put(istiod('1.27.0', {}, 0));
    const {code, result} = await push();
    expect(code).toBe(5);
    const error = result.clusters[0]?.error;
    expect(error?.code).toBe('PUSH_REFUSED_INVALID_CA');
    expect(error?.message).toContain(next.certificate.subject.text);
    expect(error?.hints.join('\n')).toMatch(/c1\/ca-crl\.pem[\s\S]*--allow-invalid-bundle/);
    expect(mesh.cluster('c1').writes).toEqual([]);
    const more = lists + crlOf(next);
    await writeList(more);
    expect((await push()).code).toBe(0);
    expect(live()).toEqual({...files(next), 'ca-crl.pem': more});
  });

  it('that do not cover it are written with it on request, with a warning', async () => {
    const next = await write();
    const {code, result} = await push('--allow-invalid-bundle');
    expect(code).toBe(0);
    expect(result.warnings).toMatchObject([{message: expect.stringContaining('ca-crl.pem') as string}]);
    expect(live()).toEqual({...files(next), 'ca-crl.pem': lists});
  });

  it.each([
    ['1.26.8', {}],
    ['1.27.0', {PILOT_ENABLE_CA_CRL: 'false'}],
  ])('stay with a warning under istiod %s %o, which does not read them', async (version, env) => {
    const next = await write();
    mesh.cluster('c1').put(istiod(version, env, 0));
    const {code, result} = await push();
    expect(code).toBe(0);
    expect(result.warnings.map(({message}) => message)).toContainEqual(expect.stringContaining('ca-crl.pem') as string);
    expect(live()).toEqual({...files(next), 'ca-crl.pem': lists});
  });

  it('that do not cover the existing chain are reported, even if there is nothing to push', async () => {
    putCacerts(mesh.cluster('c1'), {...files(ca), 'ca-crl.pem': crlOf(ca)});
    const {code, result} = await push();
    expect(code).toBe(0);
    expect(result.clusters[0]?.plan).toBe('unchanged');
    expect(result.warnings).toMatchObject([{message: expect.stringContaining('ca-crl.pem') as string}]);
  });
});

describe('CLUSTER/ca-crl.pem', () => {
  it('is pushed to a new cluster with the other files', async () => {
    mesh.cluster('c1').remove('Secret', 'istio-system/cacerts');
    await writeList(lists);
    expect((await push()).code).toBe(0);
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
    expect(await differences()).toEqual([]);
  });

  it('is refused if it does not cover the chain', async () => {
    await writeList(crlOf(ca));
    const {code, result} = await push();
    expect(code).toBe(5);
    expect(result.clusters[0]?.error?.message).toContain('c1/ca-crl.pem');
    expect(live()['ca-crl.pem']).toBe(lists);
  });

  it.each([
    ['at hand', false],
    ['in the cluster alone', true],
  ])('replaces the lists in the cluster, with the key %s', async (_, keyless) => {
    const others = crlOf(mesh.root) + crlOf(ca, {arguments: ['-crldays', '60']});
    await writeList(others);
    if (keyless) await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect(await differences()).toEqual(['crl']);
    expect((await push()).code).toBe(0);
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': others});
    expect(kept()['ca-crl.pem']).toBe(lists);
    expect(await differences()).toEqual([]);
  });

  it.each([
    ['at hand', false],
    ['in the cluster alone', true],
  ])('that is empty removes them, keeps a copy and reports it, with the key %s', async (_, keyless) => {
    await writeList('');
    if (keyless) await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect(await differences()).toEqual(['crl']);
    const {code, result} = await push();
    expect(code).toBe(0);
    expect(result.warnings).toMatchObject([{message: expect.stringContaining('ca-crl.pem') as string}]);
    expect(live()).toEqual(files(ca));
    expect(kept()['ca-crl.pem']).toBe(lists);
    expect((await push()).result.clusters[0]?.plan).toBe('unchanged');
    expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect(live()['ca-crl.pem']).toBe(lists);
  });
});

describe('a rollback', () => {
  it('restores the previous lists, and no others', async () => {
    const next = await write();
    const more = lists + crlOf(next);
    await writeList(more);
    expect((await push()).code).toBe(0);
    expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
    expect(kept()).toEqual({...files(next), 'ca-crl.pem': more});
  });

  it('removes later lists, and a second one restores them', async () => {
    putCacerts(mesh.cluster('c1'), files(ca));
    await writeList(lists);
    expect((await push()).code).toBe(0);
    expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect(live()).toEqual(files(ca));
    expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect(live()).toEqual({...files(ca), 'ca-crl.pem': lists});
  });
});
