/** unlink finds what leads to a cluster whatever its name is, and deletes nothing else. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import Unlink from '../../src/commands/unlink.js';
import type {UnlinkResult} from '../../src/operations/discovery/unlink.js';
import {secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

async function linked(names: readonly string[], clusterYaml: Readonly<Record<string, string>> = {}): Promise<void> {
  mesh = await linkMesh(names, {clusterYaml});
  for (const name of names) mesh.istiod(name).status['prod-eu'] = 'synced';
  expect((await runCommand(Link, [], mesh.env)).code).toBe(0);
}

async function unlink(...argv: string[]): Promise<{code: number; result: UnlinkResult}> {
  const run = await runCommand(Unlink, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as UnlinkResult};
}

/** The Secrets in a cluster's namespace of Istio. */
const secretsOf = (name: string): readonly string[] =>
  mesh
    .cluster(name)
    .all('Secret')
    .map(({metadata}) => metadata.name)
    .sort();

/** Copies the remote secret of c1 for a cluster to another name. */
function copyRemoteSecret(of: string, name: string): void {
  const fake = mesh.cluster('c1');
  const labels = {'istio/multiCluster': 'true'};
  const data = fake.get('Secret', `istio-system/istio-remote-secret-${of}`)?.data;
  fake.put({apiVersion: 'v1', kind: 'Secret', metadata: {name, namespace: 'istio-system', labels}, data});
}

async function removeFromMeshYaml(name: string): Promise<void> {
  const file = join(mesh.dir, 'mesh.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(new RegExp(` {2}- name: ${name}\n(?: {4}.*\n)*`), ''));
}

const denyList = (name: string): void => {
  mesh.cluster(name).deny({verb: 'list', resource: 'secrets'});
};

const texts = ({warnings}: UnlinkResult): string => JSON.stringify(warnings);

describe('a remote secret of another name', () => {
  it('is deleted although no istiod runs that could name it', async () => {
    await linked(['c1', 'c2']);
    copyRemoteSecret('c2', 'by-hand');
    mesh.cluster('c1').remove('Secret', 'istio-system/istio-remote-secret-c2');
    mesh.cluster('c1').remove('Pod', 'istio-system/istiod-1');
    expect((await unlink('c2', '--yes')).code).toBe(0);
    expect(secretsOf('c1')).toEqual([]);
  });

  it('is deleted although istiod ignores it, because it uses the first one for a cluster', async () => {
    await linked(['c1', 'c2']);
    copyRemoteSecret('c2', 'second');
    const {current} = mesh.istiod('c1').monitor.says;
    const all = current['/debug/clusterz'] as () => readonly {secretName: string}[];
    current['/debug/clusterz'] = () => all().filter(({secretName}) => secretName !== 'istio-system/second');
    const {code, result} = await unlink('c2', '--yes');
    expect([code, result.warnings]).toEqual([0, []]);
    expect(secretsOf('c1')).toEqual([]);
  });

  it('is not searched for without the right to list Secrets, which is reported with the command that lists them', async () => {
    await linked(['c1', 'c2', 'c3']);
    for (const name of ['c1', 'c2']) denyList(name);
    const {code, result} = await unlink('c3', '--yes');
    expect(code).toBe(0);
    expect(result.warnings).toHaveLength(1);
    expect(texts(result)).toContain('for context in ctx-c1 ctx-c2');
    expect([...secretsOf('c1'), ...secretsOf('c2')].filter((name) => name.endsWith('c3'))).toEqual([]);
  });
});

describe('a cluster that is no longer in mesh.yaml and has another name in Istio', () => {
  it.each([
    ['c2', true],
    ['prod-eu', true],
    ['c2', false],
    ['prod-eu', false],
  ])('is unlinked by either name: %s, may list Secrets: %s', async (name, mayList) => {
    await linked(['c1', 'c2'], {c2: '    istioName: prod-eu\n'});
    expect(secretsOf('c1')).toEqual(['istio-remote-secret-prod-eu', 'kubectl-mesh-reader-c2']);
    await removeFromMeshYaml('c2');
    if (!mayList) denyList('c1');
    const {code, result} = await unlink(name, '--yes');
    expect([code, result.target]).toEqual([0, 'c2']);
    expect(secretsOf('c1')).toEqual([]);
  });

  it('is not confused with a cluster of mesh.yaml that had this name for Istio before', async () => {
    await linked(['c1', 'c2', 'c3'], {c2: '    istioName: prod-eu\n'});
    const file = join(mesh.dir, 'mesh.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('    istioName: prod-eu\n', ''));
    expect((await unlink('prod-eu', '--yes')).code).toBe(0);
    expect(secretsOf('c1')).toEqual(['istio-remote-secret-c3', 'kubectl-mesh-reader-c2', 'kubectl-mesh-reader-c3']);
  });
});

it('a reader Secret of a cluster that mesh.yaml does not contain is deleted with the cluster that it reads', async () => {
  await linked(['c1', 'c2', 'c3']);
  await removeFromMeshYaml('c3');
  await unlink('c1', '--yes');
  expect(secretsOf('c1')).toEqual([]);
});

it('the Secret with a long-lived token is deleted, and no token is reported to stay valid', async () => {
  await linked(['c1', 'c2']);
  mesh.cluster('c2').put(secret('istio-system/kubectl-mesh-token-c1', {}));
  const {result} = await unlink('c2', '--yes');
  expect(secretsOf('c2')).toEqual([]);
  expect(result.clusters.flatMap(({lasting}) => lasting)).toEqual([]);
});

describe('what is no remote secret', () => {
  it('is not deleted although istiod reports that it reads a cluster from it', async () => {
    await linked(['c1', 'c2']);
    const fake = mesh.cluster('c2');
    fake.put(secret('istio-system/cacerts', {'ca-cert.pem': 'c', 'ca-key.pem': 'k'}));
    const {current} = mesh.istiod('c2').monitor.says;
    const all = current['/debug/clusterz'] as () => readonly object[];
    const row = {id: 'zz', secretName: 'istio-system/cacerts', syncStatus: 'synced'};
    current['/debug/clusterz'] = () => [...all(), row];
    for (const mayList of [true, false]) {
      if (!mayList) denyList('c2');
      const {result} = await unlink('c2', '--dry-run');
      expect(result.clusters.find(({name}) => name === 'c2')?.remoteSecrets).toEqual(['istio-remote-secret-c1']);
      expect(texts(result).includes('istio-system/cacerts is not deleted')).toBe(!mayList);
    }
  });

  it.each(['--all', 'x; touch y', '$(id)', 'A'])('named %s in a token is not part of a command', async (name) => {
    await linked(['c1', 'c2']);
    const fake = mesh.cluster('c1');
    const claims = {
      sub: 'system:serviceaccount:istio-system:istio-reader-service-account',
      'kubernetes.io/serviceaccount/secret.name': name,
    };
    const token = ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'c2ln'].join('.');
    const config = (fake.secretText('istio-system/istio-remote-secret-c2').c2 ?? '').replace(
      /token: .*/,
      `token: ${token}`,
    );
    const metadata = {
      name: 'istio-remote-secret-c2',
      namespace: 'istio-system',
      labels: {'istio/multiCluster': 'true'},
    };
    fake.put({...secret('istio-system/istio-remote-secret-c2', {c2: config}), metadata});
    const {result} = await unlink('c2', '--dry-run');
    const notes = JSON.stringify(result.notes);
    expect(notes).not.toContain('delete secret');
    expect(notes).toContain('type=kubernetes.io/service-account-token');
  });
});
