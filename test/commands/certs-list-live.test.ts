/** `certs list --live`: running certificates, unknown ones, and the file for a collector. */
import {chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsList from '../../src/commands/certs/list.js';
import type {ListResult} from '../../src/operations/certs/list.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyLeaf, tinyRoot} from '../helpers/tiny-ca.js';
import {putCacerts, textsOf} from '../helpers/trust-mesh.js';
import {verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const list = (...argv: readonly string[]): Promise<CommandRun> => runCommand(CertsList, argv, mesh.env);
const listed = async (...argv: readonly string[]): Promise<{readonly code: number; readonly result: ListResult}> => {
  const run = await list('--live', ...argv, '-o', 'json');
  return {code: run.code, result: answerOf(run) as ListResult};
};
const liveOf = (result: ListResult, name: string) => result.clusters.find((one) => one.name === name)?.live;

describe('certs list --live', () => {
  it("lists the certificates of the Secret, the bundle and istiod once each, and istiod's reports", async () => {
    const {code, result} = await listed('c1');
    expect(code).toBe(0);
    const {ca} = mesh.one('c1');
    expect(liveOf(result, 'c1')).toMatchObject({
      reachable: true,
      readable: {cluster: true, live: true},
      problems: [],
      certificates: [
        {source: 'cluster', role: 'cluster CA', places: ['Secret cacerts'], inUse: true},
        {source: 'cluster', role: 'root', places: ['Secret cacerts', 'ConfigMap istio-system/istio-ca-root-cert']},
        {source: 'live', role: 'istiod', places: ['istiod-1'], inUse: false},
        {source: 'live', role: 'cluster CA', fingerprint: ca.certificate.fingerprint, inUse: true},
        {source: 'live', role: 'root', fingerprint: mesh.root.certificate.fingerprint, inUse: true},
      ],
      reported: [
        {
          pod: 'istiod-1',
          caEnd: ca.certificate.notAfter.toISOString(),
          rootEnd: mesh.root.certificate.notAfter.toISOString(),
        },
      ],
    });
    expect(result.rootAgreement.map(({source, agrees}) => [source, agrees])).toEqual([
      ['workdir', true],
      ['live', true],
    ]);
  });

  it('treats running certificates as in use, not a renewed file that was not pushed', async () => {
    const old = await tinyClusterCa(mesh.root, 'c1', {days: 5});
    const one = mesh.one('c1');
    putCacerts(one.kube, textsOf(bundleOf(old, [mesh.root])));
    one.present([await tinyLeaf(old), old, mesh.root]);
    const {code, result} = await listed('c1', '--fail-on', 'error');
    expect(code).toBe(3);
    expect(result.clusters[0]?.certificates).toMatchObject([{role: 'cluster CA', inUse: false, state: 'ok'}]);
    expect(result.forecast).toMatchObject([{cluster: 'c1', due: true, endsFirst: {role: 'cluster CA'}}]);
    expect(result.firstOutage?.daysLeft).toBeLessThan(6);
    expect((await list('c1', '--fail-on', 'error')).code).toBe(0);
  });

  it('reads no Secret with --no-secrets, and still lists running certificates', async () => {
    const before = mesh.one('c1').kube.requests.length;
    const {code, result} = await listed('c1', '--no-secrets');
    expect(code).toBe(0);
    const requested = mesh.one('c1').kube.requests.slice(before);
    expect(requested.length).toBeGreaterThan(0);
    expect(requested.filter(({resource}) => resource === 'secrets')).toEqual([]);
    expect(
      liveOf(result, 'c1')
        ?.certificates.filter(({inUse}) => inUse)
        .map(({role}) => role),
    ).toEqual(expect.arrayContaining(['cluster CA', 'root']));
  });

  it('reports different roots, and which clusters reject each other', async () => {
    const other = await tinyRoot();
    const ca = await tinyClusterCa(other, 'c2');
    const two = mesh.one('c2');
    two.present([await tinyLeaf(ca), ca, other]);
    two.publish(other.certificate.pem);
    const {result} = await listed();
    expect(result.rootAgreement.filter(({agrees}) => !agrees)).toEqual([
      {cluster: 'c1', source: 'live', agrees: false, refusedBy: ['c2']},
      {cluster: 'c2', source: 'live', agrees: false, refusedBy: ['c1']},
    ]);
    expect((await list('--live')).stdout).toMatch(
      /c1: the chain that its istiod presents does not verify against the roots of c2/,
    );
    expect((await list('--live', '-o', 'prometheus')).stdout).toContain('root_agrees{cluster="c1",source="live"} 0');
  });
});

describe('an unknown cluster', () => {
  it('results in exit code 4 in every format, and in a metric in a complete file', async () => {
    mesh.one('c2').kube.fault({}, {status: 500}, 999);
    const file = join(mesh.dir, 'mesh.prom');
    const run = await list('--live', '-o', 'prometheus', '--output-file', file);
    expect([run.code, run.stdout]).toEqual([4, '']);
    const text = await readFile(file, 'utf8');
    expect(text.endsWith('\n')).toBe(true);
    expect(text).toContain('kubectl_mesh_cluster_reachable{cluster="c2"} 0');
    expect(text).toContain('kubectl_mesh_cluster_reachable{cluster="c1"} 1');
    expect(text).toContain('kubectl_mesh_source_readable{cluster="c2",source="live"} 0');
    expect(text).toMatch(/not_after_timestamp_seconds\{cluster="c1",source="live",role="cluster_CA"/);
    expect(text).toMatch(/not_after_timestamp_seconds\{cluster="c2",source="workdir",role="cluster_CA"/);
    const {code, result} = await listed();
    expect([code, liveOf(result, 'c2')?.reachable, liveOf(result, 'c1')?.reachable]).toEqual([4, false, true]);
    // Unknown values fall back to the declared ones.
    expect(result.forecast.map(({cluster}) => cluster).toSorted()).toEqual(['c1', 'c2']);
    expect((await list('--live')).code).toBe(4);
  });

  it('is reported with the missing permission: the Secret only', async () => {
    mesh.one('c1').kube.deny({resource: 'secrets'});
    const {code, result} = await listed('c1');
    expect(code).toBe(4);
    expect(liveOf(result, 'c1')).toMatchObject({
      reachable: true,
      readable: {cluster: false, live: true},
      problems: [{code: 'FORBIDDEN'}],
    });
  });

  it('is one that differs from the recorded one: nothing of it is shown under this name', async () => {
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    const {uid} = mesh.one('c1').kube;
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replace(uid, '00000000-0000-4000-8000-000000000000'));
    const {code, result} = await listed('c1');
    expect(code).toBe(5);
    expect(liveOf(result, 'c1')).toMatchObject({
      reachable: false,
      certificates: [],
      problems: [{code: 'UID_MISMATCH'}],
    });
  });

  it('is one that the contexts of two clusters point to: nothing of it is shown under either name', async () => {
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replaceAll(/^ +uid: .*\n/gm, ''));
    const {uid} = mesh.one('c1').kube;
    mesh.one('c2').kube.put({apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'kube-system', uid}});
    const {code, result} = await listed();
    const problem = {reachable: false, certificates: [], problems: [{code: 'UID_MISMATCH'}]};
    expect([code, liveOf(result, 'c1'), liveOf(result, 'c2')]).toMatchObject([5, problem, problem]);
  });
});

describe('--output-file', () => {
  const write = (path: string): Promise<CommandRun> => list('-o', 'prometheus', '--output-file', path);

  it('is readable by a collector whatever the umask, is replaced atomically, and leaves no temporary file', async () => {
    const folder = join(mesh.dir, 'textfile');
    await mkdir(folder);
    const file = join(folder, 'mesh.prom');
    const umask = process.umask(0o077);
    try {
      expect((await write(file)).code).toBe(0);
    } finally {
      process.umask(umask);
    }
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    await chmod(file, 0o640);
    const {ino} = await stat(file);
    expect((await write(file)).code).toBe(0);
    const after = await stat(file);
    // Another file under the same name, with the mode of the existing one.
    expect([after.ino === ino, after.mode & 0o777]).toEqual([false, 0o640]);
    expect(await readdir(folder)).toEqual(['mesh.prom']);
  });

  it('accepts any format, - for standard output, and follows links', async () => {
    const file = join(mesh.dir, 'list.json');
    const link = join(mesh.dir, 'link.json');
    await writeFile(file, '');
    await symlink(file, link);
    expect((await list('-o', 'json', '--output-file', link)).stdout).toBe('');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({schemaVersion: 1});
    expect((await list('-o', 'name', '--output-file', '-')).stdout).toContain('c1/ca-cert.pem');
  });

  it.each([
    ['a missing directory', 'none/mesh.prom'],
    ['a folder', 'c1'],
    ['a device', '/dev/null'],
  ])('fails with a reason for %s, and loses nothing', async (_, path) => {
    const run = await write(path.startsWith('/') ? path : join(mesh.dir, path));
    expect(run.code).toBe(1);
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    expect((await readdir(join(mesh.dir, 'c1'))).length).toBeGreaterThan(2);
  });
});

describe('--within and --fail-on', () => {
  it('omits certificates that are not in use or expire later, and reports an empty list', async () => {
    const none = await list('--within', '30d', '--fail-on', 'warning');
    expect([none.code, none.stdout.split('\n')[0]]).toEqual([0, 'No certificate in use expires within 30 days.']);
    const some = await list('--within', '800d', '-o', 'json');
    expect([some.code, answerOf(some)]).toMatchObject([
      0,
      {withinDays: 800, root: {certificates: []}, clusters: [{certificates: [{}]}, {certificates: [{}]}]},
    ]);
    expect((await list('--within', '800d', '--fail-on', 'warning')).code).toBe(3);
    // Their expiry is far from an error.
    expect((await list('--within', '800d', '--fail-on', 'error')).code).toBe(0);
    expect((await list('--within', '36h', '--fail-on', 'warning')).code).toBe(0);
  });

  it('does not report success for a cluster without certificates: a checkout without files', async () => {
    await rm(join(mesh.dir, 'c2'), {recursive: true});
    const run = await list('--within', '30d', '--fail-on', 'warning');
    expect([run.code, run.stdout]).toEqual([4, expect.stringContaining('No cluster CA: c2')]);
    expect((await list('c1', '--within', '30d', '--fail-on', 'warning')).code).toBe(0);
    expect((await list('--within', '800d', '--fail-on', 'warning')).code).toBe(3);
    expect((await list('--within', '30d')).code).toBe(0);
  });

  it.each([
    ['--within', 'soon'],
    ['--within', '0d'],
    ['--within', '-3d'],
    ['--fail-on', 'info'],
    ['--no-secrets'],
    ['--within', '30d', '-o', 'prometheus'],
  ])('are a usage error otherwise: %s %s', async (...argv) => {
    // oclif rejects these before the run.
    const run = list(...argv);
    const code = await run.then(
      (done) => done.code,
      () => 2,
    );
    expect(code).toBe(2);
  });
});
