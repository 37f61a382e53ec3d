import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import type {LinkedPeer, LinkResult} from '../../src/operations/discovery/report-link.js';
import type {FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {reviewToken, tokenOf} from '../helpers/fake-kubectl/tokens.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

interface Run {
  readonly code: number;
  readonly result: LinkResult;
  readonly output: string;
}

async function link(...argv: string[]): Promise<Run> {
  const run = await runCommand(Link, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult, output: run.stdout + run.stderr};
}

function outcomes({clusters}: LinkResult): readonly string[] {
  return clusters.map(({name, outcome}) => `${name} ${outcome}`);
}

function peerOf({clusters}: LinkResult, reader: string, peer: string): LinkedPeer | undefined {
  return clusters.find(({name}) => name === reader)?.peers.find((one) => one.peer === peer);
}

const codes = ({clusters}: LinkResult) => clusters.map(({name, error}) => `${name} ${error?.code ?? ''}`.trim());
const remote = (reader: string, peer: string): FakeObject | undefined =>
  mesh.cluster(reader).get('Secret', `istio-system/istio-remote-secret-${peer}`);
const readerSecret = (peer: string, reader: string): FakeObject | undefined =>
  mesh.cluster(peer).get('Secret', `istio-system/kubectl-mesh-reader-${reader}`);
const tokenIn = (reader: string, peer: string): string => mesh.kubeconfig(reader, peer).users[0]?.user.token ?? '';
const isAccepted = (peer: string, token: string): boolean => {
  const review = reviewToken(mesh.cluster(peer), {spec: {token}} as unknown as FakeObject);
  return (review as {status: {authenticated?: boolean}}).status.authenticated === true;
};

/** Replaces the token in a remote secret, as time or another tool does. */
function putToken(reader: string, peer: string, claims: object): void {
  const cluster = mesh.cluster(peer);
  const bound = readerSecret(peer, reader)?.metadata;
  const token = tokenOf({
    iss: cluster.uid,
    sub: 'system:serviceaccount:istio-system:istio-reader-service-account',
    'kubernetes.io': {secret: {name: bound?.name, uid: bound?.uid}},
    ...claims,
  });
  const text = mesh.cluster(reader).secretText(`istio-system/istio-remote-secret-${peer}`)[peer] ?? '';
  putRemote(reader, peer, text.replace(/token: .*/, `token: ${token}`));
}

function putRemote(reader: string, peer: string, text: string): void {
  const before = remote(reader, peer);
  if (!before) throw new Error('no remote secret');
  mesh.cluster(reader).put({...before, data: {[peer]: Buffer.from(text).toString('base64')}});
}

const seconds = (): number => Math.floor(Date.now() / 1000);
const day = 86_400;

describe('link', () => {
  it('lets each cluster read the others with a token of its own, and changes nothing when run again', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    const first = await link();
    expect([first.code, outcomes(first.result)]).toEqual([0, ['c1 done', 'c2 done', 'c3 done']]);
    const {metadata, type, data} = remote('c1', 'c2') ?? ({} as Partial<FakeObject>);
    expect([type, Object.keys(data as object)]).toEqual(['Opaque', ['c2']]);
    expect(metadata?.labels).toMatchObject({'istio/multiCluster': 'true'});
    expect(metadata?.annotations).toMatchObject({'networking.istio.io/cluster': 'c2'});
    const tokens = [tokenIn('c1', 'c2'), tokenIn('c3', 'c2')];
    expect(tokens.map((token) => isAccepted('c2', token))).toEqual([true, true]);
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    expect(tokens.map((token) => isAccepted('c2', token))).toEqual([false, true]);
    expect((await link()).result.clusters[0]?.peers[0]).toMatchObject({plan: 'renew', outcome: 'done'});
    const writes = mesh.cluster('c1').writes.length;
    const again = await link();
    expect([again.code, outcomes(again.result)]).toEqual([0, ['c1 unchanged', 'c2 unchanged', 'c3 unchanged']]);
    expect(mesh.cluster('c1').writes).toHaveLength(writes);
  });

  it('prints and records no token, and records what was written until when', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    const {output} = await link('-q');
    const journal = await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8');
    for (const token of [tokenIn('c1', 'c2'), tokenIn('c2', 'c1')]) {
      expect(output + journal).not.toContain(token);
      expect(output + journal).not.toContain(token.split('.')[1]);
      expect(output + journal).not.toContain(Buffer.from(token).toString('base64').slice(4, 60));
      expect(JSON.stringify(mesh.kube.calls.map(({args}) => args))).not.toContain(token);
    }
    const entries = journal
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.filter(({kind}) => kind === 'intent').map(({action}) => action)).toEqual([
      'declare',
      ...['c2/reader-c1', 'c1/link', 'c1/reader-c2', 'c2/link'].map((action) => action),
    ]);
    expect(entries.at(-1)).toMatchObject({
      status: 'done',
      detail: {peers: [{peer: 'c1', tokenExpires: expect.stringMatching(/^20/) as unknown}]},
    });
  });

  it.each(['client', 'server'])('--dry-run=%s writes nothing', async (kind) => {
    mesh = await linkMesh(['c1', 'c2']);
    const {code, result} = await link(`--dry-run=${kind}`);
    expect([code, result.dryRun, outcomes(result)]).toEqual([0, kind, ['c1 skipped', 'c2 skipped']]);
    expect(peerOf(result, 'c1', 'c2')).toMatchObject({plan: 'create', outcome: 'skipped'});
    expect([...mesh.cluster('c1').writes, ...mesh.cluster('c2').writes]).toEqual([]);
    const validated = mesh.cluster('c2').requests.filter(({dryRun}) => dryRun);
    expect(validated.map(({name}) => name)).toEqual(kind === 'server' ? ['kubectl-mesh-reader-c1'] : []);
  });

  it('renews a token of whose lifetime less than 30 % is left, while the old one is still accepted', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    putToken('c1', 'c2', {iat: seconds() - 69 * day, exp: seconds() + 31 * day});
    expect((await link('c1')).result.clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
    putToken('c1', 'c2', {iat: seconds() - 71 * day, exp: seconds() + 29 * day});
    const old = tokenIn('c1', 'c2');
    const {code, result} = await link();
    expect([code, peerOf(result, 'c1', 'c2')]).toMatchObject([0, {plan: 'renew', outcome: 'done'}]);
    expect(tokenIn('c1', 'c2')).not.toBe(old);
    expect([isAccepted('c2', old), isAccepted('c2', tokenIn('c1', 'c2'))]).toEqual([true, true]);
    expect(peerOf(result, 'c2', 'c1')).toMatchObject({plan: 'unchanged', outcome: 'unchanged'});
  });

  it('keeps a valid remote secret of istioctl', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const before = remote('c1', 'c2');
    const {metadata} = before ?? {};
    mesh.cluster('c1').put({
      ...before!,
      metadata: {
        name: metadata?.name ?? '',
        namespace: 'istio-system',
        labels: {'istio/multiCluster': 'true'},
        annotations: {'networking.istio.io/cluster': 'c2'},
      },
    });
    putToken('c1', 'c2', {});
    const token = tokenIn('c1', 'c2');
    expect(outcomes((await link()).result)).toEqual(['c1 unchanged', 'c2 unchanged']);
    expect(tokenIn('c1', 'c2')).toBe(token);
  });

  it('proves an existing remote secret that istiod has not read yet, as after an interrupted run', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const {status} = mesh.istiod('c1');
    status.c2 = 'syncing';
    setTimeout(() => delete status.c2, 1500);
    const writes = mesh.cluster('c1').writes.length;
    const late = await link();
    expect([late.code, peerOf(late.result, 'c1', 'c2')]).toMatchObject([0, {plan: 'unchanged', outcome: 'unchanged'}]);
    status.c2 = 'timeout';
    const failed = await link();
    expect([failed.code, codes(failed.result)]).toEqual([1, ['c1 NOT_SYNCED', 'c2']]);
    expect(mesh.cluster('c1').writes).toHaveLength(writes);
  });
});

describe('a change that istiod cannot use', () => {
  it('is undone: a new remote secret is deleted again', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.istiod('c1').status.c2 = 'timeout';
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([1, ['c1 NOT_SYNCED', 'c2']]);
    expect(remote('c1', 'c2')).toBeUndefined();
    // The other clusters wait until the first one has been proven.
    expect(outcomes(result)).toEqual(['c1 failed', 'c2 skipped']);
    expect(remote('c2', 'c1')).toBeUndefined();
  });

  it('is undone: the previous remote secret is restored, after a confirmed replacement', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const before = remote('c1', 'c2')?.data;
    mesh.cluster('c2').server = {server: 'https://another.example:6443', 'certificate-authority-data': 'Yg=='};
    mesh.istiod('c1').status.c2 = 'timeout';
    const refused = await runCommand(Link, ['-o', 'json'], mesh.env);
    expect([refused.code, answerOf(refused)]).toMatchObject([5, {error: {code: 'CONFIRMATION_NEEDED'}}]);
    const {code, result} = await link('--yes');
    expect([code, peerOf(result, 'c1', 'c2')]).toMatchObject([
      1,
      {plan: 'replace', outcome: 'failed', error: {code: 'NOT_SYNCED'}},
    ]);
    expect(remote('c1', 'c2')?.data).toEqual(before);
    let writes = mesh.cluster('c1').writes.length;
    mesh.cluster('c1').before({verb: 'update', resource: 'secrets'}, () => {
      writes += 1;
      delete mesh.istiod('c1').status.c2;
    });
    const second = await link('--yes');
    expect(mesh.cluster('c1').writes.length).toBe(writes);
    expect([second.code, peerOf(second.result, 'c1', 'c2')?.outcome]).toEqual([0, 'done']);
    expect(mesh.kubeconfig('c1', 'c2').clusters[0]?.cluster.server).toBe('https://another.example:6443');
  });
});

describe('the address', () => {
  it('is apiServer in mesh.yaml, with every field that istioctl drops', async () => {
    const declared =
      '    apiServer:\n      url: https://lb.example:443/c2\n      tlsServerName: api.c2\n      proxyUrl: http://proxy.example:3128\n';
    mesh = await linkMesh(['c1', 'c2'], {clusterYaml: {c2: declared}});
    expect((await link()).code).toBe(0);
    expect(mesh.kubeconfig('c1', 'c2').clusters[0]?.cluster).toEqual({
      server: 'https://lb.example:443/c2',
      'tls-server-name': 'api.c2',
      'proxy-url': 'http://proxy.example:3128',
      'certificate-authority-data': Buffer.from('the CA of the API server').toString('base64'),
    });
  });

  it.each([
    ['a loopback address', {server: 'https://127.0.0.1:6443'}, 'LOCAL_ADDRESS'],
    ['a proxy on this machine', {server: 'https://x.example', 'proxy-url': 'socks5://localhost:1080'}, 'LOCAL_ADDRESS'],
    [
      'a certificate that is not verified',
      {server: 'https://x', 'insecure-skip-tls-verify': true},
      'INSECURE_API_SERVER',
    ],
  ])('of the kubeconfig is refused if it is %s', async (_, server, code) => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.cluster('c2').server = server;
    const {code: exit, result} = await link();
    expect([exit, codes(result)]).toEqual([5, ['c1', `c2 ${code}`]]);
    expect([...mesh.cluster('c1').writes, ...mesh.cluster('c2').writes]).toEqual([]);
    const allowed = await link('--allow-local-address');
    expect(allowed.code).toBe(code === 'LOCAL_ADDRESS' ? 0 : 5);
  });
});

describe('the lifetime of a token', () => {
  it('below seven days is refused, or accepted with the flag', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.cluster('c2').maxTokenSeconds = 2 * day;
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1', 'c2 TOKEN_TOO_SHORT']]);
    expect(remote('c1', 'c2')).toBeUndefined();
    const accepted = await link('--accept-short-tokens');
    expect([accepted.code, outcomes(accepted.result)]).toEqual([0, ['c1 done', 'c2 done']]);
    const expires = peerOf(accepted.result, 'c1', 'c2')?.tokenExpires ?? '';
    expect(Date.parse(expires) / 1000 - seconds()).toBeLessThanOrEqual(2 * day);
  });

  it('is that of mesh.yaml', async () => {
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  tokenLifetime: 20d\n'});
    const {result} = await link();
    const days = (Date.parse(peerOf(result, 'c1', 'c2')?.tokenExpires ?? '') / 1000 - seconds()) / day;
    expect(days).toBeCloseTo(20, 1);
  });

  it('has no end with discovery.token: secret, once the token controller has filled the Secret', async () => {
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  token: secret\n'});
    let isFilled = false;
    mesh.cluster('c2').alter = ({verb, name}, {status, body}) => {
      if (isFilled || status !== 200 || verb !== 'get' || name !== 'kubectl-mesh-token-c1') return undefined;
      isFilled = true;
      const text = JSON.stringify({...(body as FakeObject), data: undefined});
      return {status, headers: {'content-type': 'application/json'}, body: text};
    };
    const {code, result} = await link();
    expect([code, isFilled, outcomes(result)]).toEqual([0, true, ['c1 done', 'c2 done']]);
    expect(mesh.cluster('c2').get('Secret', 'istio-system/kubectl-mesh-token-c1')).toMatchObject({
      type: 'kubernetes.io/service-account-token',
      metadata: {annotations: {'kubernetes.io/service-account.name': 'istio-reader-service-account'}},
    });
    expect(peerOf(result, 'c1', 'c2')?.tokenExpires).toBeUndefined();
    expect(isAccepted('c2', tokenIn('c1', 'c2'))).toBe(true);
    expect(outcomes((await link()).result)).toEqual(['c1 unchanged', 'c2 unchanged']);
  });
});

describe('what is not ready', () => {
  it.each([
    [
      'a peer without the service account',
      'READER_MISSING',
      5,
      () => mesh.cluster('c2').remove('ServiceAccount', 'istio-system/istio-reader-service-account'),
    ],
    ['a reader without istiod', 'NO_ISTIOD', 5, () => mesh.cluster('c2').remove('Deployment', 'istio-system/istiod')],
    ['a reader without a running pod', 'NO_ISTIOD', 5, () => mesh.cluster('c2').remove('Pod', 'istio-system/istiod-1')],
    [
      'an istiod that answers nothing',
      'ENDPOINT_OFF',
      4,
      () => (mesh.istiod('c2').monitor.says.instead['/debug/clusterz'] = {status: 404, text: ''}),
    ],
  ])('%s is refused or unknown, and nothing is written', async (_, code, exit, arrange) => {
    mesh = await linkMesh(['c1', 'c2']);
    arrange();
    const {code: exitCode, result} = await link();
    expect([exitCode, codes(result)]).toEqual([exit, ['c1', `c2 ${code}`]]);
    expect([...mesh.cluster('c1').writes, ...mesh.cluster('c2').writes]).toEqual([]);
  });

  it('is left out if it was not named, with the command for later', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    mesh.cluster('c3').remove('Deployment', 'istio-system/istiod');
    const {code, result} = await link('c1');
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done', 'c3 done']]);
    // c1 can read c3; c3 cannot read c1 yet.
    expect(result.warnings).toMatchObject([
      {cluster: 'c3', message: expect.stringContaining('kubectl mesh link c3') as unknown},
    ]);
    expect(remote('c2', 'c3')).toBeUndefined();
  });

  it.each([
    [
      'unreachable',
      4,
      ['c1 API_ERROR', 'c2', 'c3'],
      () => mesh.cluster('c1').fault({}, {status: 503}, Number.POSITIVE_INFINITY),
    ],
    [
      'refused',
      5,
      ['c1 LOCAL_ADDRESS', 'c2', 'c3'],
      () => (mesh.cluster('c1').server = {server: 'https://127.0.0.1:6443'}),
    ],
  ])('is reported if a cluster that was not named is %s, and the others are linked on request', async (...row) => {
    const [, exit, reported, arrange] = row;
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    arrange();
    const {code, result} = await link('c3');
    expect([code, codes(result), result.warnings]).toEqual([exit, reported, []]);
    expect(mesh.cluster('c3').writes).toEqual([]);
    const kept = await link('c3', '--keep-going');
    expect([kept.code, codes(kept.result)]).toEqual([exit, reported]);
    expect([remote('c2', 'c3'), remote('c3', 'c2'), remote('c3', 'c1')].map((one) => one !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("is a remote's primary: unreachable, or another cluster", async () => {
    mesh = await linkMesh(['c1', 'c2'], {
      clusterYaml: {
        c1: '    uid: 11111111-1111-1111-1111-111111111111\n',
        c2: '    role: remote\n    primary: c1\n',
      },
    });
    const other = await link('c2');
    expect([other.code, codes(other.result)]).toEqual([5, ['c1 UID_MISMATCH', 'c2']]);
    mesh.cluster('c1').fault({}, {status: 503}, Number.POSITIVE_INFINITY);
    const down = await link('c2');
    expect([down.code, codes(down.result)]).toEqual([4, ['c1 API_ERROR', 'c2']]);
  });

  it('is another cluster than the recorded one: refused', async () => {
    mesh = await linkMesh(['c1', 'c2'], {clusterYaml: {c2: '    uid: 11111111-1111-1111-1111-111111111111\n'}});
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1', 'c2 UID_MISMATCH']]);
    expect([...mesh.cluster('c1').writes, ...mesh.cluster('c2').writes]).toEqual([]);
    expect((await link('--accept-uid')).code).toBe(0);
  });

  it('gets no token if it is another cluster than the recorded one', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    const {uid} = mesh.cluster('c2');
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replace(uid, '11111111-1111-1111-1111-111111111111'));
    const reviews = ['c1', 'c2', 'c3'].map((name) => {
      const {requests} = mesh.cluster(name);
      requests.splice(0);
      return () => requests.filter(({resource}) => resource === 'tokenreviews').length;
    });
    const {result} = await link();
    expect(codes(result)).toContain('c2 UID_MISMATCH');
    expect(reviews.map((count) => count())).toEqual([1, 0, 1]);
  });

  it.each([
    ['get', 'serviceaccounts', 'c2'],
    ['create', 'serviceaccounts', 'c2'],
    ['create', 'tokenreviews', 'c2'],
    ['get', 'secrets', 'c2'],
    ['create', 'secrets', 'c2'],
    ['list', 'pods', 'c2'],
  ])('a missing right to %s %s is named', async (verb, resource, cluster) => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.cluster(cluster).deny({verb, resource});
    const {code, result} = await link();
    expect(code).not.toBe(0);
    const error = result.clusters.find(({name}) => name === cluster)?.error;
    expect([error?.code, error?.message]).toEqual(['FORBIDDEN', expect.stringContaining(`cannot ${verb} ${resource}`)]);
  });
});

describe('an existing remote secret', () => {
  it('is not changed under an Istio version that then loses endpoints, unless istiod restarts', async () => {
    mesh = await linkMesh(['c1', 'c2'], {version: '1.30.3'});
    expect((await link()).code).toBe(0);
    putToken('c1', 'c2', {iat: seconds() - 99 * day, exp: seconds() + day});
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1 LOSES_ENDPOINTS', 'c2']]);
    const restarted = await link('--restart-istiod');
    expect([restarted.code, peerOf(restarted.result, 'c1', 'c2')?.outcome]).toEqual([0, 'done']);
    const template = (
      mesh.cluster('c1').get('Deployment', 'istio-system/istiod')?.spec as {template: {metadata: object}}
    ).template;
    expect(JSON.stringify(template.metadata)).toContain('restartedAt');
  });

  /** Moves what c1 reads others with into one Secret, as by hand. */
  function byHand(more: Partial<FakeObject> = {}): void {
    const peers = ['c2', 'c3'].filter((peer) => remote('c1', peer));
    const data = Object.assign({}, ...peers.map((peer) => remote('c1', peer)?.data)) as object;
    for (const peer of peers) mesh.cluster('c1').remove('Secret', `istio-system/istio-remote-secret-${peer}`);
    const metadata = {name: 'by-hand', namespace: 'istio-system', labels: {'istio/multiCluster': 'true', team: 'a'}};
    mesh.cluster('c1').put({apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data, ...more});
  }
  const secretByHand = (): FakeObject | undefined => mesh.cluster('c1').get('Secret', 'istio-system/by-hand');
  const updatesByHand = (): number =>
    mesh.cluster('c1').writes.filter(({verb, name}) => verb === 'update' && name === 'by-hand').length;
  const changedSince = (data: Record<string, string>): readonly string[] => {
    const now = secretByHand()?.data as Record<string, string>;
    return Object.keys(data).filter((key) => now[key] !== data[key]);
  };

  it('of another name that istiod uses is valid, also for several clusters and without annotations', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    byHand();
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 unchanged', 'c2 unchanged', 'c3 unchanged']]);
    expect(peerOf(result, 'c1', 'c3')?.secret).toBe('istio-system/by-hand');
  });

  it('of another name that istiod uses gets new tokens, and keeps everything else', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    putToken('c1', 'c2', {iat: seconds() - 70 * day, exp: seconds() + 20 * day});
    byHand();
    const before = secretByHand();
    const data = before?.data as Record<string, string>;
    const {code, result} = await link();
    expect([code, peerOf(result, 'c1', 'c2'), peerOf(result, 'c1', 'c3')]).toMatchObject([
      0,
      {plan: 'renew', outcome: 'done', secret: 'istio-system/by-hand'},
      {outcome: 'unchanged'},
    ]);
    const after = secretByHand();
    expect([after?.metadata.labels, after?.metadata.annotations]).toEqual([before?.metadata.labels, undefined]);
    expect(after?.data).toEqual({c2: expect.not.stringMatching(data.c2 ?? '') as unknown, c3: data.c3});
    expect([remote('c1', 'c2'), remote('c1', 'c3')]).toEqual([undefined, undefined]);
    expect(outcomes((await link()).result)).toEqual(['c1 unchanged', 'c2 unchanged', 'c3 unchanged']);
  });

  it('with old tokens for several clusters gets a new one for each', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    for (const peer of ['c2', 'c3']) putToken('c1', peer, {iat: seconds() - 70 * day, exp: seconds() + 20 * day});
    byHand();
    const data = secretByHand()?.data as Record<string, string>;
    const writes = updatesByHand();
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 unchanged', 'c3 unchanged']]);
    expect(changedSince(data)).toEqual(['c2', 'c3']);
    expect(updatesByHand() - writes).toBe(1);
  });

  it.each([
    ['with which istiod does not read one of them: that one gets its old token back', 'NOT_SYNCED', () => 'timeout'],
    [
      'of which one is refused: the other one is renewed',
      'FORBIDDEN',
      () => void mesh.cluster('c3').deny({verb: 'create', resource: 'serviceaccounts'}),
    ],
  ])('with old tokens for several clusters, %s', async (_, error, arrange) => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    for (const peer of ['c2', 'c3']) putToken('c1', peer, {iat: seconds() - 70 * day, exp: seconds() + 20 * day});
    byHand();
    const data = secretByHand()?.data as Record<string, string>;
    const status = arrange();
    mesh.cluster('c1').before({verb: 'update', resource: 'secrets'}, () => {
      if (status !== undefined) mesh.istiod('c1').status.c3 = status;
    });
    const {code, result} = await link();
    expect(code).not.toBe(0);
    expect([peerOf(result, 'c1', 'c2'), peerOf(result, 'c1', 'c3')]).toMatchObject([
      {plan: 'renew', outcome: 'done'},
      {plan: 'renew', error: {code: error}},
    ]);
    expect(changedSince(data)).toEqual(['c2']);
  });

  it('of another name that cannot be changed is refused, and kept until it has been replaced', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    await link();
    putToken('c1', 'c2', {iat: seconds() - 70 * day, exp: seconds() + 20 * day});
    byHand({immutable: true});
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1 OTHER_REMOTE_SECRET', 'c2', 'c3']]);
    // Deleting it would end the discovery of c3, too.
    expect(JSON.stringify(peerOf(result, 'c1', 'c2')?.error?.hints)).not.toContain('delete');
  });

  it.each([
    ['another address', 'https://c2.example:6443'],
    ['an address that only the workstation reaches', 'https://127.0.0.1:40001'],
  ])('of istioctl --server is kept if istiod has read the peer, although the kubeconfig has %s', async (_, server) => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const text = mesh.cluster('c1').secretText('istio-system/istio-remote-secret-c2').c2 ?? '';
    putRemote('c1', 'c2', text.replace(/server: .*/, 'server: https://172.18.0.2:6443'));
    mesh.cluster('c2').server = {...mesh.cluster('c2').server, server};
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 unchanged', 'c2 unchanged']]);
    expect(peerOf(result, 'c1', 'c2')?.server).toBe('https://172.18.0.2:6443');
    putToken('c1', 'c2', {iat: seconds() - 70 * day, exp: seconds() + 20 * day});
    const renewed = await link();
    expect([renewed.code, peerOf(renewed.result, 'c1', 'c2')]).toMatchObject([0, {plan: 'renew', outcome: 'done'}]);
    const {cluster} = mesh.kubeconfig('c1', 'c2').clusters[0] ?? {};
    expect(cluster?.server).toBe('https://172.18.0.2:6443');
  });

  it('with the credential under a wrong data key gets the right one instead', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const before = remote('c1', 'c2')!;
    mesh.cluster('c1').put({...before, data: {wrong: (before.data as Record<string, string>).c2}});
    const {code, result} = await link('--yes');
    expect([code, peerOf(result, 'c1', 'c2')]).toMatchObject([0, {plan: 'replace', outcome: 'done'}]);
    expect(Object.keys(remote('c1', 'c2')?.data as object)).toEqual(['c2']);
  });

  it('that another tool writes is not changed', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    const own = remote('c1', 'c2')!;
    const labels = {...own.metadata.labels, 'argocd.argoproj.io/instance': 'mesh'};
    mesh.cluster('c1').put({...own, metadata: {...own.metadata, labels}});
    expect(outcomes((await link()).result)).toEqual(['c1 unchanged', 'c2 unchanged']);
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    expect(codes((await link()).result)).toEqual(['c1 FOREIGN_OWNER', 'c2']);
  });

  it('that another client changes between plan and write is read again', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    mesh.cluster('c1').before({verb: 'update', resource: 'secrets'}, () => {
      const own = remote('c1', 'c2')!;
      mesh
        .cluster('c1')
        .put({...own, metadata: {...own.metadata, annotations: {...own.metadata.annotations, note: 'x'}}});
    });
    const {code, result} = await link();
    expect([code, peerOf(result, 'c1', 'c2')?.outcome]).toEqual([0, 'done']);
    expect(remote('c1', 'c2')?.metadata.annotations).toMatchObject({note: 'x'});
  });
});

describe('a remote', () => {
  it('is read by its primary, and reads no other cluster', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3'], {clusterYaml: {c3: '    role: remote\n    primary: c1\n'}});
    mesh.cluster('c3').remove('Deployment', 'istio-system/istiod');
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done', 'c3 done']]);
    expect([remote('c1', 'c3'), remote('c2', 'c3'), remote('c3', 'c1')].map((one) => one !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
    expect(result.clusters.find(({name}) => name === 'c3')?.peers).toEqual([]);
  });
});

it('a mesh of one cluster needs no contact', async () => {
  mesh = await linkMesh(['c1']);
  const {code, result} = await link();
  expect([code, outcomes(result)]).toEqual([0, ['c1 unchanged']]);
  expect(mesh.kube.calls).toEqual([]);
});

it('the exit code is that of the worst error of any pair, also if a cluster has several', async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  await link();
  const {metadata, ...rest} = remote('c1', 'c2')!;
  mesh
    .cluster('c1')
    .put({...rest, metadata: {...metadata, labels: {...metadata.labels, 'argocd.argoproj.io/instance': 'mesh'}}});
  for (const peer of ['c2', 'c3']) mesh.cluster(peer).remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
  mesh.istiod('c1').status.c3 = 'timeout';
  const {code, result} = await link('--keep-going');
  expect(result.clusters[0]?.peers.map(({error}) => error?.code)).toEqual(['FOREIGN_OWNER', 'NOT_SYNCED']);
  expect(code).toBe(1);
});

it("no message contains the credentials in a URL of an API server, and no other cluster gets the user's", async () => {
  mesh = await linkMesh(['c1', 'c2']);
  await link();
  const server = 'https://me:s3cret-word@c2.example:6443';
  const text = mesh.cluster('c1').secretText('istio-system/istio-remote-secret-c2').c2 ?? '';
  putRemote('c1', 'c2', text.replace(/server: .*/, `server: ${server}`));
  const {status} = mesh.istiod('c1');
  status.c2 = 'syncing';
  setTimeout(() => (status.c2 = 'timeout'), 1500);
  const unread = await link();
  expect([unread.code, unread.output.includes('c2.example:6443')]).toEqual([1, true]);
  mesh.cluster('c1').remove('Secret', 'istio-system/istio-remote-secret-c2');
  mesh.cluster('c2').server = {server};
  const refused = await link();
  expect([refused.code, codes(refused.result)]).toEqual([5, ['c1', 'c2 URL_CREDENTIALS']]);
  expect(unread.output + refused.output).not.toContain('s3cret-word');
  expect(remote('c1', 'c2')).toBeUndefined();
});

it('the text folds peers with the same result, and -o wide shows each with its Secret and server', async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  await link();
  const text = (await runCommand(Link, [], mesh.env)).stdout;
  expect(text).toMatch(/^ {2}c2, c3: remote secret unchanged, token expires /m);
  const wide = (await runCommand(Link, ['-o', 'wide'], mesh.env)).stdout;
  expect(wide).toMatch(/^ {2}c2: .*Secret istio-system\/istio-remote-secret-c2, https:\/\/ctx-c2\.example:6443$/m);
});

it('a reader is not done if all its peers are refused, although a reader Secret was created there', async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  for (const name of ['c2', 'c3']) mesh.cluster(name).server = {server: 'https://127.0.0.1:6443'};
  const {code, result} = await link('--keep-going');
  expect([code, outcomes(result)]).toEqual([5, ['c1 skipped', 'c2 refused', 'c3 refused']]);
  expect([readerSecret('c1', 'c2') !== undefined, peerOf(result, 'c2', 'c1')?.outcome]).toEqual([true, 'done']);
  const text = (await runCommand(Link, ['--keep-going'], mesh.env)).stdout;
  expect(text).toMatch(/^c1: not linked$/m);
});

it('the text shows each error once, at the cluster that is its cause', async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3', 'c4']);
  mesh.cluster('c2').server = {server: 'https://127.0.0.1:6443'};
  mesh.cluster('c3').remove('ServiceAccount', 'istio-system/istio-reader-service-account');
  const text = (await runCommand(Link, [], mesh.env)).stdout;
  expect(text.match(/127\.0\.0\.1:6443/g)).toHaveLength(1);
  expect(text.match(/istio-reader-service-account/g)).toHaveLength(1);
  expect(text).toMatch(/^c2: refused: pods of other clusters cannot use/m);
  const [ofC1 = ''] = text.split(/^c2: /m);
  expect(ofC1).toMatch(/^ {2}c2: refused: see c2$/m);
  expect(ofC1).toMatch(/^ {2}c3: refused: see c3$/m);
});
