import {describe, expect, it} from 'vitest';
import {readRemoteSecret, remoteSecretObject} from '../../../src/domain/discovery/remote-secret.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const claims = Buffer.from('{"sub":"system:serviceaccount:istio-system:reader"}').toString('base64url');
const token = `e30.${claims}.x`;
const reader = {kind: 'ServiceAccount', namespace: 'istio-system', name: 'reader'};

/** The identity that a kubeconfig in a remote secret reveals. */
function identityIn(kubeconfig: string) {
  const metadata = {name: 'istio-remote-secret-c2', namespace: 'istio-system'};
  const [credential] = readRemoteSecret({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata,
    data: {c2: base64(kubeconfig)},
  });
  expect(credential).toMatchObject({secret: metadata.name, cluster: 'c2'});
  return credential?.identity;
}

describe("a remote secret's kubeconfig", () => {
  it.each([
    ['one user', `users: [{name: a, user: {token: ${token}}}]`],
    [
      'the user of the current context',
      `{current-context: c, contexts: [{name: c, context: {user: b}}], users: [{name: a, user: {}}, {name: b, user: {token: ${token}}}]}`,
    ],
  ])('reveals the identity of %s', (_, text) => {
    expect(identityIn(text)).toMatchObject({user: reader, groups: []});
  });

  it.each([
    ['no YAML', '{'],
    ['nothing', ''],
    ['another type', 'users: 7'],
    ['null in place of a user', `users: [null, {name: a, user: {token: ${token}}}]`],
    ['a number as the token', 'users: [{name: a, user: {token: 7}}]'],
    ['a token with claims that are null', `users: [{name: a, user: {token: "e30.${base64('null')}.x"}}]`],
    ['aliases, which no client writes', `t: &t ${token}\nusers: [{name: a, user: {token: *t}}]`],
    ['a certificate that is text', 'users: [{name: a, user: {client-certificate-data: text}}]'],
    ['brackets without end', '['.repeat(200_000)],
  ])('reveals none with %s', (_, text) => {
    expect(identityIn(text)).toBeUndefined();
  });
});

describe('the last change of a credential', () => {
  const written = '2026-06-02T00:00:00Z';
  const wrote = (time: string, key = 'c2') => ({
    manager: 'kubectl',
    operation: 'Update' as const,
    time,
    fieldsV1: {'f:data': {'.': {}, [`f:${key}`]: {}}},
  });

  it.each([
    ['is read', '2026-06-01T00:00:00Z', [wrote('2026-06-01T00:00:00Z', 'c3'), wrote(written)], new Date(written)],
    ['is the latest one', '2026-05-01T00:00:00Z', [wrote('2026-06-01T00:00:00Z'), wrote(written)], new Date(written)],
    ['does not exist if the Secret is as it was created', written, [wrote(written)], 'never'],
    ['is unknown if the object does not record it', '2026-06-01T00:00:00Z', [], undefined],
    ['is unknown if it records another data key only', '2026-06-01T00:00:00Z', [wrote(written, 'c3')], undefined],
  ])('%s', (_, creationTimestamp, managedFields, expected) => {
    const metadata = {name: 'istio-remote-secret-c2', creationTimestamp, managedFields};
    const [credential] = readRemoteSecret({apiVersion: 'v1', kind: 'Secret', metadata, data: {c2: ''}});
    expect(credential?.changedAt).toEqual(expected);
  });
});

describe('the remote secret to write', () => {
  const pair = {reader: {name: 'c1'}, peer: {name: 'c2'}};
  const times = {issuedAt: new Date('2026-06-01T00:00:00Z')};

  it('keeps the name and metadata of one with another name', () => {
    const metadata = {name: 'by-hand', labels: {team: 'a'}, annotations: {note: 'x'}, resourceVersion: '7'};
    const object = remoteSecretObject(pair, 'istio-system', times, {metadata});
    expect(object.metadata).toEqual({...metadata, namespace: 'istio-system'});
  });

  it('has no expiry if its token does not expire, whatever the previous one had', () => {
    const annotations = {'kubectl-mesh/token-expires': '2026-07-01T00:00:00Z', note: 'x'};
    const metadata = {name: 'istio-remote-secret-c2', annotations};
    const written = remoteSecretObject(pair, 'istio-system', times, {metadata}).metadata.annotations;
    expect(written).toMatchObject({note: 'x', 'kubectl-mesh/token-issued': '2026-06-01T00:00:00.000Z'});
    expect(written).not.toHaveProperty('kubectl-mesh/token-expires');
  });
});

describe('a remote secret that is written again', () => {
  const previous = {
    name: 'istio-remote-secret-c2',
    resourceVersion: '7',
    labels: {team: 'a'},
    annotations: {note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"c2":"the old token"}}'},
    ownerReferences: [{kind: 'ConfigMap', name: 'mesh', uid: '1'}],
    finalizers: ['example.com/keep'],
  };
  const {metadata} = remoteSecretObject(
    {reader: {name: 'c1'}, peer: {name: 'c2'}},
    'istio-system',
    {issuedAt: new Date('2026-06-01T00:00:00Z')},
    {metadata: previous},
  );

  it("keeps other tools' metadata", () => {
    expect(metadata).toMatchObject({
      resourceVersion: '7',
      labels: {team: 'a', 'istio/multiCluster': 'true'},
      annotations: {note: 'x'},
      ownerReferences: previous.ownerReferences,
      finalizers: previous.finalizers,
    });
  });

  it('loses the copy in which kubectl apply keeps the previous token', () => {
    expect(JSON.stringify(metadata)).not.toContain('the old token');
  });
});
