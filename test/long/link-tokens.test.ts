import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import Unlink from '../../src/commands/unlink.js';
import type {LinkedPeer, LinkResult} from '../../src/operations/discovery/report-link.js';
import type {FakeObject, FakeRequest} from '../helpers/fake-kubectl/fake-cluster.js';
import {fillTokenSecret, reviewToken} from '../helpers/fake-kubectl/tokens.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

async function link(...argv: string[]): Promise<{readonly code: number; readonly result: LinkResult}> {
  const run = await runCommand(Link, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult};
}

const codes = ({clusters}: LinkResult) => clusters.map(({name, error}) => `${name} ${error?.code ?? ''}`.trim());
const outcomes = ({clusters}: LinkResult) => clusters.map(({name, outcome}) => `${name} ${outcome}`);
const peerOf = ({clusters}: LinkResult, reader: string, peer: string): LinkedPeer | undefined =>
  clusters.find(({name}) => name === reader)?.peers.find((one) => one.peer === peer);
const tokenIn = (reader: string, peer: string): string => mesh.kubeconfig(reader, peer).users[0]?.user.token ?? '';
const isAccepted = (peer: string, token: string): boolean => {
  const review = reviewToken(mesh.cluster(peer), {spec: {token}} as unknown as FakeObject);
  return (review as {status: {authenticated?: boolean}}).status.authenticated === true;
};
const readerSecrets = (peer: string): readonly string[] =>
  mesh
    .cluster(peer)
    .all('Secret')
    .map(({metadata}) => metadata.name)
    .filter((name) => name.startsWith('kubectl-mesh-'))
    .sort();

const all = ['c1', 'c2', 'c3'];
const pairs = all.flatMap((reader) => all.filter((peer) => peer !== reader).map((peer) => [reader, peer] as const));
const currentTokens = () => pairs.map(([reader, peer]) => ({peer, token: tokenIn(reader, peer)}));
const acceptedOf = (tokens: ReturnType<typeof currentTokens>) => tokens.map(({peer, token}) => isAccepted(peer, token));
const everyPair = (value: boolean) => pairs.map(() => value);

/** A linked mesh of three clusters whose mesh.yaml then declares the other kind of token. */
async function changeKind(from: 'bound' | 'secret', to: 'bound' | 'secret'): Promise<void> {
  mesh = await linkMesh(all, {yaml: `discovery:\n  token: ${from}\n`});
  expect((await link()).code).toBe(0);
  const file = join(mesh.dir, 'mesh.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace(`token: ${from}`, `token: ${to}`));
}

describe('another kind of token', () => {
  it.each([
    ['bound', 'secret', 'token'],
    ['secret', 'bound', 'reader'],
  ] as const)('%s to %s: the new tokens replace the old ones, which end', async (from, to, name) => {
    await changeKind(from, to);
    const before = currentTokens();
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done', 'c3 done']]);
    expect(acceptedOf(currentTokens())).toEqual(everyPair(true));
    expect(acceptedOf(before)).toEqual(everyPair(false));
    expect(readerSecrets('c2')).toEqual([`kubectl-mesh-${name}-c1`, `kubectl-mesh-${name}-c3`]);
    expect(outcomes((await link()).result)).toEqual(['c1 unchanged', 'c2 unchanged', 'c3 unchanged']);
  });

  it('that the API server grants for a day only: every old token stays in place and valid', async () => {
    await changeKind('secret', 'bound');
    const before = currentTokens();
    for (const name of all) mesh.cluster(name).maxTokenSeconds = 86_400;
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1', 'c2 TOKEN_TOO_SHORT', 'c3 TOKEN_TOO_SHORT']]);
    expect(currentTokens()).toEqual(before);
    expect(acceptedOf(before)).toEqual(everyPair(true));
    expect(readerSecrets('c2')).toEqual(['kubectl-mesh-token-c1', 'kubectl-mesh-token-c3']);
  });

  it('with which istiod reads nothing: the old token stays in place and valid', async () => {
    await changeKind('bound', 'secret');
    const before = currentTokens();
    mesh.istiod('c1').status.c2 = 'timeout';
    const {code, result} = await link();
    expect([code, peerOf(result, 'c1', 'c2')?.error?.code]).toEqual([1, 'NOT_SYNCED']);
    expect(tokenIn('c1', 'c2')).toBe(before[0]?.token);
    // c1 reads c3 with the new kind; nothing else has changed.
    expect(acceptedOf(before)).toEqual(pairs.map(([reader, peer]) => `${reader} ${peer}` !== 'c1 c3'));
    expect(readerSecrets('c2')).toEqual(['kubectl-mesh-reader-c1', 'kubectl-mesh-reader-c3']);
    expect(readerSecrets('c3')).toEqual(['kubectl-mesh-reader-c2', 'kubectl-mesh-token-c1']);
  });

  it('whose predecessor cannot be deleted: the error names it, and the next run deletes it', async () => {
    await changeKind('bound', 'secret');
    const allow = mesh.cluster('c2').deny({verb: 'delete', resource: 'secrets', name: 'kubectl-mesh-reader-c1'});
    const {code, result} = await link();
    expect([code, codes(result)[1]]).toEqual([1, 'c2 FORBIDDEN']);
    expect(isAccepted('c2', tokenIn('c1', 'c2'))).toBe(true);
    allow();
    const again = await link();
    expect([again.code, readerSecrets('c2')]).toEqual([0, ['kubectl-mesh-token-c1', 'kubectl-mesh-token-c3']]);
  });

  it.each([
    ['arrived', 'apply-and-drop', true],
    ['was lost', 'drop', false],
  ] as const)('is not revoked if it is unknown whether it is in place: the write %s', async (_, fault, isNew) => {
    await changeKind('bound', 'secret');
    const reader = mesh.cluster('c1');
    const remote = {resource: 'secrets', name: 'istio-remote-secret-c2'};
    reader.fault({...remote, verb: 'update'}, fault);
    let answers: (() => void) | undefined;
    reader.before({...remote, verb: 'update'}, () => {
      answers = reader.fault({...remote, verb: 'get'}, {status: 503}, Infinity);
    });
    const old = tokenIn('c1', 'c2');
    const {code, result} = await link();
    expect([code, peerOf(result, 'c1', 'c2')?.error?.code]).toEqual([1, 'WRITE_UNCERTAIN']);
    const current = tokenIn('c1', 'c2');
    expect([current !== old, isAccepted('c2', current)]).toEqual([isNew, true]);
    expect(readerSecrets('c2')).toContain('kubectl-mesh-token-c1');
    answers?.();
    expect((await link()).code).toBe(0);
    expect([isAccepted('c2', old), isAccepted('c2', tokenIn('c1', 'c2'))]).toEqual([false, true]);
    expect(readerSecrets('c2')).toEqual(['kubectl-mesh-token-c1', 'kubectl-mesh-token-c3']);
  });

  it('whose predecessor cannot be deleted is a failure, not unknown, although the peer itself is not changed', async () => {
    await changeKind('bound', 'secret');
    // An earlier run has created the new Secrets.
    for (const peer of all) {
      for (const reader of all.filter((one) => one !== peer)) {
        const found = mesh.cluster(peer).put({
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'kubernetes.io/service-account-token',
          metadata: {
            name: `kubectl-mesh-token-${reader}`,
            namespace: 'istio-system',
            annotations: {'kubernetes.io/service-account.name': 'istio-reader-service-account'},
          },
        });
        fillTokenSecret(mesh.cluster(peer), found);
      }
    }
    for (const name of all) mesh.cluster(name).deny({verb: 'delete', resource: 'secrets'});
    const {code, result} = await link('--keep-going');
    expect([code, codes(result)]).toEqual([1, ['c1 FORBIDDEN', 'c2 FORBIDDEN', 'c3 FORBIDDEN']]);
    expect(acceptedOf(currentTokens())).toEqual(everyPair(true));
  });

  it('leaves nothing that unlink does not revoke, even if a Secret of the previous kind remained', async () => {
    await changeKind('bound', 'secret');
    const old = tokenIn('c1', 'c2');
    await link();
    const {uid, ...metadata} = mesh.cluster('c2').get('Secret', 'istio-system/kubectl-mesh-token-c1')?.metadata ?? {};
    expect(uid).toBeDefined();
    mesh.cluster('c2').put({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {...metadata, name: 'kubectl-mesh-reader-c1', namespace: 'istio-system'},
    });
    const tokens = [old, tokenIn('c1', 'c2')];
    const run = await runCommand(Unlink, ['c1', '--yes', '-o', 'json'], mesh.env);
    expect(run.code).toBe(0);
    expect(tokens.map((token) => isAccepted('c2', token))).toEqual([false, false]);
    expect(readerSecrets('c2')).toEqual(['kubectl-mesh-token-c3']);
  });
});

describe('a long-lived token', () => {
  it('whose Secret has another type is not waited for', async () => {
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  token: secret\n'});
    mesh.cluster('c2').put({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {name: 'kubectl-mesh-token-c1', namespace: 'istio-system'},
    });
    const {code, result} = await link('--timeout', '20s');
    expect([code, codes(result)]).toEqual([1, ['c1', 'c2 NOT_READY']]);
    expect(result.clusters[1]?.error?.message).toContain('type is Opaque');
  });
});

describe('a token that lives too short', () => {
  it('by mesh.yaml is refused before a cluster is contacted, unless short tokens are accepted', async () => {
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  tokenLifetime: 3d\n'});
    const refused = await runCommand(Link, ['-o', 'json'], mesh.env);
    expect([refused.code, answerOf(refused)]).toMatchObject([5, {error: {code: 'TOKEN_TOO_SHORT'}}]);
    expect(mesh.kube.calls).toEqual([]);
    expect((await link('--accept-short-tokens')).code).toBe(0);
  });

  it('is refused without a trace in any cluster', async () => {
    mesh = await linkMesh(all);
    for (const name of all) mesh.cluster(name).maxTokenSeconds = 86_400;
    const {code, result} = await link();
    expect([code, codes(result)]).toEqual([5, ['c1', 'c2 TOKEN_TOO_SHORT', 'c3 TOKEN_TOO_SHORT']]);
    expect(all.flatMap((name) => mesh.cluster(name).all('Secret'))).toEqual([]);
    expect(result.clusters[1]?.error?.message).toContain('limits it to 1 day');
  });

  it('is judged by the clock of the API server', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.cluster('c2').maxTokenSeconds = 6 * 86_400;
    mesh.cluster('c2').clockAheadSeconds = 2 * 86_400;
    expect(codes((await link()).result)).toEqual(['c1', 'c2 TOKEN_TOO_SHORT']);
    mesh.cluster('c2').maxTokenSeconds = 7 * 86_400;
    mesh.cluster('c2').clockAheadSeconds = -86_400;
    expect((await link()).code).toBe(0);
  });
});

describe('a new token', () => {
  /** Spoils the first answer to a review of a new token. */
  function spoilReview(spoil: (status: Record<string, unknown>) => object): () => number {
    let reviews = 0;
    mesh.cluster('c2').alter = ({resource}: FakeRequest, {status, body}) => {
      if (resource !== 'tokenreviews') return undefined;
      reviews += 1;
      if (reviews > 1) return undefined;
      const review = body as {readonly status: Record<string, unknown>};
      const text = JSON.stringify({...review, status: spoil(review.status)});
      return {status, headers: {'content-type': 'application/json'}, body: text};
    };
    return () => reviews;
  }

  it.each([
    ['is not known yet', () => ({error: 'invalid bearer token'})],
    ['is that of another user', (status: object) => ({...status, user: {username: 'system:serviceaccount:x:y'}})],
  ])('is written only when it is accepted as that of the reader: if it %s, it is reviewed again', async (_, spoil) => {
    mesh = await linkMesh(['c1', 'c2']);
    const reviews = spoilReview(spoil);
    const writtenAt: number[] = [];
    mesh.cluster('c1').before(
      {verb: 'create', resource: 'secrets', namespace: 'istio-system'},
      ({body}) => {
        if ((body as FakeObject).metadata.name === 'istio-remote-secret-c2') writtenAt.push(reviews());
      },
      Infinity,
    );
    expect((await link('c1')).code).toBe(0);
    expect(writtenAt).toEqual([2]);
  });
});
