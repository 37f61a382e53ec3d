/** The journal against a real API server: the identity that it records, and how a rewritten file is detected. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ShowResult} from '../../src/operations/journal/show.js';
import type {VerifyJournalResult} from '../../src/operations/journal/verify.js';
import {rewriteJournal} from '../helpers/rewrite-journal.js';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import type {MeshCli} from './harness/mesh-cli.js';

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;

beforeAll(async () => {
  setting = await startSetting({name: 'c1', nodes: 0, playIstiod: false});
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  await cli.must('init', `c1=${cluster.context}`);
  await cli.must('certs', 'generate', '--key-algorithm', 'ecdsa-p256');
});
afterAll(() => setting.sandbox.close());

async function changes(...args: string[]): Promise<ShowResult['changes']> {
  return (JSON.parse(await cli.must('journal', 'show', ...args, '-o', 'json')) as ShowResult).changes;
}

async function verified(): Promise<{code: number | null; results: readonly string[]}> {
  const ran = await cli.run(['journal', 'verify', '-o', 'json']);
  const {clusters} = JSON.parse(ran.stdout) as VerifyJournalResult;
  return {code: ran.code, results: clusters.flatMap(({heads}) => heads.map(({result}) => result))};
}

describe('who made a change', () => {
  it('is, besides the user of the machine, the service account whose token was used', async () => {
    await cluster.kubectl('-n', 'default', 'create', 'serviceaccount', 'deployer');
    const grant = ['--clusterrole=cluster-admin', '--serviceaccount=default:deployer'];
    await cluster.kubectl('create', 'clusterrolebinding', 'deployer', ...grant);
    writeKubeconfigWithToken(cli.kubeconfig, cluster, await cluster.api.token('default', 'deployer'));
    await cli.must('trust', 'push', '--reason', 'CHG-1: first CA');
    cli.useContexts({[cluster.context]: cluster});
    const uid = await cluster.kubectl('-n', 'default', 'get', 'sa', 'deployer', '-o', 'jsonpath={.metadata.uid}');
    for (const change of await changes('c1', '--command', 'trust push')) {
      expect(change).toMatchObject({
        status: 'done',
        reason: 'CHG-1: first CA',
        identity: {username: 'system:serviceaccount:default:deployer', uid: uid.trim()},
      });
    }
    expect(await cli.must('journal', 'show', '-o', 'wide')).toContain('system:serviceaccount:default:deployer');
  });

  it('is the impersonated user with --as', async () => {
    await cli.must('certs', 'generate', 'c1', '--renew', '--yes');
    await cli.must('trust', 'push', '--yes', '--as', 'alice@example.com', '--as-group', 'system:masters');
    expect((await changes('c1', '--command', 'trust push')).at(-1)?.identity?.username).toBe('alice@example.com');
  });
});

describe('a rewritten journal with valid hashes', () => {
  it('is found by what the cluster remembers, and by nothing else', async () => {
    expect(await verified()).toEqual({code: 0, results: ['agrees']});
    const secret = ['-n', 'istio-system', 'get', 'secret', 'cacerts', '-o', 'json'];
    const {metadata} = JSON.parse(await cluster.kubectl(...secret)) as {
      metadata: {annotations: Record<string, string>};
    };
    const [place, hash = ''] = (metadata.annotations['kubectl-mesh/journal-head'] ?? '').split(':');
    const journal = readFileSync(join(cli.workDir, 'journal.jsonl'), 'utf8');
    expect(journal.split('\n').filter((line) => line.includes(hash) && line.includes('"kind":"intent"'))).toHaveLength(
      1,
    );
    expect(place).toMatch(/^[0-9a-f]{16}\/\d+$/);
    // A push that changes nothing leaves everything as it is.
    await cli.must('trust', 'push');
    expect(await verified()).toEqual({code: 0, results: ['agrees']});
    await rewriteJournal(cli.workDir, (entry) => ({
      ...entry,
      ...(entry.identity && {identity: {username: 'another@user'}}),
    }));
    expect((await cli.run(['journal', 'verify', '--offline'])).code).toBe(0);
    expect(await verified()).toEqual({code: 3, results: ['rewritten']});
    const verdict = await cli.verify('--only', 'MESH113,MESH116');
    expect([verdict.code, ...verdict.checks.map(({id, result}) => `${id} ${result}`)]).toEqual([
      3,
      'MESH113 ok',
      'MESH116 error',
    ]);
  });
});
