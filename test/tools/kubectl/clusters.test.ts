import {mkdtemp, rm, writeFile, chmod, readdir} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import type {KubeApi} from '../../../src/tools/kubectl/api.js';
import {createClusters, type ClustersOptions} from '../../../src/tools/kubectl/clusters.js';
import {createRunner} from '../../helpers/runner.js';
import {configMap, secret} from '../../helpers/fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from '../../helpers/fake-kubectl/fake-kube.js';
import {failureOf} from '../../helpers/suggestions.js';

const secrets = {apiVersion: 'v1', kind: 'Secret'};
const cacerts = {...secrets, namespace: 'default', name: 'cacerts'};
const configMaps = {apiVersion: 'v1', kind: 'ConfigMap'};

let kube: FakeKube;
let room: string;
let abort: AbortController;
const opened: {close(): Promise<void>}[] = [];

beforeEach(async () => {
  kube = await startFakeKube(['kind-cluster1', 'kind-cluster2', 'prod']);
  room = await mkdtemp(join(tmpdir(), 'km-test-'));
  abort = new AbortController();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((clusters) => clusters.close()));
  await kube.stop();
  await rm(room, {recursive: true});
});

function clusters(more: Partial<ClustersOptions> = {}, path = kube.path) {
  const environment = {PATH: path, KUBECTL_MESH_PASSPHRASE: 'hunter2', HOME: room};
  const made = createClusters({
    runner: createRunner({environment, signal: abort.signal}),
    signal: abort.signal,
    temporaryDirectory: async () => {
      const made = await mkdtemp(join(room, 's-'));
      return {path: made, remove: () => rm(made, {recursive: true})};
    },
    ...more,
  });
  opened.push(made);
  return made;
}

const open = (more?: Partial<ClustersOptions>): Promise<KubeApi> => clusters(more).open('kind-cluster1');

/** A kubectl that is this shell script. */
async function otherKubectl(script: string): Promise<string> {
  const folder = await mkdtemp(join(room, 'bin-'));
  await writeFile(join(folder, 'kubectl'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'kubectl'), 0o755);
  return `${folder}:/usr/bin:/bin`;
}

describe('one kubectl per context', () => {
  it('is started once, however often the context is opened', async () => {
    const all = clusters({kubeconfig: '/k', as: 'alice', asGroups: ['a', 'b']});
    const [one, two] = await Promise.all([all.open('prod'), all.open('prod')]);
    expect(one).toBe(two);
    const calls = kube.calls;
    expect(calls).toHaveLength(1);
    expect(calls[0]?.args).toEqual(
      expect.arrayContaining([
        '--kubeconfig=/k',
        '--context=prod',
        '--as=alice',
        '--as-group=a',
        '--as-group=b',
        'proxy',
      ]),
    );
  });

  it('never sees the passphrase', async () => {
    await open();
    const [call] = kube.calls;
    expect(call?.env).toContain('HOME');
    expect(call?.env).not.toContain('KUBECTL_MESH_PASSPHRASE');
  });

  it('is stopped by close, which removes its directory', async () => {
    const all = clusters();
    const api = await all.open('prod');
    await all.close();
    expect((await readdir(room)).filter((name) => name.startsWith('s-'))).toEqual([]);
    await expect(api.list(secrets)).rejects.toMatchObject({code: 'UNREACHABLE'});
  });

  it('reads the version once for the first caller, and again for later ones', async () => {
    const api = await open();
    const requested = (): number => kube.cluster('kind-cluster1').requests.filter(({url}) => url === '/version').length;
    expect(await api.raw('/version')).toMatchObject({gitVersion: 'v1.34.3'});
    expect(requested()).toBe(1);
    expect(await api.raw('/version')).toMatchObject({gitVersion: 'v1.34.3'});
    expect(requested()).toBe(2);
  });

  it('is restarted after it was killed', async () => {
    const all = clusters();
    const first = await all.open('prod');
    const [call] = kube.calls;
    process.kill(call?.pid ?? 0, 'SIGKILL');
    await call?.ended;
    await expect(first.list(secrets)).rejects.toMatchObject({code: 'UNREACHABLE'});
    await vi.waitFor(async () => {
      expect(await (await all.open('prod')).list(secrets)).toBeDefined();
    });
    expect(kube.calls).toHaveLength(2);
  });

  it('stops when the run is interrupted', async () => {
    const api = await open();
    kube.cluster('kind-cluster1').fault({verb: 'list'}, 'hang');
    const answer = api.list(secrets);
    abort.abort();
    await expect(answer).rejects.toMatchObject({code: 'INTERRUPTED'});
  });

  it('keeps running after an interruption if detached, until close', async () => {
    const all = clusters();
    const detached = await (await all.open('kind-cluster1')).detached();
    abort.abort();
    await expect(detached.find(cacerts)).resolves.toBeUndefined();
    await all.close();
    await expect(detached.find(cacerts)).rejects.toMatchObject({code: 'UNREACHABLE'});
  });

  it('opens contexts in sequence on a terminal', async () => {
    for (const context of ['kind-cluster1', 'prod']) kube.cluster(context).latencyMs = 20;
    const all = clusters({onTerminalText: () => undefined});
    await Promise.all([all.open('kind-cluster1'), all.open('missing').catch(() => undefined), all.open('prod')]);
    const started = kube.calls.map(({args}) => args.find((arg) => arg.startsWith('--context=')) ?? 'config');
    expect(started).toEqual(['--context=kind-cluster1', '--context=missing', 'config', '--context=prod']);
  });
});

describe('a kubectl that does not work', () => {
  it.each([
    ['is absent', undefined, 'TOOL_MISSING'],
    ['prints garbage and ends', 'echo "<html>"; exit 0', 'TOOL_OUTPUT'],
    ['does not know the flags', 'echo "unknown flag: --append-server-path" >&2; exit 1', 'TOOL_TOO_OLD'],
    ['finds no kubeconfig', 'echo "error: stat /nope: no such file or directory" >&2; exit 1', 'KUBECONFIG_MISSING'],
    [
      'cannot read the kubeconfig',
      'echo "error: error loading config file \\"/x\\": yaml: line 1" >&2; exit 1',
      'KUBECONFIG_MISSING',
    ],
    [
      'has no kubeconfig at all',
      'case "$*" in *get-contexts*) exit 0;; esac; echo "error: context \\"a\\" does not exist" >&2; exit 1',
      'KUBECONFIG_MISSING',
    ],
  ])('%s', async (_, script, code) => {
    const path = script === undefined ? join(room, 'empty') : await otherKubectl(script);
    await expect(clusters({}, path).open('a')).rejects.toMatchObject({code});
  });

  it('suggests a context similar to the missing one', async () => {
    expect(await failureOf(() => clusters().open('kind-clutser1'))).toMatchObject({
      code: 'CONTEXT_MISSING',
      hints: [
        expect.stringContaining('"kind-cluster1"'),
        expect.stringContaining('contexts.yaml'),
        'to list all contexts: kubectl config get-contexts -o name',
      ],
    });
  });

  it('is retried after a failure', async () => {
    const all = clusters();
    kube.cluster('prod').fault({resource: '/version'}, {status: 500, text: 'dial tcp 127.0.0.1:1: connection refused'});
    await expect(all.open('prod')).rejects.toMatchObject({code: 'UNREACHABLE'});
    await expect(all.open('prod')).resolves.toMatchObject({context: 'prod'});
  });
});

describe('error responses', () => {
  it.each([
    [{status: 401, message: 'Unauthorized'}, 'UNAUTHORIZED'],
    [{status: 500, text: 'getting credentials: exec: executable login failed with exit code 1'}, 'UNAUTHORIZED'],
    [{status: 500, text: 'dial tcp: lookup nope: no such host'}, 'UNREACHABLE'],
    [
      {status: 403, message: 'secrets is forbidden: User "u" cannot list resource "secrets" in API group ""'},
      'FORBIDDEN',
    ],
    [{status: 403, text: '<html>no</html>'}, 'FORBIDDEN'],
    [{status: 403, message: 'exceeded quota: compute'}, 'FORBIDDEN'],
    [{status: 404, message: 'not found', reason: 'NotFound'}, 'NOT_FOUND'],
    [{status: 404, text: '404 page not found\n'}, 'NOT_FOUND'],
    [{status: 404, message: 'no route to the API server'}, 'API_ERROR'],
    [{status: 404, text: '<html>not found</html>'}, 'API_ERROR'],
    [{status: 302, text: 'moved'}, 'API_ERROR'],
    [{status: 400, message: 'bad request'}, 'API_ERROR'],
    [{status: 405, message: 'method not allowed'}, 'API_ERROR'],
    [{status: 409, message: 'conflict'}, 'API_ERROR'],
    [{status: 422, message: 'invalid'}, 'API_ERROR'],
    [{status: 500, message: 'etcdserver: leader changed'}, 'API_ERROR'],
  ])('%j to a read is %s', async (fault, code) => {
    const api = await open();
    kube.cluster('kind-cluster1').fault({verb: 'list'}, fault);
    await expect(api.list(secrets)).rejects.toMatchObject({code});
  });

  it.each([
    [{status: 400, message: 'bad request'}, 'REJECTED'],
    [{status: 403, message: 'exceeded quota: compute'}, 'REJECTED'],
    [{status: 404, message: 'not found', reason: 'NotFound'}, 'NOT_FOUND'],
    [{status: 409, message: 'conflict'}, 'CONFLICT'],
    [{status: 422, message: 'invalid'}, 'REJECTED'],
  ])('%j to a write is %s', async (fault, code) => {
    const api = await open();
    kube.cluster('kind-cluster1').fault({verb: 'patch'}, fault);
    await expect(api.patch(cacerts, {}, 'none')).rejects.toMatchObject({code});
  });

  it('do not mean that an object is absent unless the API server reports it', async () => {
    const api = await open();
    const cluster = kube.cluster('kind-cluster1');
    cluster.fault({verb: 'get'}, {status: 404, text: '404 page not found'});
    await expect(api.find(cacerts)).rejects.toMatchObject({code: 'API_ERROR'});
    cluster.fault({verb: 'get'}, {status: 404, message: 'not found'});
    await expect(api.find(cacerts)).rejects.toMatchObject({code: 'API_ERROR'});
  });

  it.each([
    ['get', (api: KubeApi) => api.get(cacerts)],
    ['list', (api: KubeApi) => api.list(secrets, {namespace: 'default'})],
    ['create', (api: KubeApi) => api.create({...secrets, metadata: {name: 'cacerts', namespace: 'default'}}, 'none')],
    ['update', (api: KubeApi) => api.replace({...secrets, metadata: {name: 'cacerts', namespace: 'default'}}, 'none')],
    ['patch', (api: KubeApi) => api.patch(cacerts, {}, 'none')],
    ['delete', (api: KubeApi) => api.delete(cacerts, {}, 'none')],
  ])('a forbidden %s names verb, resource and namespace', async (verb, ask) => {
    const api = await open();
    kube.cluster('kind-cluster1').deny({resource: 'secrets'});
    const error = await ask(api).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({code: 'FORBIDDEN'});
    const message = (error as Error).message;
    for (const word of [verb, 'secrets', 'default']) expect(message).toContain(word);
  });

  it('are printed without control characters', async () => {
    const api = await open();
    kube.cluster('kind-cluster1').fault({verb: 'list'}, {status: 422, message: '\u001b[2Jgone\u0007'});
    const error = (await api.list(secrets).catch((thrown: unknown) => thrown)) as Error;
    expect(error.message).not.toMatch(/[\u0000-\u001f]/);
    expect(error.message).toContain('gone');
  });
});

describe('requests', () => {
  it('reads all chunks of a list and gives items their kind', async () => {
    for (let at = 0; at < 1203; at++) kube.cluster('kind-cluster1').put(configMap(`default/m${String(at)}`, {}));
    const api = await open();
    const list = await api.list(configMaps, {namespace: 'default'});
    expect(list.items).toHaveLength(1203);
    expect(list.items[1202]).toMatchObject(configMaps);
    expect(kube.cluster('kind-cluster1').requests.filter(({verb}) => verb === 'list')).toHaveLength(3);
  });

  it('restarts a list if its continue token expired', async () => {
    for (let at = 0; at < 501; at++) kube.cluster('kind-cluster1').put(configMap(`default/m${String(at)}`, {}));
    const api = await open();
    let prompted = 0;
    kube.cluster('kind-cluster1').before(
      {verb: 'list'},
      () => {
        prompted += 1;
        if (prompted === 2) kube.cluster('kind-cluster1').fault({verb: 'list'}, {status: 410, message: 'expired'});
      },
      9,
    );
    const list = await api.list(configMaps, {namespace: 'default'});
    expect(list.items.filter(({metadata}) => metadata.name.startsWith('m'))).toHaveLength(501);
    expect(prompted).toBe(4);
  });

  it('waits and retries if the server throttles', async () => {
    const api = await open();
    kube.cluster('kind-cluster1').fault({verb: 'create'}, {status: 429, message: 'later'}, 2);
    await expect(
      api.create({...configMaps, metadata: {name: 'a', namespace: 'default'}}, 'none'),
    ).resolves.toMatchObject({metadata: {name: 'a'}});
  });

  it('retries a broken GET, but never a write', async () => {
    const api = await open();
    const cluster = kube.cluster('kind-cluster1');
    cluster.fault({verb: 'list'}, 'drop');
    await expect(api.list(configMaps)).resolves.toBeDefined();
    cluster.fault({verb: 'create'}, 'drop');
    await expect(
      api.create({...configMaps, metadata: {name: 'a', namespace: 'default'}}, 'none'),
    ).rejects.toMatchObject({code: 'UNREACHABLE'});
    expect(cluster.requests.filter(({verb}) => verb === 'create')).toHaveLength(1);
  });

  it('aborts a request after the request timeout', async () => {
    const api = await open({requestTimeoutMs: 300});
    kube.cluster('kind-cluster1').fault({verb: 'list'}, 'hang');
    await expect(api.list(configMaps)).rejects.toMatchObject({code: 'UNREACHABLE'});
  });

  it('returns undefined if the object or the namespace is missing', async () => {
    const api = await open();
    expect(await api.find({...cacerts, namespace: 'nope'})).toBeUndefined();
  });

  it('writes as kubectl-mesh, and stores nothing in a server dry run', async () => {
    const api = await open();
    const cluster = kube.cluster('kind-cluster1');
    const object = {...secrets, metadata: {name: 'cacerts', namespace: 'default'}};
    await api.create(object, 'server');
    expect(cluster.get('Secret', 'default/cacerts')).toBeUndefined();
    const made = await api.create<KubeObject>(object, 'none');
    expect(made.metadata.managedFields).toMatchObject([{manager: 'kubectl-mesh'}]);
    await api.delete(cacerts, {uid: made.metadata.uid ?? ''}, 'server');
    expect(cluster.get('Secret', 'default/cacerts')).toBeDefined();
  });

  it('replaces and deletes only unchanged objects', async () => {
    const api = await open();
    const {metadata} = kube.cluster('kind-cluster1').put(secret('default/cacerts', {a: 'b'}));
    const stale = {...secrets, metadata: {name: 'cacerts', namespace: 'default', resourceVersion: '1'}};
    await expect(api.replace(stale, 'none')).rejects.toMatchObject({code: 'CONFLICT'});
    await expect(api.delete(cacerts, {resourceVersion: '1'}, 'none')).rejects.toMatchObject({code: 'CONFLICT'});
    await api.delete(cacerts, {resourceVersion: metadata.resourceVersion ?? ''}, 'none');
    expect(kube.cluster('kind-cluster1').get('Secret', 'default/cacerts')).toBeUndefined();
  });
});

describe('responses without an end', () => {
  const page = (items: readonly object[], next?: string) => ({
    status: 200,
    headers: {'content-type': 'application/json'},
    body: JSON.stringify({kind: 'ConfigMapList', metadata: next === undefined ? {} : {continue: next}, items}),
  });
  const unexpected = (what: string) => ({code: 'API_ERROR', message: expect.stringContaining(what) as string});

  it('are rejected after 64 MiB, and the next request succeeds', async () => {
    const api = await open();
    const cluster = kube.cluster('kind-cluster1');
    const {body, ...rest} = page([]);
    cluster.alter = () => ({...rest, body: body + ' '.repeat(64 * 1024 * 1024 - body.length)});
    await expect(api.list(configMaps)).resolves.toMatchObject({items: []});
    cluster.alter = () => ({...rest, body: body + ' '.repeat(64 * 1024 * 1024 + 1 - body.length)});
    await expect(api.list(configMaps)).rejects.toMatchObject(unexpected('longer than'));
    delete cluster.alter;
    await expect(api.list(configMaps)).resolves.toBeDefined();
  });

  it('are rejected if they break off', async () => {
    const api = await open();
    kube.cluster('kind-cluster1').alter = () => ({...page([]), cutAfter: 10});
    await expect(api.list(configMaps)).rejects.toMatchObject({code: 'UNREACHABLE'});
  });

  it('are rejected if compressed without request', async () => {
    const api = await open();
    const {body, status, headers} = page([]);
    kube.cluster('kind-cluster1').alter = () => ({
      status,
      headers: {...headers, 'content-encoding': 'gzip'},
      body: gzipSync(body),
    });
    await expect(api.list(configMaps)).rejects.toMatchObject({code: 'API_ERROR'});
  });

  it.each<[string, (number: number) => ReturnType<typeof page>, number]>([
    ['the same token', (number) => page([], String(number % 2)), 3],
    ['pages', (number) => page([], String(number)), 4000],
    [
      '200000 objects',
      (number) => {
        const named = (at: number) => ({metadata: {name: `m${String(number)}-${String(at)}`, namespace: 'a'}});
        return page(
          Array.from({length: 100_000}, (_, at) => named(at)),
          String(number),
        );
      },
      3,
    ],
  ])('are rejected as a list with more than the permitted %s', async (what, answer, requests) => {
    const api = await open();
    const cluster = kube.cluster('kind-cluster1');
    let sent = 0;
    cluster.alter = () => answer(sent++);
    await expect(api.list(configMaps)).rejects.toMatchObject(unexpected(what));
    expect(sent).toBe(requests);
  });
});

describe('port-forward', () => {
  it("maps local ports to the pod's ports", async () => {
    kube.cluster('prod').forwards.istiod = {15012: 40001, 8080: 40002};
    const forward = await clusters().forward('prod', 'istio-system', 'istiod', [15012, 8080]);
    expect([...forward.ports]).toEqual([
      [15012, 40001],
      [8080, 40002],
    ]);
    await forward.close();
  });

  it('fails if the pod does not exist', async () => {
    await expect(clusters().forward('prod', 'istio-system', 'gone', [1])).rejects.toMatchObject({code: 'NOT_FOUND'});
  });
});

describe('tokens of a service account', () => {
  const reader = {namespace: 'default', name: 'reader'};
  const serviceAccount = {apiVersion: 'v1', kind: 'ServiceAccount', metadata: {...reader}};

  it('are bound to a Secret: deleting it revokes them', async () => {
    const fake = kube.cluster('kind-cluster1');
    fake.put(serviceAccount);
    const bound = fake.put(secret('default/bound', {}));
    const api = await open();
    const boundSecret = {name: 'bound', uid: bound.metadata.uid!};
    const {token, expiresAt} = await api.requestToken(reader, {expirationSeconds: 86_400, boundSecret});
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now());
    expect(await api.reviewToken(token)).toEqual({accepted: true, username: 'system:serviceaccount:default:reader'});
    fake.remove('Secret', 'default/bound');
    expect(await api.reviewToken(token)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining('invalidated') as string,
    });
    expect(JSON.stringify({token})).not.toContain('.');
  });

  it.each([
    ['another UID of the Secret', 'other', 'CONFLICT'],
    ['no Secret', undefined, 'NOT_FOUND'],
  ])('are refused for %s', async (_, uid, code) => {
    const fake = kube.cluster('kind-cluster1');
    fake.put(serviceAccount);
    if (uid !== undefined) fake.put(secret('default/bound', {}));
    const api = await open();
    const boundSecret = {name: 'bound', uid: 'x'};
    const request = api.requestToken(reader, {expirationSeconds: 600, boundSecret});
    expect((await failureOf(() => request)).code).toBe(code);
  });
});

describe("a context's API server", () => {
  it('is read from the kubeconfig, without credentials', async () => {
    kube.cluster('prod').server = {server: 'https://api:1', 'proxy-url': 'http://p', 'insecure-skip-tls-verify': true};
    expect(await clusters().serverOf('prod')).toEqual({url: 'https://api:1', proxyUrl: 'http://p', insecure: true});
  });

  it.each([
    ['a context that does not exist', 'other', {}],
    ['an entry without a server', 'prod', {}],
    ['an entry that is no cluster', 'prod', {server: 7}],
  ])('is an error for %s', async (_, context, server) => {
    kube.cluster('prod').server = server;
    expect((await failureOf(() => clusters().serverOf(context))).code).toBe('KUBECONFIG_MISSING');
  });
});
