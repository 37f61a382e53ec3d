import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsList from '../../src/commands/certs/list.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {bundleOf, type TinyCa, tinyClusterCa, type TinyOptions, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
let root: TinyCa;
beforeEach(async () => {
  dir = await createWorkDir();
  root = await tinyRoot();
  await dir.write('root-cert.pem', root.certificate.pem);
  await dir.write(
    'mesh.yaml',
    'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters: [{name: cluster1}, {name: cluster2}]\n',
  );
});
afterEach(() => dir.dispose());

const list = (...argv: string[]): Promise<CommandRun> => runCommand(CertsList, [...argv, '-w', dir.root]);

/** A cluster's files without its key, as a git checkout has them. */
async function place(cluster: string, options: TinyOptions = {}, above: readonly TinyCa[] = [root]): Promise<TinyCa> {
  const ca = await tinyClusterCa(above[0] ?? root, cluster, options);
  const bundle = bundleOf(ca, above);
  await dir.write(`${cluster}/ca-cert.pem`, bundle.caCert);
  await dir.write(`${cluster}/root-cert.pem`, bundle.rootCert);
  await dir.write(`${cluster}/cert-chain.pem`, bundle.certChain);
  return ca;
}

describe('certs list', () => {
  it('lists every certificate once, without any key, and names the first outage', async () => {
    const ca = await place('cluster1', {days: 400});
    await place('cluster2', {days: 700});
    const run = await list('-o', 'json');
    expect(run.code).toBe(0);
    expect(answerOf(run)).toMatchObject({
      schemaVersion: 1,
      root: {certificates: [{role: 'root', file: 'root-cert.pem', inUse: true, state: 'ok', daysLeft: 3649}]},
      clusters: [
        {
          name: 'cluster1',
          outcome: 'done',
          certificates: [
            {
              role: 'cluster CA',
              file: 'cluster1/ca-cert.pem',
              fingerprint: ca.certificate.fingerprint,
              issuer: root.certificate.subject.text,
              key: 'ecdsa-p256',
              daysLeft: 399,
            },
          ],
        },
        {name: 'cluster2', outcome: 'done'},
      ],
      firstOutage: {file: 'cluster1/ca-cert.pem', clusters: ['cluster1'], daysLeft: 399},
    });
  });

  it.each([
    ['ok', {now: daysAgo(100), days: 730}],
    ['warning', {now: daysAgo(600), days: 730}],
    ['error', {now: daysAgo(700), days: 730}],
    ['expired', {now: daysAgo(740), days: 730}],
    ['not-yet-valid', {now: daysAgo(-3), days: 730}],
  ] as const)('says %s by the thresholds of mesh.yaml', async (state, options) => {
    // The root is older than the CA it signed.
    root = await tinyRoot({now: daysAgo(1000)});
    await dir.write('root-cert.pem', root.certificate.pem);
    await place('cluster1', {
      ...options,
      change: (template) => ({...template, notAfter: new Date(options.now.getTime() + options.days * 86_400_000)}),
    });
    expect(answerOf(await list('cluster1', '-o', 'json'))).toMatchObject({clusters: [{certificates: [{state}]}]});
  });

  it('reports the root as the first outage if it expires first, with all affected clusters', async () => {
    root = await tinyRoot({days: 30});
    await dir.write('root-cert.pem', root.certificate.pem);
    const outliving = {
      change: (one: Parameters<NonNullable<TinyOptions['change']>>[0]) => ({
        ...one,
        notAfter: new Date(Date.now() + 9e9),
      }),
    };
    await place('cluster1', outliving);
    await place('cluster2', outliving);
    expect(answerOf(await list('-o', 'json'))).toMatchObject({
      firstOutage: {file: 'root-cert.pem', clusters: ['cluster1', 'cluster2']},
    });
  });

  it('shows intermediates, and roots that are not the mesh’s', async () => {
    const middle = await tinyClusterCa(root, 'middle', {
      change: (template) => ({...template, extensions: {...template.extensions, basicConstraints: {ca: true}}}),
    });
    await place('cluster1', {}, [middle, root]);
    const other = await tinyRoot();
    await place('cluster2', {}, [other]);
    const roles = (answerOf(await list('-o', 'json')) as {clusters: {certificates: {role: string}[]}[]}).clusters.map(
      ({certificates}) => certificates.map(({role}) => role),
    );
    expect(roles).toEqual([
      ['cluster CA', 'intermediate'],
      ['cluster CA', 'other root'],
    ]);
  });

  it('reports clusters without a CA', async () => {
    await place('cluster1');
    const run = await list();
    expect(run.code).toBe(0);
    expect(run.stdout).toContain(`No cluster CA: cluster2\n  → kubectl mesh certs generate -w ${dir.root}`);
  });

  it('names the external issuer of cluster CAs', async () => {
    const declared = await dir.read('mesh.yaml');
    await dir.write('mesh.yaml', `${declared}trust: {signer: {type: external, issuer: istio-csr}}\n`);
    const run = await list();
    expect([run.code, run.stdout]).toEqual([0, expect.stringMatching(/No cluster CA: .*\n {2}→ .*istio-csr/)]);
  });

  it('forecasts renewals, the next one first, and reports where only a new root helps', async () => {
    root = await tinyRoot({days: 900});
    await dir.write('root-cert.pem', root.certificate.pem);
    await place('cluster1', {days: 730});
    await place('cluster2', {days: 900});
    const run = await list();
    expect(run.stdout).toMatch(/CLUSTER +RENEW FROM +RENEW +FIRST OUTAGE +EXPIRES FIRST\ncluster1 .*\ncluster2 /);
    expect(run.stdout).toContain('Limited by the root: cluster2.');
    expect(answerOf(await list('-o', 'json'))).toMatchObject({
      forecast: [
        {cluster: 'cluster1', due: false, cutByRoot: false, renew: {role: 'cluster CA', place: 'cluster1/ca-cert.pem'}},
        {cluster: 'cluster2', due: false, cutByRoot: true, renew: {role: 'root', place: 'root-cert.pem'}},
      ],
      rootAgreement: [
        {cluster: 'cluster1', source: 'workdir', agrees: true},
        {cluster: 'cluster2', source: 'workdir', agrees: true},
      ],
    });
  });

  it('names files that cannot be read, and still lists the rest', async () => {
    await place('cluster1');
    await place('cluster2');
    await dir.write('cluster1/ca-cert.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n');
    const run = await list('-o', 'json');
    expect(run.code).toBe(2);
    expect(answerOf(run)).toMatchObject({
      clusters: [
        {name: 'cluster1', outcome: 'failed', error: {code: 'WORKDIR_CONFLICT'}},
        {name: 'cluster2', outcome: 'done', certificates: [{role: 'cluster CA'}]},
      ],
    });
  });

  it('prints a table, a wide table, and the file names', async () => {
    await place('cluster1');
    expect((await list('cluster1')).stdout.split('\n')[0]).toMatch(
      /^NAME +ROLE +KEY +NOT AFTER +STATE +FINGERPRINT +SUBJECT$/,
    );
    expect((await list('cluster1', '-o', 'wide')).stdout).toContain('ISSUER');
    expect((await list('cluster1', '-o', 'name')).stdout.trim().split('\n')).toEqual([
      'root-cert.pem',
      'cluster1/ca-cert.pem',
    ]);
  });

  it('changes nothing', async () => {
    await place('cluster1');
    const before = await dir.snapshot();
    await list();
    expect(await dir.snapshot()).toEqual(before);
  });
});

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}
