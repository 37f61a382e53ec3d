import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsRewrite from '../../src/commands/certs/rewrite.js';
import Verify from '../../src/commands/verify.js';
import type {RewriteResult} from '../../src/operations/certs/rewrite.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

const head = 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n';
const longAgo = new Date('2016-01-01T00:00:00Z');
let dir: TestWorkDir;
let root: TinyCa;
let old: TinyCa;
const files: Record<string, string> = {};

beforeEach(async () => {
  dir = await createWorkDir();
  [root, old] = await Promise.all([tinyRoot(), tinyRoot({now: longAgo, days: 30, meshID: 'old'})]);
  await dir.write('mesh.yaml', `${head}  - name: c1\n  - name: c2\n`);
  await dir.write('root-cert.pem', root.certificate.pem);
  for (const name of ['c1', 'c2']) {
    const {caCert, caKey, rootCert, certChain} = bundleOf(await tinyClusterCa(root, name), [root]);
    Object.assign(files, {
      ...{[`${name}/ca-cert.pem`]: caCert, [`${name}/ca-key.pem`]: caKey.reveal()},
      ...{[`${name}/root-cert.pem`]: rootCert, [`${name}/cert-chain.pem`]: certChain},
    });
  }
  for (const [path, text] of Object.entries(files))
    await dir.write(path, text, path.endsWith('key.pem') ? 0o600 : 0o644);
});
afterEach(() => dir.dispose());

const rewrite = (...argv: string[]): Promise<CommandRun> => runCommand(CertsRewrite, [...argv, '-w', dir.root]);
const answer = async (...argv: string[]) => {
  const run = await rewrite(...argv, '-o', 'json');
  return {code: run.code, ...(answerOf(run) as AsJson<RewriteResult>)};
};
const fixes = async (only: string): Promise<readonly string[]> => {
  const run = await runCommand(Verify, ['--offline', '--only', only, '-w', dir.root, '-o', 'json']);
  const {checks} = answerOf(run) as AsJson<VerifyResult>;
  return checks.filter(({result}) => result === 'error' || result === 'warning').map(({fix}) => fix);
};
const contents = async (): Promise<Record<string, string>> =>
  Object.fromEntries(await Promise.all(Object.keys(files).map(async (path) => [path, await dir.read(path)] as const)));

describe('certs rewrite', () => {
  it('changes nothing in canonical files', async () => {
    expect(await answer('--yes')).toMatchObject({
      code: 0,
      root: {outcome: 'unchanged'},
      clusters: [
        {name: 'c1', outcome: 'unchanged'},
        {name: 'c2', outcome: 'unchanged'},
      ],
    });
    expect(await contents()).toEqual(files);
  });

  it.each<[string, string, (text: string) => string]>([
    ['a byte order mark', 'c1/ca-cert.pem', (text) => `\ufeff${text}`],
    ['glued lines', 'c1/cert-chain.pem', (text) => text.replaceAll('-----\n-----', '----------')],
    ['UTF-16', 'c1/root-cert.pem', (text) => text],
    [
      'another order',
      'c1/cert-chain.pem',
      (text) =>
        text
          .split(/(?=-----BEGIN)/)
          .reverse()
          .join(''),
    ],
    ['a repeated certificate', 'c1/cert-chain.pem', (text) => `${text}${text}`],
    ['a byte order mark before the key', 'c1/ca-key.pem', (text) => `\ufeff${text}`],
  ])('is the fix that verify prints for %s, and restores the file', async (what, path, damage) => {
    const text = damage(files[path] ?? '');
    await writeFile(join(dir.root, path), what === 'UTF-16' ? Buffer.from(`\ufeff${text}`, 'utf16le') : text);
    const [fix = ''] = await fixes('MESH103,MESH104');
    const [, , , , ...argv] = fix.split(' ').filter((word) => word !== '-w' && word !== dir.root);
    expect(fix).toMatch(/^kubectl mesh certs rewrite c1 --yes/);
    const {code, clusters} = await answer(...argv);
    expect([code, clusters.map(({outcome, files: written}) => [outcome, written])]).toEqual([0, [['done', [path]]]]);
    expect(await contents()).toEqual(files);
    expect(await fixes('MESH103,MESH104')).toEqual([]);
  });

  it('is the fix for the form of the mesh’s root-cert.pem, without which MESH105 is unknown', async () => {
    await dir.write('root-cert.pem', `\ufeff${root.certificate.pem}`);
    const run = await runCommand(Verify, ['--offline', '--only', 'MESH105', '-w', dir.root, '-o', 'json']);
    const {checks} = answerOf(run) as AsJson<VerifyResult>;
    expect(checks).toMatchObject([
      {result: 'unknown', fix: expect.stringMatching(/^kubectl mesh certs rewrite --yes/) as string},
    ]);
    expect(await answer('--yes')).toMatchObject({code: 0, root: {outcome: 'done', files: ['root-cert.pem']}});
    expect(await dir.read('root-cert.pem')).toBe(root.certificate.pem);
  });

  it('requires a confirmation, and a dry run writes nothing', async () => {
    await dir.write('c1/ca-cert.pem', `\ufeff${files['c1/ca-cert.pem'] ?? ''}`);
    expect((await rewrite('c1')).code).toBe(5);
    expect(await answer('c1', '--dry-run')).toMatchObject({
      code: 0,
      dryRun: 'client',
      clusters: [{outcome: 'skipped'}],
    });
    expect(await dir.read('c1/ca-cert.pem')).toMatch(/^\ufeff/);
    expect(await dir.read('journal.jsonl').catch(() => '')).not.toContain('"outcome"');
  });

  it('reports a damaged file and writes none of its cluster', async () => {
    await dir.write('c1/ca-cert.pem', `\ufeff${files['c1/ca-cert.pem'] ?? ''}`);
    await dir.write('c1/cert-chain.pem', (files['c1/cert-chain.pem'] ?? '').slice(0, -50));
    expect(await answer('c1', '--yes')).toMatchObject({code: 2, clusters: [{error: {code: 'WORKDIR_CONFLICT'}}]});
    expect(await dir.read('c1/ca-cert.pem')).toMatch(/^\ufeff/);
  });

  it('does not hide a private key in a public file', async () => {
    await dir.write('c1/cert-chain.pem', `${files['c1/cert-chain.pem'] ?? ''}${files['c2/ca-key.pem'] ?? ''}`);
    expect(await answer('c1', '--yes')).toMatchObject({code: 5, clusters: [{error: {code: 'PRIVATE_KEY_PUBLISHED'}}]});
    expect(await dir.read('c1/cert-chain.pem')).toContain('PRIVATE KEY');
  });
});

describe('certs rewrite --remove-expired-roots', () => {
  const both = () => `${root.certificate.pem}${old.certificate.pem}`;

  it('is the fix for a root that a rotation left over, in the mesh and in every cluster', async () => {
    for (const path of ['root-cert.pem', 'c1/root-cert.pem', 'c2/root-cert.pem']) await dir.write(path, both());
    const [fix = '', other] = await fixes('MESH103');
    expect(fix).toMatch(/^kubectl mesh certs rewrite --remove-expired-roots --yes/);
    expect(other).toBe(fix);
    const removedRoots = [{fingerprint: old.certificate.fingerprint}];
    expect(await answer('--remove-expired-roots', '--yes')).toMatchObject({
      code: 0,
      root: {outcome: 'done', removedRoots},
      clusters: [
        {outcome: 'done', removedRoots},
        {outcome: 'done', removedRoots},
      ],
    });
    expect(await dir.read('root-cert.pem')).toBe(root.certificate.pem);
    expect(await contents()).toEqual(files);
    expect(await fixes('MESH103,MESH105,MESH108')).toEqual([]);
  });

  it('removes none without the flag', async () => {
    await dir.write('c1/root-cert.pem', both());
    expect(await answer('--yes')).toMatchObject({code: 0, clusters: [{outcome: 'unchanged'}, {outcome: 'unchanged'}]});
  });

  it('keeps the last root, and one that the CA of a cluster is below', async () => {
    const below = await tinyClusterCa(old, 'c2', {now: longAgo, days: 20});
    const {caCert, caKey, certChain} = bundleOf(below, [old]);
    await dir.write('c2/ca-cert.pem', caCert);
    await dir.write('c2/ca-key.pem', caKey.reveal(), 0o600);
    await dir.write('c2/cert-chain.pem', certChain);
    await dir.write('c2/root-cert.pem', old.certificate.pem);
    await dir.write('c1/root-cert.pem', both());
    const {clusters, warnings} = await answer('--remove-expired-roots', '--yes');
    expect(clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
    expect(warnings.map(({cluster}) => cluster)).toEqual(['c1', 'c2']);
    expect(await dir.read('c1/root-cert.pem')).toBe(both());
  });
});
