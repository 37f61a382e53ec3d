import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import type {DiffResult} from '../../src/operations/trust/diff.js';
import type {RollbackResult} from '../../src/operations/trust/rollback.js';
import {secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {injected, putCacerts, runIstiod, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;

beforeEach(async () => {
  mesh = await trustMesh(['c1', 'c2']);
});

afterEach(() => mesh.stop());

const diff = (...argv: string[]): Promise<CommandRun> => runCommand(TrustDiff, argv, mesh.env);
const rollback = (...argv: string[]): Promise<CommandRun> => runCommand(TrustRollback, argv, mesh.env);

describe('trust diff', () => {
  it('exits with 0 if all content matches, in any encoding', async () => {
    for (const name of ['c1', 'c2']) {
      const texts = Object.entries(textsOf(mesh.bundle(name)));
      putCacerts(
        mesh.cluster(name),
        Object.fromEntries(texts.map(([key, text]) => [key, text.replaceAll('\n', '\r\n')])),
      );
    }
    const run = await diff('-o', 'json');
    expect(run.code).toBe(0);
    expect((answerOf(run) as DiffResult).clusters.map(({same}) => same)).toEqual([true, true]);
    expect([...mesh.cluster('c1').writes, ...mesh.cluster('c2').writes]).toEqual([]);
  });

  it.each([
    ['no Secret', undefined, ['secret']],
    ['another cluster CA', 'renewed', ['clusterCa', 'chain', 'key']],
    ['another root', 'root', ['clusterCa', 'roots', 'chain', 'key']],
    ['a key that is not ours', 'extra', ['keys']],
  ])('exits with 3 for %s, and reports it', async (_, state, parts) => {
    const before = textsOf(mesh.bundle('c1'));
    if (state !== undefined) putCacerts(mesh.cluster('c1'), state === 'extra' ? {...before, 'other.pem': 'x'} : before);
    if (state === 'renewed') await mesh.renew('c1');
    if (state === 'root') await mesh.renew('c1', await tinyRoot());
    const run = await diff('c1', '-o', 'json');
    expect(run.code).toBe(3);
    expect((answerOf(run) as DiffResult).clusters[0]?.differences.map(({part}) => part)).toEqual(parts);
  });

  it.each(['secrets', 'namespaces'])(
    'exits with 4 without permission to read %s, and names the permission',
    async (resource) => {
      putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
      mesh.cluster('c1').deny({verb: 'get', resource});
      const run = await diff('c1', '-o', 'json');
      expect(run.code).toBe(4);
      expect((answerOf(run) as DiffResult).clusters[0]?.error?.message).toContain(`get ${resource}`);
    },
  );

  it('exits with 2 if the work directory has nothing to compare with', async () => {
    await rm(join(mesh.dir, 'c1'), {recursive: true});
    expect((await diff('c1')).code).toBe(2);
  });

  it('works in a checkout without keys', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
    expect((await diff('c1')).code).toBe(0);
  });

  it('never prints key bytes', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(await mesh.renew('c1')));
    await mesh.renew('c1');
    const bodies = [mesh.cluster('c1').secretText('istio-system/cacerts'), textsOf(mesh.bundle('c1'))].map(
      (texts) => texts['ca-key.pem']?.split('\n')[1] ?? 'none',
    );
    for (const format of ['text', 'wide', 'json']) {
      const {stdout, stderr} = await diff('c1', '-o', format);
      for (const body of bodies) expect(stdout + stderr).not.toContain(body);
    }
  });
});

describe('trust rollback', () => {
  it('restores the previous CA, and a second one undoes it', async () => {
    const first = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), first);
    const second = textsOf(await mesh.renew('c1'));
    expect((await runCommand(TrustPush, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect((await rollback('c1')).code).toBe(5);
    expect((await rollback('c1', '-y')).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(first);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')).toEqual(second);
    expect((await rollback('c1', '-y')).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(second);
  });

  it('that ended before istiod was restarted is completed by the next one, not undone', async () => {
    const c1 = mesh.cluster('c1');
    const first = textsOf(mesh.bundle('c1'));
    putCacerts(c1, first);
    const second = textsOf(await mesh.renew('c1'));
    expect((await runCommand(TrustPush, ['c1', '-y'], mesh.env)).code).toBe(0);
    const istiodPods = await runIstiod(mesh.kube, c1, second, {version: '1.11.8', byItself: false});
    try {
      c1.fault({verb: 'patch', resource: 'deployments'}, {status: 422, message: 'no'}, 1);
      expect((await rollback('c1', '-y', '--restart-istiod')).code).toBe(1);
      expect(c1.secretText('istio-system/cacerts')).toEqual(first);
      const refused = await rollback('c1', '-y', '-o', 'json');
      expect((answerOf(refused) as RollbackResult).clusters[0]?.error?.code).toBe('RESTART_NEEDED');
      c1.before({verb: 'patch', resource: 'deployments'}, () => {
        istiodPods.load();
      });
      expect((await rollback('c1', '-y', '--restart-istiod')).code).toBe(0);
      expect(c1.secretText('istio-system/cacerts')).toEqual(first);
      expect((await rollback('c1', '-y', '--restart-istiod', '--dry-run', '-o', 'json')).stdout).toContain('"update"');
    } finally {
      await istiodPods.stop();
    }
  });

  it('restores the complete content of the Secret', async () => {
    const before = {...textsOf(mesh.bundle('c1')), 'other.pem': 'x'};
    putCacerts(mesh.cluster('c1'), before);
    await mesh.renew('c1');
    await runCommand(TrustPush, ['c1', '-y'], mesh.env);
    expect((await rollback('c1', '-y')).code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(before);
  });

  it('is refused without a previous CA', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    const run = await rollback('c1', '-y', '-o', 'json');
    expect(run.code).toBe(5);
    const [cluster] = (answerOf(run) as RollbackResult).clusters;
    expect(cluster?.refusals.map(({code}) => code)).toEqual(['NOTHING_TO_ROLL_BACK']);
    expect([cluster?.error, cluster?.plan, cluster?.differences]).toEqual([cluster?.refusals[0], undefined, []]);
    const text = (await rollback('c1', '-y')).stdout;
    expect(text).toContain('cacerts-previous');
    expect(text).not.toContain('cannot be read');
  });

  it.each([[[]], [['--dry-run']]])(
    '--forget changes nothing and says so where nothing was kept (%j)',
    async (flags) => {
      putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
      const run = await rollback('c1', '--forget', '--yes', ...flags, '-o', 'json');
      expect(run.code).toBe(0);
      expect((answerOf(run) as RollbackResult).clusters[0]).toMatchObject({outcome: 'unchanged', refusals: []});
      expect((await rollback('c1', '--forget', '--yes', ...flags)).stdout).toContain('no previous CA');
      expect(mesh.cluster('c1').writes).toEqual([]);
    },
  );

  it('--forget also warns of contexts of clusters that are not declared', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    await writeFile(join(mesh.dir, 'contexts.yaml'), 'old: gone\n');
    const run = await rollback('c1', '--forget', '--yes', '-o', 'json');
    expect((answerOf(run) as RollbackResult).warnings).toEqual([{message: expect.stringContaining('old') as string}]);
  });

  it('--forget does not treat an unreadable Secret as missing', async () => {
    mesh.cluster('c1').deny({verb: 'get', resource: 'secrets'});
    expect((await rollback('c1', '--forget', '--yes')).code).toBe(4);
  });

  it('follows the rules of a push: a live root must not be removed', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    const old = await mesh.renew('c1', await tinyRoot());
    mesh.cluster('c1').put(secret('istio-system/cacerts-previous', textsOf(old)));
    mesh.cluster('c1').put(injected('shop/cart'));
    const run = await rollback('c1', '-y', '-o', 'json');
    expect(run.code).toBe(5);
    expect((answerOf(run) as RollbackResult).clusters[0]?.error?.code).toBe('ROOT_CHANGE');
    expect(mesh.cluster('c1').writes).toEqual([]);
    expect((await rollback('c1', '-y', '--allow-root-change')).code).toBe(0);
  });

  it('--forget deletes the previous CA, after confirmation', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    mesh.cluster('c1').put(secret('istio-system/cacerts-previous', textsOf(mesh.bundle('c2'))));
    expect((await rollback('c1', '--forget')).code).toBe(5);
    const run = await rollback('c1', '--forget', '-y', '-o', 'json');
    // No step of a restore.
    expect((answerOf(run) as RollbackResult).clusters).toMatchObject([
      {outcome: 'done', differences: [], keepsPrevious: false, restarts: [], refusals: []},
    ]);
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts-previous')).toBeUndefined();
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts')).toBeDefined();
  });
});
