import {describe, expect, it} from 'vitest';
import {grantsIn, readRbac, ruleAllows, type Query} from '../../../src/domain/kube/rbac.js';
import {impliedGroups, parseSubject, subjectId} from '../../../src/domain/kube/subjects.js';

const rule = (change: object) => ({
  verbs: ['get'],
  apiGroups: [''],
  resources: ['secrets'],
  resourceNames: [],
  ...change,
});
const asked: Query = {verb: 'get', group: '', resource: 'secrets', name: 'cacerts'};
const exec: Query = {verb: 'create', group: '', resource: 'pods/exec', name: 'istiod-1'};
const unnamed: Query = {verb: 'get', group: '', resource: 'secrets'};

describe('a rule', () => {
  it.each([
    ['its own words', {}, asked, true],
    ['any verb', {verbs: ['*']}, asked, true],
    ['another verb', {verbs: ['list']}, asked, false],
    ['any group', {apiGroups: ['*']}, asked, true],
    ['another group', {apiGroups: ['apps']}, asked, false],
    ['any resource', {resources: ['*']}, asked, true],
    ['any resource, a subresource too', {verbs: ['*'], resources: ['*']}, exec, true],
    ['that subresource of anything', {verbs: ['create'], resources: ['*/exec']}, exec, true],
    ['another subresource of anything', {verbs: ['create'], resources: ['*/log']}, exec, false],
    ['a resource without its subresources', {verbs: ['create'], resources: ['pods']}, exec, false],
    ['a subresource without its resource', {resources: ['secrets/status']}, asked, false],
    ['its name', {resourceNames: ['cacerts', 'x']}, asked, true],
    ['another name', {resourceNames: ['x']}, asked, false],
    ['its name, for a request without one', {resourceNames: ['cacerts']}, unnamed, false],
    [
      'a name among those that would do',
      {resourceNames: ['x', 'istiod-1']},
      {...asked, name: (n: string) => n.startsWith('istiod')},
      true,
    ],
    [
      'no name among those that would do',
      {resourceNames: ['x']},
      {...asked, name: (n: string) => n.startsWith('istiod')},
      false,
    ],
    ['words of another case', {verbs: ['GET']}, asked, false],
    ['nothing', {verbs: []}, asked, false],
  ])('with %s', (_title, change, request, allowed) => {
    expect(ruleAllows(rule(change), request)).toBe(allowed);
  });
});

describe('roles and bindings as the API server has them', () => {
  const object = (kind: string, name: string, more: object, namespace?: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: {name, ...(namespace !== undefined && {namespace})},
    ...more,
  });

  it('grant nothing where the role is not there, is of another namespace, or has no rules', () => {
    const facts = readRbac([
      object('ClusterRole', 'aggregated-empty', {rules: null}),
      object('Role', 'there', {rules: [{verbs: ['get'], apiGroups: [''], resources: ['secrets']}]}, 'other'),
      object('RoleBinding', 'a', {roleRef: {kind: 'Role', name: 'there'}, subjects: [{kind: 'User', name: 'x'}]}, 'ns'),
      object('RoleBinding', 'b', {roleRef: {kind: 'ClusterRole', name: 'gone'}, subjects: null}, 'ns'),
      object('ClusterRoleBinding', 'c', {roleRef: {kind: 'ClusterRole', name: 'aggregated-empty'}}),
    ]);
    expect(grantsIn(facts).map(({binding, role}) => [binding.name, role.rules])).toEqual([['c', []]]);
  });

  it('name service accounts by their user name, or without a namespace, too', () => {
    const subjects = [
      {kind: 'User', name: 'system:serviceaccount:shop:tool'},
      {kind: 'ServiceAccount', name: 'tool'},
      {kind: 'ServiceAccount', name: 'tool', namespace: 'b'},
      {kind: 'Group', name: 'g'},
      {kind: 'Robot', name: 'r'},
    ];
    const {bindings} = readRbac([object('RoleBinding', 'a', {roleRef: {kind: 'Role', name: 'r'}, subjects}, 'ns')]);
    expect(bindings[0]?.subjects.map(subjectId)).toEqual([
      'ServiceAccount:shop/tool',
      'ServiceAccount:ns/tool',
      'ServiceAccount:b/tool',
      'Group:g',
    ]);
  });
});

describe('a subject', () => {
  it.each(['User:alice', 'User:https://id.example#a b', 'Group:system:masters', 'ServiceAccount:ns/name.x'])(
    '%s is what it says',
    (id) => {
      const subject = parseSubject(id);
      expect(subject && subjectId(subject)).toBe(id);
    },
  );

  it.each([
    'alice',
    'user:alice',
    'User:',
    'ServiceAccount:name',
    'ServiceAccount:a/b/c',
    'Group:a\nb',
    'Group:a\u2028b',
    'User:a\u0085b',
    'ServiceAccount:A/b',
  ])('%j is none', (id) => {
    expect(parseSubject(id)).toBeUndefined();
  });

  it('is in the groups that the API server puts it into', () => {
    const groups = (id: string): readonly string[] => {
      const subject = parseSubject(id);
      return subject ? impliedGroups(subject).map(({name}) => name) : ['none'];
    };
    expect(groups('ServiceAccount:a/b')).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:a',
      'system:authenticated',
    ]);
    expect(groups('User:alice')).toEqual(['system:authenticated']);
    expect(groups('User:system:anonymous')).toEqual(['system:unauthenticated']);
    expect(groups('Group:system:authenticated')).toEqual([]);
  });
});
