import {describe, expect, it} from 'vitest';
import {caSecrets} from '../../../src/domain/access/path-kinds.js';
import {readRemoteSecret} from '../../../src/domain/discovery/remote-secret.js';
import {subjectId} from '../../../src/domain/kube/subjects.js';
import {withMeshNames} from '../../../src/domain/access/mesh-names.js';
import {AccessAnalyzer} from '../../../src/domain/access/transitive.js';
import {coreRule, healthyGrants, rbac, remoteCredential, type SeededGrant} from '../checks/healthy.js';

const reader = {kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-reader-service-account'} as const;
const bob: SeededGrant = {
  subjects: [{kind: 'User', name: 'bob'}],
  rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-b')],
  namespace: 'istio-system',
};

/** Bob's paths to CA keys through other clusters: the clusters on each path, then the cluster of the key. */
function pathsOfBob(
  clusters: Readonly<
    Record<string, {grants?: readonly SeededGrant[]; leadsTo: readonly string[]; mounted?: readonly string[]}>
  >,
) {
  const analyzer = new AccessAnalyzer(
    Object.entries(clusters).map(([cluster, {grants = healthyGrants, leadsTo, mounted = []}]) => ({
      mounted,
      cluster,
      rbac: rbac(...grants),
      remotes: leadsTo.map((to) => remoteCredential(to)),
    })),
    {namespace: 'istio-system', secrets: caSecrets},
  );
  return analyzer
    .remote()
    .filter(({entry: {subject}}) => subjectId(subject) === 'User:bob')
    .map(({from, target, path}) => [from, ...path.map(({leadsTo}) => leadsTo), target].join(' '));
}

describe('access through remote secrets', () => {
  const blind = healthyGrants.filter(({name}) => name !== 'istio-reader-clusterrole-istio-system');

  it('leads from cluster to cluster while the readers may read Secrets', () => {
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b']};
    expect(pathsOfBob({a, b: {leadsTo: ['c']}, c: {leadsTo: []}})).toEqual(['a b b', 'a b c c']);
    expect(pathsOfBob({a, b: {leadsTo: ['c']}, c: {grants: blind, leadsTo: []}})).toEqual(['a b b']);
    expect(pathsOfBob({a, b: {grants: blind, leadsTo: ['c']}, c: {leadsTo: []}})).toEqual([]);
  });

  it('continues through a cluster whose key is out of reach, if its remote secret is not', () => {
    const onlyRemote: SeededGrant = {
      name: 'narrow-reader',
      subjects: [reader],
      rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-c')],
      namespace: 'istio-system',
    };
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b']};
    expect(pathsOfBob({a, b: {grants: [...blind, onlyRemote], leadsTo: ['c']}, c: {leadsTo: []}})).toEqual(['a b c c']);
  });

  it('terminates in cycles, and can return with more rights', () => {
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b', 'c']};
    expect(pathsOfBob({a, b: {leadsTo: ['a', 'c']}, c: {leadsTo: ['a', 'b']}})).toEqual([
      'a b b',
      'a b a a',
      'a b c c',
    ]);
  });

  it('includes a remote secret for its own cluster, which istiod ignores', () => {
    const own: SeededGrant = {...bob, rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-a')]};
    expect(pathsOfBob({a: {grants: [...healthyGrants, own], leadsTo: ['a']}})).toEqual(['a a a']);
  });

  it("leads to the cluster that has the data key as Istio's name", () => {
    const clusters = [
      {name: 'a', role: 'primary', istioName: 'Kubernetes'},
      {name: 'b', role: 'primary', istioName: 'Prod_EU.2'},
    ] as const;
    const remotes = ['Kubernetes', 'Prod_EU.2', 'b', 'elsewhere'].map((key) => remoteCredential(key));
    expect(withMeshNames(remotes, {clusters}).map(({cluster}) => cluster)).toEqual(['a', 'b', 'b', 'elsewhere']);
  });

  it('leads to the Secret that only the istiods of its cluster mount', () => {
    const reads = (name: string): SeededGrant => ({
      subjects: [reader],
      rules: [coreRule(['get'], ['secrets'], name)],
      namespace: 'istio-system',
    });
    const toB = {a: {grants: [...healthyGrants, bob], leadsTo: ['b']}};
    const b = {grants: [...blind, reads('mesh-ca')], leadsTo: []};
    expect(pathsOfBob({...toB, b})).toEqual([]);
    expect(pathsOfBob({...toB, b: {...b, mounted: ['mesh-ca']}})).toEqual(['a b b']);
  });

  it('ends at a cluster that was not analyzed', () => {
    expect(pathsOfBob({a: {grants: [...healthyGrants, bob], leadsTo: ['b']}})).toEqual([]);
  });

  it('is found quickly in a full mesh of sixty clusters', () => {
    const names = Array.from({length: 60}, (_, index) => `c${String(index)}`);
    const analyzer = new AccessAnalyzer(
      names.map((cluster) => ({
        cluster,
        rbac: rbac(...healthyGrants),
        remotes: names.filter((name) => name !== cluster).map((name) => remoteCredential(name)),
      })),
      {namespace: 'istio-system', secrets: caSecrets},
    );
    const targets = new Set(
      analyzer
        .remote()
        .filter(({from}) => from === 'c0')
        .map(({target}) => target),
    );
    expect(targets.size).toBe(59);
  });
});

describe('a remote secret', () => {
  const jwt = (payload: object): string => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.sig`;
  const kubeconfig = (user: object): string =>
    Buffer.from(
      JSON.stringify({
        users: [{name: 'u', user}],
        contexts: [{name: 'x', context: {user: 'u'}}],
        'current-context': 'x',
      }),
    ).toString('base64');
  const read = (data: Record<string, string>) =>
    readRemoteSecret({apiVersion: 'v1', kind: 'Secret', metadata: {name: 'istio-remote-secret-b'}, data});

  it('shows the identity of its token, but nothing of the token itself', () => {
    const token = jwt({sub: 'system:serviceaccount:istio-system:istio-reader-service-account'});
    const found = read({b: kubeconfig({token})});
    expect(found.map(({cluster, identity}) => [cluster, identity && subjectId(identity.user)])).toEqual([
      ['b', 'ServiceAccount:istio-system/istio-reader-service-account'],
    ]);
    expect(JSON.stringify(found)).not.toContain(token.split('.')[1]);
  });

  it('shows no identity for credentials that do not contain one', () => {
    const cases: readonly string[] = [
      kubeconfig({token: 'opaque'}),
      kubeconfig({token: 'a.!!!.c'}),
      kubeconfig({token: jwt({sub: 7})}),
      kubeconfig({token: jwt({sub: 'auth0|person'})}),
      kubeconfig({exec: {command: 'aws'}}),
      kubeconfig({'client-certificate-data': 'AAAA'}),
      Buffer.from('{{{').toString('base64'),
      Buffer.from('null').toString('base64'),
      '',
    ];
    for (const text of cases) {
      const [credential, ...others] = read({b: text});
      expect([credential?.secret, credential?.cluster, others]).toEqual(['istio-remote-secret-b', 'b', []]);
      expect(credential?.identity).toBeUndefined();
    }
    expect(read({})).toEqual([]);
  });
});
