import {stringify} from 'yaml';
import {describe, expect, it} from 'vitest';
import {decidePair} from '../../../src/domain/discovery/decide-link.js';
import type {LinkRules, PairFacts} from '../../../src/domain/discovery/link-input.js';
import {
  type DiscoveryObservation,
  type DiscoveryPod,
  readStoredRemoteSecret,
} from '../../../src/domain/discovery/observation.js';
import {problem} from '../../../src/domain/errors.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {SecretObject} from '../../../src/domain/kube/objects.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';

const unknown = {unknown: problem('FORBIDDEN', 'cannot get it')};
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const now = new Date('2026-06-01T00:00:00Z');
const c1: MeshCluster = {name: 'c1', role: 'primary'};
const c2: MeshCluster = {name: 'c2', role: 'primary'};
const c3: MeshCluster = {name: 'c3', role: 'primary'};
const account = 'system:serviceaccount:istio-system:istio-reader-service-account';

/** The remote secret for c2, valid but for this. */
function remoteSecret({
  name = 'istio-remote-secret-c2',
  server = 'https://c2.example',
  key = 'c2',
  claims = {},
  more = {},
  labels = {},
  ...rest
}: {
  name?: string;
  server?: string;
  key?: string;
  claims?: object;
  more?: Record<string, string>;
  labels?: Record<string, string>;
} & Partial<SecretObject> = {}) {
  const payload = Buffer.from(JSON.stringify({sub: account, ...claims})).toString('base64url');
  const kubeconfig = stringify({
    clusters: [{name: 'c2', cluster: {server, 'certificate-authority-data': base64('ca')}}],
    users: [{name: 'c2', user: {token: `h.${payload}.s`}}],
  });
  return readStoredRemoteSecret({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name,
      labels: {'istio/multiCluster': 'true', ...labels},
      annotations: {'networking.istio.io/cluster': 'c2'},
    },
    data: {[key]: base64(kubeconfig), ...more},
    ...rest,
  });
}

const row = (status: string, secret = 'istio-remote-secret-c2') => ({
  id: 'c2',
  secretName: `istio-system/${secret}`,
  status,
});

/** An istiod pod that knows these clusters. */
const pod = (name: string, clusters: DiscoveryPod['clusters']): DiscoveryPod => ({name, clusters});

function istiods(pods: readonly DiscoveryPod[], version = '1.31.0'): DiscoveryObservation['istiods'] {
  return {value: [{deployment: 'istiod', version: resolveVersion(version), isSelective: false, pods}]};
}

function observation(name: string, more: Partial<DiscoveryObservation> = {}): DiscoveryObservation {
  return {
    at: now,
    context: `ctx-${name}`,
    uid: {value: name},
    istiods: istiods([pod('istiod-1', {value: []})]),
    hasReaderAccount: {value: true},
    rootCa: {value: 'ca'},
    server: {value: {url: `https://${name}.example`, caData: base64('ca')}},
    readerSecrets: new Map(),
    remoteSecrets: new Map(),
    ...more,
  };
}

interface Given {
  readonly reader?: Partial<DiscoveryObservation>;
  readonly peer?: Partial<DiscoveryObservation>;
  readonly secrets?: readonly ReturnType<typeof remoteSecret>[];
  readonly rules?: Partial<LinkRules>;
  readonly declared?: MeshCluster;
}

function decide({reader, peer, secrets = [], rules = {}, declared = c2}: Given) {
  const remoteSecrets = new Map(secrets.map((one) => [one.metadata.name, {value: one}] as const));
  const facts: PairFacts = {
    pair: {reader: c1, peer: declared},
    reader: observation('c1', {remoteSecrets, ...reader}),
    peer: observation('c2', peer),
    reviews: new Map(
      secrets.map((one) => [one.metadata.name, {value: {accepted: true as const, username: account}}] as const),
    ),
  };
  return decidePair(
    facts,
    {namespace: 'istio-system', token: 'bound', clusters: [c1, c2, c3]},
    {allowLocalAddress: false, restartIstiod: false, ...rules},
  );
}

/** Another address than the declared one. */
const differing = remoteSecret({server: 'https://x.example'});
/** A Secret of another name with a valid kubeconfig under each of these keys. */
function withKeys(name: string, keys: readonly string[]): ReturnType<typeof remoteSecret> {
  const {data} = remoteSecret();
  const text = base64(data.c2?.reveal().toString() ?? '');
  const metadata = {name, labels: {'istio/multiCluster': 'true'}};
  return remoteSecret({metadata, data: Object.fromEntries(keys.map((key) => [key, text]))});
}

const old = istiods([pod('istiod-1', {value: [row('timeout')]})], '1.30.3');
const day = 86_400;
const aboutToExpire = {iat: now.getTime() / 1000 - 89 * day, exp: now.getTime() / 1000 + day};

describe('the decision for a pair', () => {
  it.each([
    ['nothing exists', {}, {kind: 'create', secret: 'istio-remote-secret-c2', prove: true, restart: []}],
    [
      'a valid remote secret is read by every pod',
      {secrets: [remoteSecret()], reader: {istiods: istiods([pod('a', {value: [row('synced')]})])}},
      {kind: 'unchanged', prove: false},
    ],
    [
      'one of two pods has not read it',
      {
        secrets: [remoteSecret()],
        reader: {istiods: istiods([pod('a', {value: [row('synced')]}), pod('b', {value: [row('syncing')]})])},
      },
      {kind: 'unchanged', prove: true},
    ],
    [
      'a pod that is not ready cannot be read, and the other one has read it',
      {
        secrets: [remoteSecret()],
        reader: {istiods: istiods([pod('a', {value: [row('synced')]}), {...pod('b', unknown), notReady: true}])},
      },
      {kind: 'unchanged', prove: false, unproven: ['b']},
    ],
    [
      'a pod that is not ready has read it, and the other one has not',
      {
        secrets: [remoteSecret()],
        reader: {
          istiods: istiods([
            pod('a', {value: [row('timeout')]}),
            {...pod('b', {value: [row('synced')]}), notReady: true},
          ]),
        },
      },
      {kind: 'unchanged', prove: true, unproven: []},
    ],
    [
      'the pods do not report what they have read',
      {secrets: [remoteSecret()], reader: {istiods: istiods([pod('a', {value: undefined})], '1.10.6')}},
      {kind: 'unchanged', prove: false},
    ],
    [
      'the address differs, and istiod has not read the peer with it',
      {secrets: [differing], reader: {istiods: istiods([pod('a', {value: [row('timeout')]})])}},
      {kind: 'replace', prove: true, restart: [], address: {url: 'https://c2.example'}},
    ],
    [
      'the address differs, and one pod has read the peer with it',
      {
        secrets: [differing],
        reader: {istiods: istiods([pod('a', {value: [row('timeout')]}), pod('b', {value: [row('synced')]})])},
      },
      {kind: 'unchanged', prove: true, address: {url: 'https://x.example'}},
    ],
    [
      'the address differs, istiod has read the peer with it, and the kubeconfig has a local one',
      {
        secrets: [differing],
        reader: {istiods: istiods([pod('a', {value: [row('synced')]})])},
        peer: {server: {value: {url: 'https://127.0.0.1:6443'}}},
      },
      {kind: 'unchanged', prove: false, address: {url: 'https://x.example'}},
    ],
    [
      'the Secret that istiod uses has an old token, another name, and credentials for other clusters',
      {
        secrets: [remoteSecret({name: 'by-hand', claims: aboutToExpire, more: {c3: 'x', other: 'x'}})],
        reader: {istiods: istiods([pod('a', {value: [row('synced', 'by-hand')]})])},
      },
      {kind: 'renew', secret: 'by-hand', keeps: ['c3', 'other']},
    ],
    [
      'the Secret has the credential under a wrong data key',
      {secrets: [remoteSecret({key: 'zwei', more: {c1: 'x', c3: 'x'}})]},
      {kind: 'replace', keeps: ['c3']},
    ],
    [
      'istiod lists a Secret that no longer has a credential for the peer',
      {
        secrets: [remoteSecret({name: 'by-hand', key: 'c3'})],
        reader: {istiods: istiods([pod('a', {value: [row('synced', 'by-hand')]})])},
      },
      {kind: 'create', secret: 'istio-remote-secret-c2'},
    ],
    [
      'public roots verify the server, and the own CA is unknown',
      {peer: {server: {value: {url: 'https://c2.example'}}, rootCa: unknown}},
      {kind: 'create', address: {url: 'https://c2.example'}},
    ],
    [
      'public roots verify the server, and istiod has read it by the CA in the remote secret',
      {
        secrets: [remoteSecret()],
        reader: {istiods: istiods([pod('a', {value: [row('synced')]})])},
        peer: {server: {value: {url: 'https://c2.example'}}},
      },
      {kind: 'unchanged', prove: false},
    ],
    [
      'public roots verify the server, and istiod has not read it by the CA in the remote secret',
      {
        secrets: [remoteSecret()],
        reader: {istiods: istiods([pod('a', {value: [row('timeout')]})])},
        peer: {server: {value: {url: 'https://c2.example'}}},
      },
      {kind: 'replace', prove: true},
    ],
    [
      'public roots verify the server, and istiod reports whatever was read in time as synced',
      {
        secrets: [remoteSecret()],
        reader: {istiods: istiods([pod('a', {value: [row('synced')]})], '1.12.9')},
        peer: {server: {value: {url: 'https://c2.example'}}},
      },
      {kind: 'replace', prove: true},
    ],
    [
      'istiod uses a valid Secret of another name',
      {
        secrets: [remoteSecret({name: 'by-hand'})],
        reader: {istiods: istiods([pod('a', {value: [row('synced', 'by-hand')]})])},
      },
      {kind: 'unchanged', secret: 'by-hand', prove: false},
    ],
    [
      'istiod uses a valid Secret of another name, for several clusters and without an annotation',
      {
        secrets: [withKeys('all', ['c2', 'c3'])],
        reader: {istiods: istiods([pod('a', {value: [row('synced', 'all')]})])},
      },
      {kind: 'unchanged', secret: 'all', prove: false},
    ],
    [
      'istiod lists a Secret that no longer has a key for the peer',
      {
        secrets: [withKeys('all', ['c3'])],
        reader: {istiods: istiods([pod('a', {value: [row('synced', 'all')]})])},
      },
      {kind: 'create', secret: 'istio-remote-secret-c2'},
    ],
    [
      'istiod lists a Secret that no longer exists',
      {reader: {istiods: istiods([pod('a', {value: [row('synced', 'gone')]})])}},
      {kind: 'create', secret: 'istio-remote-secret-c2'},
    ],
    [
      'the Istio version loses endpoints, and may be restarted',
      {secrets: [differing], reader: {istiods: old}, rules: {restartIstiod: true}},
      {kind: 'replace', restart: ['istiod']},
    ],
    [
      'the Istio version loses endpoints, and there is no remote secret yet',
      {reader: {istiods: istiods([pod('a', {value: []})], '1.30.3')}},
      {kind: 'create', restart: []},
    ],
    [
      'the address is local, and permitted',
      {peer: {server: {value: {url: 'https://127.0.0.1:6443'}}}, rules: {allowLocalAddress: true}},
      {kind: 'create'},
    ],
    [
      "the address is a container's name that mesh.yaml declares",
      {declared: {...c2, apiServer: {url: 'https://c2-control-plane:6443'}}, peer: {server: unknown}},
      {kind: 'create', address: {url: 'https://c2-control-plane:6443'}},
    ],
  ] satisfies readonly (readonly [string, Given, object])[])('if %s', (_, given, expected) => {
    expect(decide(given)).toMatchObject({errors: [], decision: expected});
  });

  it.each([
    ['the peer has no account', {peer: {hasReaderAccount: {value: false}}}, ['c2 READER_MISSING']],
    ['the account is unknown', {peer: {hasReaderAccount: unknown}}, ['c2 FORBIDDEN']],
    ['the address is local', {peer: {server: {value: {url: 'https://127.0.0.1'}}}}, ['c2 LOCAL_ADDRESS']],
    [
      'the address is only known to the workstation',
      {peer: {server: {value: {url: 'https://c2-control-plane:6443'}}}},
      ['c2 LOCAL_ADDRESS'],
    ],
    [
      'the server is not verified, whatever is permitted',
      {peer: {server: {value: {url: 'https://x.example', insecure: true}}}, rules: {allowLocalAddress: true}},
      ['c2 INSECURE_API_SERVER'],
    ],
    ['the kubeconfig cannot be read', {peer: {server: unknown}}, ['c2 FORBIDDEN']],
    [
      'no CA is declared for a declared address, and the own one is unknown',
      {declared: {...c2, apiServer: {url: 'https://c2.example'}}, peer: {rootCa: unknown}},
      ['c2 FORBIDDEN'],
    ],
    ['no istiod is installed', {reader: {istiods: {value: []}}}, ['c1 NO_ISTIOD']],
    ['no istiod pod runs', {reader: {istiods: istiods([])}}, ['c1 NO_ISTIOD']],
    ['istiods are unknown', {reader: {istiods: unknown}}, ['c1 FORBIDDEN']],
    [
      'no pod is ready, and one cannot be read',
      {reader: {istiods: istiods([{...pod('a', unknown), notReady: true}])}},
      ['c1 FORBIDDEN'],
    ],
    ['a pod cannot be read', {reader: {istiods: istiods([pod('a', unknown)])}}, ['c1 FORBIDDEN']],
    [
      'the remote secret cannot be read',
      {reader: {remoteSecrets: new Map([['istio-remote-secret-c2', unknown]])}},
      ['c1 FORBIDDEN'],
    ],
    ['the Istio version loses endpoints', {secrets: [differing], reader: {istiods: old}}, ['c1 LOSES_ENDPOINTS']],
    [
      'another tool manages the remote secret',
      {secrets: [remoteSecret({server: 'https://x.example', labels: {'argocd.argoproj.io/instance': 'mesh'}})]},
      ['c1 FOREIGN_OWNER'],
    ],
    [
      'the remote secret is immutable',
      {secrets: [remoteSecret({server: 'https://x.example', immutable: true})]},
      ['c1 OTHER_REMOTE_SECRET'],
    ],
    [
      'the remote secret has another type',
      {secrets: [remoteSecret({server: 'https://x.example', type: 'example.com/kubeconfig'})]},
      ['c1 OTHER_REMOTE_SECRET'],
    ],
    [
      'an address has to be written, and is local',
      {secrets: [differing], peer: {server: {value: {url: 'https://127.0.0.1'}}}},
      ['c2 LOCAL_ADDRESS'],
    ],
    [
      'both clusters have a problem',
      {reader: {istiods: {value: []}}, peer: {hasReaderAccount: {value: false}}},
      ['c2 READER_MISSING', 'c1 NO_ISTIOD'],
    ],
  ] satisfies readonly (readonly [string, Given, readonly string[]])[])('is refused if %s', (_, given, expected) => {
    const {decision, errors} = decide(given);
    expect(decision).toBeUndefined();
    expect(errors.map(({cluster, error}) => `${cluster} ${error.code}`)).toEqual(expected);
  });
});

describe('an istiod that lost the endpoints of a peer', () => {
  const shards = (...clusters: readonly string[]) => ({
    value: [
      {
        host: 'kubernetes.default.svc.cluster.local',
        namespace: 'default',
        endpoints: new Map(clusters.map((name) => [name, 1])),
      },
    ],
  });
  const seenBy = (services: DiscoveryPod['services'], version = '1.30.3', status = 'synced') => ({
    secrets: [remoteSecret()],
    reader: {
      istiods: istiods([{name: 'istiod-1', clusters: {value: [row(status)]}, ...(services && {services})}], version),
    },
  });

  it.each([
    ['has them', seenBy(shards('c1', 'c2')), {prove: false, restart: []}],
    ['is a version that does not lose them', seenBy(undefined, '1.31.0'), {prove: false, restart: []}],
    ['has none of its own cluster either, so it does not read them', seenBy(shards()), {prove: false, restart: []}],
    ['has not read the peer yet', seenBy(shards('c1'), '1.30.3', 'syncing'), {prove: true, restart: []}],
    ['does not show its endpoints', seenBy(unknown), {prove: true, restart: []}],
  ])('is none if it %s', (_, given, expected) => {
    expect(decide(given).decision).toMatchObject({kind: 'unchanged', ...expected});
  });

  it('is refused, or restarted with the flag', () => {
    const given = seenBy(shards('c1'));
    expect(decide(given).errors).toMatchObject([{cluster: 'c1', error: {code: 'LOSES_ENDPOINTS'}}]);
    expect(decide({...given, rules: {restartIstiod: true}}).decision).toMatchObject({
      kind: 'unchanged',
      prove: true,
      restart: ['istiod'],
    });
  });
});

it('a reader Secret that cannot be read blocks a change, and nothing else', () => {
  const peer = {readerSecrets: new Map([['kubectl-mesh-reader-c1', unknown]])};
  expect(decide({peer}).errors).toMatchObject([{cluster: 'c2', error: {code: 'FORBIDDEN'}}]);
  const other = {readerSecrets: new Map([['kubectl-mesh-token-c1', unknown]])};
  expect(decide({peer: other}).decision).toMatchObject({kind: 'create'});
  expect(decide({peer, secrets: [remoteSecret()]}).decision).toMatchObject({kind: 'unchanged'});
});
