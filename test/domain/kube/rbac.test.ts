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
const request: Query = {verb: 'get', group: '', resource: 'secrets', name: 'cacerts'};
const exec: Query = {verb: 'create', group: '', resource: 'pods/exec', name: 'istiod-1'};
const unnamed: Query = {verb: 'get', group: '', resource: 'secrets'};

describe('a rule', () => {
  it.each([
    ['matching values', {}, request, true],
    ['any verb', {verbs: ['*']}, request, true],
    ['another verb', {verbs: ['list']}, request, false],
    ['any group', {apiGroups: ['*']}, request, true],
    ['another group', {apiGroups: ['apps']}, request, false],
    ['any resource', {resources: ['*']}, request, true],
    ['any resource, including subresources', {verbs: ['*'], resources: ['*']}, exec, true],
    ['that subresource of any resource', {verbs: ['create'], resources: ['*/exec']}, exec, true],
    ['another subresource of any resource', {verbs: ['create'], resources: ['*/log']}, exec, false],
    ['a resource without its subresources', {verbs: ['create'], resources: ['pods']}, exec, false],
    ['a subresource without its resource', {resources: ['secrets/status']}, request, false],
    ['the name', {resourceNames: ['cacerts', 'x']}, request, true],
    ['another name', {resourceNames: ['x']}, request, false],
    ['a name, for a request without one', {resourceNames: ['cacerts']}, unnamed, false],
    [
      'a name that meets the condition',
      {resourceNames: ['x', 'istiod-1']},
      {...request, name: (n: string) => n.startsWith('istiod')},
      true,
    ],
    [
      'no name that meets the condition',
      {resourceNames: ['x']},
      {...request, name: (n: string) => n.startsWith('istiod')},
      false,
    ],
    ['values in another case', {verbs: ['GET']}, request, false],
    ['nothing', {verbs: []}, request, false],
  ])('with %s', (_title, change, query, allowed) => {
    expect(ruleAllows(rule(change), query)).toBe(allowed);
  });
});

describe('roles and bindings of the API server', () => {
  const object = (kind: string, name: string, more: object, namespace?: string) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: {name, ...(namespace !== undefined && {namespace})},
    ...more,
  });

  it('grant nothing if the role does not exist, is in another namespace, or has no rules', () => {
    const facts = readRbac([
      object('ClusterRole', 'aggregated-empty', {}),
      object('Role', 'existing', {rules: [{verbs: ['get'], apiGroups: [''], resources: ['secrets']}]}, 'other'),
      object(
        'RoleBinding',
        'a',
        {roleRef: {kind: 'Role', name: 'existing'}, subjects: [{kind: 'User', name: 'x'}]},
        'ns',
      ),
      object('RoleBinding', 'b', {roleRef: {kind: 'ClusterRole', name: 'missing'}}, 'ns'),
      object('ClusterRoleBinding', 'c', {roleRef: {kind: 'ClusterRole', name: 'aggregated-empty'}}),
    ]);
    expect(grantsIn(facts).map(({binding, role}) => [binding.name, role.rules])).toEqual([['c', []]]);
  });

  it('may reference service accounts by user name or without a namespace', () => {
    const subjects = [
      {kind: 'User', name: 'system:serviceaccount:shop:tool'},
      {kind: 'ServiceAccount', name: 'tool'},
      {kind: 'ServiceAccount', name: 'tool', namespace: 'b'},
      {kind: 'Group', name: 'g'},
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
    '%s is parsed and formatted back',
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
  ])('%j is not valid', (id) => {
    expect(parseSubject(id)).toBeUndefined();
  });

  it('is in the groups that the API server adds', () => {
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
