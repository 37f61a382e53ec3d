import {readFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import CertsGenerate from '../../src/commands/certs/generate.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import TrustRotateClusterCa from '../../src/commands/trust/rotate/cluster-ca.js';
import {parseCertificates, type Certificate} from '../../src/domain/x509/certificate.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import type {RotateResult} from '../../src/operations/trust/rotation/report-rotation.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {bundleOf, tinyClusterCa, type TinyOptions, tinyRoot} from '../helpers/tiny-ca.js';
import {
  injected,
  putCacerts,
  runIstiod,
  textsOf,
  trustMesh,
  type FakeIstiod,
  type TrustMesh,
} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;
const running: FakeIstiod[] = [];
const names = ['c1', 'c2', 'c3'] as const;

/** A mesh whose clusters run with the CAs of the work directory, which has the root key. */
async function start(
  yaml = 'trust: {keyAlgorithm: ecdsa-p256}\n',
  istiod: {version?: string; byItself?: boolean} = {},
): Promise<void> {
  mesh = await trustMesh(names, {yaml});
  await writeFile(join(mesh.dir, 'root-key.pem'), writePrivateKey(mesh.root.key).reveal(), {mode: 0o600});
  await writeFile(join(mesh.dir, '.gitignore'), '*key.pem\n');
  for (const name of names) {
    const files = textsOf(mesh.bundle(name));
    putCacerts(mesh.cluster(name), files);
    running.push(await runIstiod(mesh.kube, mesh.cluster(name), files, istiod));
  }
}

/** Stops everything and starts with other settings. */
async function startOver(...args: Parameters<typeof start>): Promise<void> {
  await stop();
  await start(...args);
}

async function stop(): Promise<void> {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await mesh.stop();
}

beforeEach(() => start());
afterEach(stop);

const rotate = (...argv: string[]): Promise<CommandRun> => runCommand(TrustRotateClusterCa, argv, mesh.env);

async function rotateJson(...argv: string[]): Promise<{code: number; result: AsJson<RotateResult>; stderr: string}> {
  const run = await rotate(...argv, '-o', 'json');
  return {code: run.code, result: answerOf(run) as AsJson<RotateResult>, stderr: run.stderr};
}

const outcomes = ({clusters}: AsJson<RotateResult>): string[] =>
  clusters.map(({name, outcome}) => `${name} ${outcome}`);
const steps = ({clusters}: AsJson<RotateResult>): string[] =>
  clusters.map(({name, step, wave}) => `${name} ${step ?? '?'} ${String(wave ?? '-')}`);

function certificateOf(pem = ''): Certificate {
  const [first] = parseCertificates(pem, 'test').certificates;
  if (!first) throw new Error('no certificate');
  return first;
}

const live = (name: string): Record<string, string> => mesh.cluster(name).secretText('istio-system/cacerts');
const own = (name: string, file: string): Promise<string> => readFile(join(mesh.dir, name, file), 'utf8');
const before = (name: string): Record<string, string> => textsOf(mesh.bundle(name));
const journal = (): Promise<string> => readFile(join(mesh.dir, 'journal.jsonl'), 'utf8').catch(() => '');

/** A cluster has a new CA under the old root, with its key, and the old one as the previous Secret. */
async function expectRotated(name: string): Promise<void> {
  const now = live(name);
  expect(now['ca-cert.pem'], name).not.toBe(before(name)['ca-cert.pem']);
  expect(now['root-cert.pem']).toBe(before(name)['root-cert.pem']);
  expect(certificateOf(now['ca-cert.pem']).issuer.text).toBe(mesh.root.certificate.subject.text);
  expect(now['ca-cert.pem']).toBe(await own(name, 'ca-cert.pem'));
  expect(mesh.cluster(name).secretText('istio-system/cacerts-previous')).toEqual(before(name));
}

describe('three clusters', () => {
  it('get a new CA under the same root: one first, and the others once it is verified', async () => {
    const provenBefore: boolean[] = [];
    for (const name of ['c2', 'c3']) {
      mesh.cluster(name).before({verb: 'update', name: 'cacerts'}, () => {
        const requests = mesh.cluster('c1').requests.map(({verb, resource}) => `${verb} ${resource}`);
        provenBefore.push(requests.lastIndexOf('list pods') > requests.lastIndexOf('update secrets'));
      });
    }
    const {code, result} = await rotateJson('-y');
    expect([code, ...outcomes(result)]).toEqual([0, 'c1 done', 'c2 done', 'c3 done']);
    expect(steps(result)).toEqual(['c1 renew 1', 'c2 renew 2', 'c3 renew 2']);
    expect(provenBefore).toEqual([true, true]);
    for (const name of names) await expectRotated(name);
    const [first] = result.clusters;
    expect(first?.before?.clusterCa?.fingerprint).toBe(certificateOf(before('c1')['ca-cert.pem']).fingerprint);
    expect(first?.after?.clusterCa?.fingerprint).toBe(certificateOf(live('c1')['ca-cert.pem']).fingerprint);
    expect(first).toMatchObject({keepsPrevious: true, proven: true, restarts: []});
    expect(await journal()).toContain('"command":"trust rotate cluster-ca"');
  });

  it('change in waves of --concurrency', async () => {
    const {result} = await rotateJson('--dry-run', '--concurrency', '1');
    expect(steps(result)).toEqual(['c1 renew 1', 'c2 renew 2', 'c3 renew 3']);
  });

  it('are not changed in a dry run, which prints the order', async () => {
    const files = await own('c1', 'ca-cert.pem');
    for (const mode of ['client', 'server']) {
      const run = await rotate(`--dry-run=${mode}`);
      expect([run.code, run.stdout.includes('Order: c1; then c2, c3')]).toEqual([0, true]);
    }
    for (const name of names) {
      expect(live(name)).toEqual(before(name));
      expect(mesh.cluster(name).writes).toEqual([]);
    }
    expect(await own('c1', 'ca-cert.pem')).toBe(files);
    expect(await journal()).toBe('');
  });

  it('require one confirmation, which names every replacement', async () => {
    const run = await rotate();
    expect(run.code).toBe(5);
    for (const name of names) {
      expect(run.stderr).toContain(`${name}: replace the key and certificate of the cluster CA in ${name}/`);
      expect(run.stderr).toContain(`${name}: replace the CA in Secret istio-system/cacerts`);
      expect(live(name)).toEqual(before(name));
    }
  });

  it('are left alone after a failure of the first one, also with --keep-going; the next run continues', async () => {
    mesh.cluster('c1').fault({verb: 'update', name: 'cacerts'}, {status: 422, message: 'no'}, 2);
    for (const flags of [['-y'], ['-y', '--keep-going']]) {
      const {code, result} = await rotateJson(...flags);
      expect([code, ...outcomes(result)]).toEqual([1, 'c1 failed', 'c2 skipped', 'c3 skipped']);
      expect(live('c2')).toEqual(before('c2'));
    }
    const issued = await own('c1', 'ca-cert.pem');
    const {code, result} = await rotateJson('-y');
    expect([code, ...steps(result)]).toEqual([0, 'c1 push 1', 'c2 renew 2', 'c3 renew 2']);
    expect(live('c1')['ca-cert.pem']).toBe(issued);
  });

  it('of which a later one fails: no further wave starts without --keep-going', async () => {
    mesh.cluster('c2').fault({verb: 'update', name: 'cacerts'}, {status: 422, message: 'no'}, 2);
    const first = await rotate('-y', '--concurrency', '1');
    expect(first.code).toBe(1);
    expect(first.stdout).toContain('To continue: kubectl mesh trust rotate cluster-ca c2 c3');
    expect(live('c3')).toEqual(before('c3'));
    const second = await rotateJson('-y', '--concurrency', '1', '--keep-going', 'c1', 'c2', 'c3');
    expect(outcomes(second.result)).toEqual(['c1 done', 'c2 failed', 'c3 done']);
  });

  it('one of which is unreachable: nothing changes without --keep-going', async () => {
    mesh.cluster('c2').fault({}, {status: 403, message: 'no'}, 999);
    const {code, result} = await rotateJson('-y');
    expect([code, ...outcomes(result)]).toEqual([4, 'c1 skipped', 'c2 unknown', 'c3 skipped']);
    expect(live('c1')).toEqual(before('c1'));
    const second = await rotateJson('-y', '--keep-going');
    expect([second.code, ...outcomes(second.result)]).toEqual([4, 'c1 done', 'c2 unknown', 'c3 done']);
  });
});

describe('an istiod that keeps presenting the old CA', () => {
  beforeEach(async () => {
    await startOver(undefined, {byItself: false});
    vi.useFakeTimers({toFake: ['Date'], now: Date.now()});
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  /** The time for a proof passes at the first look at istiod's pods after the change. */
  function passTime(name: string): void {
    const cluster = mesh.cluster(name);
    cluster.before(
      {verb: 'list', resource: 'pods'},
      () => {
        if (cluster.writes.some(({verb}) => verb === 'update')) vi.setSystemTime(Date.now() + 300_000);
      },
      999,
    );
  }

  it('is a failure whose hint is the rollback, and stops the run', async () => {
    passTime('c1');
    const {code, result} = await rotateJson('-y', '--keep-going');
    expect([code, ...outcomes(result)]).toEqual([1, 'c1 failed', 'c2 skipped', 'c3 skipped']);
    expect(result.clusters[0]).toMatchObject({proven: false, error: {code: 'NOT_READY'}});
    expect(result.clusters[0]?.error?.hints.join()).toContain('kubectl mesh trust rollback c1');
    await expectRotated('c1');
    expect(result.clusters[0]?.rollback).toBeUndefined();
    running[0]?.load();
    const again = await rotateJson('c1', '--within', '30%');
    expect([again.code, ...outcomes(again.result)]).toEqual([0, 'c1 unchanged']);
  });

  it('is given the old CA back with --rollback-on-failure, and remains a failure', async () => {
    passTime('c1');
    const {code, result} = await rotateJson('-y', '--rollback-on-failure');
    expect([code, ...outcomes(result)]).toEqual([1, 'c1 failed', 'c2 skipped', 'c3 skipped']);
    expect(result.clusters[0]).toMatchObject({proven: false, rollback: {outcome: 'done'}, error: {code: 'NOT_READY'}});
    expect(result.clusters[0]?.error?.hints.join()).not.toContain('trust rollback');
    expect(live('c1')).toEqual(before('c1'));
    // No key is lost: the new CA is in the work directory and in the previous Secret.
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')['ca-key.pem']).toBe(
      await own('c1', 'ca-key.pem'),
    );
    expect((await rotateJson('c1', '--dry-run')).result.clusters[0]?.step).toBe('push');
  });

  it('of which the rollback fails as well, reports both', async () => {
    passTime('c1');
    mesh.cluster('c1').before(
      {verb: 'list', resource: 'pods'},
      () => {
        if (mesh.cluster('c1').writes.some(({verb}) => verb === 'update')) {
          mesh.cluster('c1').fault({verb: 'update', name: 'cacerts'}, {status: 422, message: 'no'}, 9);
        }
      },
      999,
    );
    const {code, result} = await rotateJson('c1', '-y', '--rollback-on-failure');
    expect([code, ...outcomes(result)]).toEqual([1, 'c1 failed']);
    expect(result.clusters[0]?.rollback).toMatchObject({outcome: 'failed', error: {code: 'REJECTED'}});
    expect(result.clusters[0]?.error?.hints.join()).toContain('kubectl mesh trust rollback c1');
  });
});

describe('an interrupted rotation', () => {
  it('that issued a CA pushes it, and does not issue another', async () => {
    await runCommand(CertsGenerate, ['c1', '--renew', '-y'], mesh.env);
    const issued = await own('c1', 'ca-key.pem');
    const {code, result} = await rotateJson('c1', '-y');
    expect([code, ...steps(result)]).toEqual([0, 'c1 push 1']);
    expect([live('c1')['ca-key.pem'], await own('c1', 'ca-key.pem')]).toEqual([issued, issued]);
    await expectRotated('c1');
  });

  it('also does so where only the CA in the cluster is due', async () => {
    await mesh.writeCa('c1', {});
    const old = bundleOf(await tinyClusterCa(mesh.root, 'c1', {days: 10}), [mesh.root]);
    putCacerts(mesh.cluster('c1'), textsOf(old));
    running[0]?.load();
    await runCommand(CertsGenerate, ['c1'], mesh.env);
    const issued = await own('c1', 'ca-cert.pem');
    const {result} = await rotateJson('c1', '-y', '--within', '30d');
    expect(steps(result)).toEqual(['c1 push 1']);
    expect(live('c1')['ca-cert.pem']).toBe(issued);
    expect(steps((await rotateJson('c1', '-y', '--within', '30d')).result)).toEqual(['c1 none -']);
  });

  it('issues another CA where the unpushed one has another key algorithm', async () => {
    await runCommand(CertsGenerate, ['c1', '--renew', '-y'], mesh.env);
    const yaml = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), yaml.replace('ecdsa-p256', 'ecdsa-p384'));
    const {result} = await rotateJson('c1', '--dry-run');
    expect(steps(result)).toEqual(['c1 renew 1']);
  });

  it('that pushed a CA verifies it', async () => {
    await startOver(undefined, {byItself: false});
    const renewed = textsOf(await mesh.renew('c1'));
    putCacerts(mesh.cluster('c1'), renewed);
    // istiod loads it while the run waits.
    let listed = 0;
    mesh.cluster('c1').before(
      {verb: 'list', resource: 'pods'},
      () => {
        listed += 1;
        if (listed === 3) running[0]?.load();
      },
      999,
    );
    const {code, result} = await rotateJson('c1', '--within', '30%');
    expect([code, ...steps(result), ...outcomes(result)]).toEqual([0, 'c1 prove 1', 'c1 done']);
    expect(live('c1')).toEqual(renewed);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });
});

describe('--within', () => {
  it('does nothing and writes nothing if no CA is due', async () => {
    const listing = await stat(mesh.dir);
    const {code, result} = await rotateJson('--within', '30%');
    expect([code, ...outcomes(result)]).toEqual([0, 'c1 unchanged', 'c2 unchanged', 'c3 unchanged']);
    for (const name of names) expect(mesh.cluster(name).writes).toEqual([]);
    expect(await journal()).toBe('');
    expect((await stat(join(mesh.dir, 'mesh.yaml'))).mtimeMs).toBeLessThanOrEqual(listing.mtimeMs + 60_000);
  });

  it('needs neither the root key nor a signer if no CA is due', async () => {
    await rm(join(mesh.dir, 'root-key.pem'));
    expect((await rotateJson('--within', '30%')).code).toBe(0);
  });

  it.each([
    ['30%', 100, true],
    ['5%', 100, false],
    ['120d', 100, true],
    ['90d', 100, false],
    ['2500h', 100, true],
  ])('%s of a CA with %i of 1000 days left', async (within, days, due) => {
    const notBefore = new Date(Date.now() - (1000 - days) * 86_400_000);
    const change: TinyOptions['change'] = (template) => ({...template, notBefore});
    const old = bundleOf(await tinyClusterCa(mesh.root, 'c2', {days, change}), [mesh.root]);
    putCacerts(mesh.cluster('c2'), textsOf(old));
    await mesh.writeCa('c2', textsOf(old));
    running[1]?.load();
    const {code, result} = await rotateJson('--within', within, '--dry-run');
    expect([code, ...steps(result)]).toEqual([0, 'c1 none -', due ? 'c2 renew 1' : 'c2 none -', 'c3 none -']);
  });

  it.each(['0%', '101%', '30', '-5d', 'soon'])('%s is wrong usage', async (within) => {
    expect((await rotate(`--within=${within}`)).code).toBe(2);
  });

  it('ignores a cluster without a CA, which gets its first one otherwise', async () => {
    mesh.cluster('c3').remove('Secret', 'istio-system/cacerts');
    expect((await rotateJson('--within', '30%')).code).toBe(0);
    mesh.cluster('c3').remove('Deployment', 'istio-system/istiod');
    const {code, result} = await rotateJson('c3', '-y');
    expect([code, ...steps(result), result.clusters[0]?.proven]).toEqual([0, 'c3 push 1', undefined]);
    expect(live('c3')).toEqual(before('c3'));
  });
});

describe('refusals', () => {
  it('a version that does not reload, unless --restart-istiod restarts it', async () => {
    await startOver(undefined, {version: '1.11.8', byItself: false});
    const refused = await rotateJson('c1', '-y');
    expect([refused.code, refused.result.clusters[0]?.error?.code]).toEqual([5, 'RESTART_NEEDED']);
    expect(await own('c1', 'ca-cert.pem')).toBe(before('c1')['ca-cert.pem']);
    mesh.cluster('c1').before({verb: 'patch', resource: 'deployments'}, () => running[0]?.load());
    const {code, result} = await rotateJson('c1', '-y', '--restart-istiod');
    expect([code, result.clusters[0]?.restarts, result.clusters[0]?.proven]).toEqual([0, ['istiod'], true]);
    await expectRotated('c1');
  });

  it('a root in the work directory that is not the one workloads trust, before anything is issued', async () => {
    const other = await tinyRoot();
    await writeFile(join(mesh.dir, 'root-cert.pem'), other.certificate.pem);
    await writeFile(join(mesh.dir, 'root-key.pem'), writePrivateKey(other.key).reveal());
    mesh.cluster('c1').put(injected('shop/cart'));
    const {code, result} = await rotateJson('c1', '-y');
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, 'ROOT_CHANGE']);
    expect(await own('c1', 'ca-cert.pem')).toBe(before('c1')['ca-cert.pem']);
  });

  it('no root at all: none is created', async () => {
    await rm(join(mesh.dir, 'root-cert.pem'));
    await rm(join(mesh.dir, 'root-key.pem'));
    const {code, result} = await rotateJson('c1', '-y');
    expect([code, result.clusters[0]?.error?.code]).toEqual([2, 'FILE_MISSING']);
    await expect(stat(join(mesh.dir, 'root-key.pem'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['{type: external, issuer: istio-csr}', 'SIGNED_ELSEWHERE'],
    ['{type: csr}', 'SIGNED_ELSEWHERE'],
  ])('the signer %s', async (signer, error) => {
    await startOver(`trust: {signer: ${signer}}\n`);
    const {code, result} = await rotateJson('-y');
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, error]);
    expect(await own('c1', 'ca-cert.pem')).toBe(before('c1')['ca-cert.pem']);
  });

  it('revocation lists, which cannot include a CA that is not issued yet', async () => {
    putCacerts(mesh.cluster('c1'), {
      ...before('c1'),
      'ca-crl.pem': '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
    });
    const {code, result} = await rotateJson('c1', '-y');
    expect([code, result.clusters[0]?.error?.code]).toEqual([5, 'PUSH_REFUSED_INVALID_CA']);
    expect(await own('c1', 'ca-cert.pem')).toBe(before('c1')['ca-cert.pem']);
  });
});

describe('conflicts and keys', () => {
  it('a Secret that changes between plan and write is read and planned again', async () => {
    mesh.cluster('c1').before({verb: 'update', name: 'cacerts'}, () => {
      putCacerts(mesh.cluster('c1'), before('c1'), {metadata: {labels: {changed: 'yes'}}});
    });
    expect((await rotateJson('c1', '-y')).code).toBe(0);
    expect(live('c1')['ca-cert.pem']).toBe(await own('c1', 'ca-cert.pem'));
  });

  it('keepClusterKeys: false removes the key after the proof, and the next rotation creates another', async () => {
    await startOver('trust: {keyAlgorithm: ecdsa-p256, keepClusterKeys: false}\n');
    for (let round = 0; round < 2; round += 1) {
      const last = live('c1')['ca-key.pem'];
      expect((await rotateJson('c1', '-y')).code).toBe(0);
      expect(live('c1')['ca-key.pem']).not.toBe(last);
      await expect(own('c1', 'ca-key.pem')).rejects.toThrow('ENOENT');
    }
  });

  it('the previous CA can be restored, and the new one is then pushed again', async () => {
    expect((await rotateJson('c1', '-y')).code).toBe(0);
    const renewed = live('c1');
    expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
    expect(live('c1')).toEqual(before('c1'));
    const {result} = await rotateJson('c1', '-y');
    expect(steps(result)).toEqual(['c1 push 1']);
    expect(live('c1')).toEqual(renewed);
    expect((await runCommand(TrustPush, [], mesh.env)).code).toBe(0);
  });
});
