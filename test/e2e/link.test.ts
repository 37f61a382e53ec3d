/**
 * Endpoint discovery on real API servers, with real istiods: what link writes is what istioctl writes, and a reader's token can
 * be revoked without that of another.
 */
import {request} from 'node:https';
import {parse, parseAllDocuments} from 'yaml';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import type {DataResource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import {at, startMesh, type Setting} from './harness/mesh.js';
import {findings, type MeshCli} from './harness/mesh-cli.js';
import {eventually} from './harness/processes.js';
import {readerToken, remoteSecret, statusWith} from './harness/remote-secrets.js';

let setting: Setting;
let cli: MeshCli;
let one: Cluster;
let two: Cluster;
let three: Cluster;

beforeAll(async () => {
  setting = await startMesh('one', 'two', 'three');
  cli = setting.cli;
  [one, two, three] = [at(setting.clusters, 0), at(setting.clusters, 1), at(setting.clusters, 2)];
}, 900_000);
afterAll(() => setting.sandbox.close());

interface Kubeconfig {
  readonly clusters: readonly {readonly cluster: Readonly<Record<string, string>>}[];
  readonly users: readonly {readonly user: {readonly token: string}}[];
}

const secretPath = (name: string): string => `/api/v1/namespaces/istio-system/secrets/${name}`;
const decoded = (text = ''): string => Buffer.from(text, 'base64').toString();

/** Opens a watch on Services with a token; `seen` has the text of its events. */
async function watchWith({api}: Cluster, token: string): Promise<{seen(): string; close(): void}> {
  let text = '';
  return new Promise((resolve, reject) => {
    const headers = {authorization: `Bearer ${token}`};
    const url = `${api.server}/api/v1/namespaces/default/services?watch=1`;
    const sent = request(url, {ca: api.ca, headers, agent: false}, (response) => {
      if (response.statusCode !== 200) reject(new Error(`watch: ${String(response.statusCode)}`));
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', () => undefined);
      resolve({seen: () => text, close: () => sent.destroy()});
    });
    sent.on('error', reject).end();
  });
}

const link = async (...args: string[]): Promise<LinkResult & {readonly code: number | null}> => {
  const ran = await cli.run(['link', ...args, '-o', 'json']);
  return {...(JSON.parse(ran.stdout) as LinkResult), code: ran.code};
};

it('up links the clusters, verify finds nothing, and link changes nothing', async () => {
  expect(findings(await cli.verify())).toEqual([]);
  const again = await link();
  expect([again.code, again.clusters.map(({outcome}) => outcome)]).toEqual([
    0,
    ['unchanged', 'unchanged', 'unchanged'],
  ]);
  for (const reader of [one, two, three]) {
    const known = await reader.istioctl('remote-clusters');
    expect(known.match(/ synced /g)).toHaveLength(3);
  }
});

it('a remote secret is that of istioctl create-remote-secret, field by field', async () => {
  const printed = await two.istioctl('create-remote-secret', '--name', 'two', '-n', 'istio-system');
  const theirs = parseAllDocuments(printed)[0]?.toJS() as DataResource & {
    readonly stringData: Readonly<Record<string, string>>;
  };
  const ours = (await remoteSecret(one, 'two')) as DataResource & {readonly type: string};
  expect(ours.metadata.name).toBe(theirs.metadata.name);
  expect(ours.metadata.namespace).toBe(theirs.metadata.namespace);
  expect(ours.metadata.labels).toMatchObject(theirs.metadata.labels ?? {});
  expect(ours.metadata.annotations).toMatchObject(theirs.metadata.annotations ?? {});
  expect(ours.type).toBe('Opaque');
  expect(Object.keys(ours.data ?? {})).toEqual(Object.keys(theirs.stringData));
  const withoutToken = (text: string | undefined): unknown => {
    const config = parse(text ?? '') as Kubeconfig;
    expect(config.users[0]?.user.token).toMatch(/^ey/);
    return JSON.parse(JSON.stringify(config), (key, value: unknown) => (key === 'token' ? '' : value));
  };
  expect(withoutToken(decoded(ours.data?.two))).toEqual(withoutToken(theirs.stringData.two));
  // A valid remote secret of istioctl stays as it is, with its own token.
  const token = await readerToken(one, 'two');
  await one.api.remove(secretPath('istio-remote-secret-two'));
  const applied = await cli.shell(`kubectl --context ${one.context} apply -f - <<<"$TEXT"`, {TEXT: printed});
  expect([applied.code, applied.stderr]).toEqual([0, '']);
  await eventually('istiod to read two again', async () =>
    /two\s+\S+\s+synced/.test(await one.istioctl('remote-clusters')) ? true : undefined,
  );
  const kept = await link('one');
  expect([kept.code, kept.clusters.find(({name}) => name === 'one')?.outcome]).toEqual([0, 'unchanged']);
  expect(await readerToken(one, 'two')).not.toBe(token);
  await one.api.remove(secretPath('istio-remote-secret-two'));
  await cli.must('link', 'one');
});

describe('a revoked token', () => {
  it('ends new requests of one reader, not its open watch, and not those of another', async () => {
    const [revoked, other] = [await readerToken(one, 'two'), await readerToken(three, 'two')];
    expect(await statusWith(two, revoked)).toBe(200);
    const watch = await watchWith(two, revoked);
    await two.api.remove(secretPath('kubectl-mesh-reader-one'));
    await eventually('the API server to refuse the token', async () =>
      (await statusWith(two, revoked)) === 401 ? true : undefined,
    );
    expect(await statusWith(two, other)).toBe(200);
    await two.kubectl('create', 'service', 'clusterip', 'after-revocation', '--tcp=80');
    await eventually('the open watch to go on', () =>
      Promise.resolve(watch.seen().includes('after-revocation') ? true : undefined),
    );
    watch.close();
  });

  it('is replaced when link runs again', async () => {
    const renewed = await link();
    const ofOne = renewed.clusters.find(({name}) => name === 'one');
    expect([renewed.code, ofOne?.outcome]).toEqual([0, 'done']);
    expect(ofOne?.peers.map(({peer, plan}) => [peer, plan])).toEqual([
      ['two', 'renew'],
      ['three', 'unchanged'],
    ]);
    expect(await statusWith(two, await readerToken(one, 'two'))).toBe(200);
    expect(findings(await cli.verify())).toEqual([]);
  });
});

it('a long-lived token per reader is possible, and revoked by the same Secret', async () => {
  await cli.shell(`printf 'discovery:\\n  token: secret\\n' >> mesh.yaml`);
  const changed = await link('--yes');
  expect([changed.code, changed.clusters.map(({outcome}) => outcome)]).toEqual([0, ['done', 'done', 'done']]);
  const token = await readerToken(one, 'two');
  expect(await statusWith(two, token)).toBe(200);
  await two.api.remove(secretPath('kubectl-mesh-token-one'));
  await eventually('the API server to refuse the token', async () =>
    (await statusWith(two, token)) === 401 ? true : undefined,
  );
});
