import {describe, expect, it} from 'vitest';
import {caSecrets} from '../../../src/domain/access/path-kinds.js';
import {readRemoteSecret} from '../../../src/domain/istio/remote-secret.js';
import {subjectId} from '../../../src/domain/kube/subjects.js';
import {AccessJudge} from '../../../src/domain/access/transitive.js';
import {coreRule, healthyGrants, rbac, remoteCredential, type SeededGrant} from '../checks/healthy.js';

const reader = {kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-reader-service-account'} as const;
const bob: SeededGrant = {
  subjects: [{kind: 'User', name: 'bob'}],
  rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-b')],
  namespace: 'istio-system',
};

/** Who reaches the key of `target` from elsewhere, with the clusters on the way. */
function reach(clusters: Readonly<Record<string, {grants?: readonly SeededGrant[]; leadsTo: readonly string[]}>>) {
  const judge = new AccessJudge(
    Object.entries(clusters).map(([cluster, {grants = healthyGrants, leadsTo}]) => ({
      cluster,
      rbac: rbac(...grants),
      remotes: leadsTo.map((to) => remoteCredential(to)),
    })),
    {namespace: 'istio-system', secrets: caSecrets},
  );
  return judge
    .remote()
    .filter(({reach: {subject}}) => subjectId(subject) === 'User:bob')
    .map(({from, target, path}) => [from, ...path.map(({leadsTo}) => leadsTo), target].join(' '));
}

describe('through remote secrets', () => {
  const blind = healthyGrants.filter(({name}) => name !== 'istio-reader-clusterrole-istio-system');

  it('leads from cluster to cluster, as far as the readers may read Secrets', () => {
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b']};
    expect(reach({a, b: {leadsTo: ['c']}, c: {leadsTo: []}})).toEqual(['a b b', 'a b c c']);
    expect(reach({a, b: {leadsTo: ['c']}, c: {grants: blind, leadsTo: []}})).toEqual(['a b b']);
    expect(reach({a, b: {grants: blind, leadsTo: ['c']}, c: {leadsTo: []}})).toEqual([]);
  });

  it('goes on through a cluster whose key is not within reach, where its remote secret is', () => {
    const onlyRemote: SeededGrant = {
      name: 'narrow-reader',
      subjects: [reader],
      rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-c')],
      namespace: 'istio-system',
    };
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b']};
    expect(reach({a, b: {grants: [...blind, onlyRemote], leadsTo: ['c']}, c: {leadsTo: []}})).toEqual(['a b c c']);
  });

  it('ends in circles, and comes back with more rights than it began with', () => {
    const a = {grants: [...healthyGrants, bob], leadsTo: ['b', 'c']};
    expect(reach({a, b: {leadsTo: ['a', 'c']}, c: {leadsTo: ['a', 'b']}})).toEqual(['a b b', 'a b a a', 'a b c c']);
  });

  it('leads on by a token of the own cluster, which istiod has no use for', () => {
    const own: SeededGrant = {...bob, rules: [coreRule(['get'], ['secrets'], 'istio-remote-secret-a')]};
    expect(reach({a: {grants: [...healthyGrants, own], leadsTo: ['a']}})).toEqual(['a a a']);
  });

  it('goes nowhere where the cluster is not known', () => {
    expect(reach({a: {grants: [...healthyGrants, bob], leadsTo: ['b']}})).toEqual([]);
  });

  it('judges a mesh of sixty clusters that all know each other', () => {
    const names = Array.from({length: 60}, (_, index) => `c${String(index)}`);
    const judge = new AccessJudge(
      names.map((cluster) => ({
        cluster,
        rbac: rbac(...healthyGrants),
        remotes: names.filter((name) => name !== cluster).map((name) => remoteCredential(name)),
      })),
      {namespace: 'istio-system', secrets: caSecrets},
    );
    const targets = new Set(
      judge
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

  it('says whose token it holds, and keeps nothing of the token', () => {
    const token = jwt({sub: 'system:serviceaccount:istio-system:istio-reader-service-account'});
    const found = read({b: kubeconfig({token})});
    expect(found.map(({cluster, identity}) => [cluster, identity && subjectId(identity.user)])).toEqual([
      ['b', 'ServiceAccount:istio-system/istio-reader-service-account'],
    ]);
    expect(JSON.stringify(found)).not.toContain(token.split('.')[1]);
  });

  it('says nothing of its holder where that cannot be read off', () => {
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
    for (const text of cases) expect(read({b: text})).toEqual([{secret: 'istio-remote-secret-b', cluster: 'b'}]);
    expect(read({})).toEqual([]);
  });
});
