import {describe, expect, it} from 'vitest';
import {accessManifests, accessRoleLevel} from '../../../src/domain/access/role-manifests.js';
import {roleLevels} from '../../../src/domain/access/command-rights.js';
import {expectationsOf, removeFix, unexpectedIn} from '../../../src/domain/access/findings.js';
import {caSecrets} from '../../../src/domain/access/path-kinds.js';
import {accessPathsOf} from '../../../src/domain/access/access-paths.js';
import {readRbac} from '../../../src/domain/kube/rbac.js';
import {subjectId} from '../../../src/domain/kube/subjects.js';
import {clusters, coreRule, healthyGrants, mesh, rbac, type SeededGrant} from '../checks/healthy.js';
import {textOf} from '../../helpers/suggestions.js';

const target = {namespace: 'istio-system', secrets: caSecrets};
const rbacRule = (verbs: readonly string[], resources: readonly string[], ...resourceNames: string[]) => ({
  ...coreRule(verbs, resources, ...resourceNames),
  apiGroups: ['rbac.authorization.k8s.io'],
});
const bob = {kind: 'User', name: 'bob'};
const everywhere = (...rules: readonly object[]): SeededGrant => ({subjects: [bob], rules});
const within = (namespace: string, ...rules: readonly object[]): SeededGrant => ({subjects: [bob], rules, namespace});
const shopTool: SeededGrant = {
  name: 'tool',
  subjects: [{kind: 'ServiceAccount', namespace: 'shop', name: 'tool'}],
  rules: [coreRule(['get'], ['secrets'])],
};

const ofGroup = (name: string): SeededGrant => ({
  name: 'of-group',
  subjects: [{kind: 'Group', name}],
  rules: [coreRule(['get'], ['secrets'])],
});

/** The kinds of bob's access paths, with the subject that each leads through. */
function pathsOfBob(...grants: readonly SeededGrant[]): readonly string[] {
  return accessPathsOf(rbac(...healthyGrants, ...grants), target)
    .filter(({subject}) => subjectId(subject) === 'User:bob')
    .map(({kind, via}) => [kind, ...(via ? [subjectId(via)] : [])].join(' '));
}

describe('an indirect access path', () => {
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    [
      'any user',
      [everywhere(coreRule(['impersonate'], ['users']))],
      ['impersonate User:system:kube-controller-manager'],
    ],
    ['a user without access', [everywhere(coreRule(['impersonate'], ['users'], 'nobody'))], []],
    ['groups, without a user', [everywhere(coreRule(['impersonate'], ['groups']))], []],
    [
      'groups, together with one user',
      [everywhere(coreRule(['impersonate'], ['groups']), coreRule(['impersonate'], ['users'], 'nobody'))],
      ['impersonate Group:system:masters'],
    ],
    [
      'service accounts of a namespace that have access',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts'])), shopTool],
      ['impersonate ServiceAccount:shop/tool'],
    ],
    [
      'service accounts of a namespace that have no access',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts']))],
      [],
    ],
    [
      'a service account, with a token for it by name',
      [within('shop', coreRule(['create'], ['serviceaccounts/token'], 'tool')), shopTool],
      ['token ServiceAccount:shop/tool'],
    ],
    [
      'another service account, with a token for it',
      [within('shop', coreRule(['create'], ['serviceaccounts/token'], 'x')), shopTool],
      [],
    ],
    [
      'a service account, by creating pods',
      [within('shop', coreRule(['create'], ['pods'])), shopTool],
      ['pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by exec',
      [within('shop', coreRule(['create'], ['pods/exec'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by exec with GET into a named pod',
      [within('shop', coreRule(['get'], ['pods/exec'], 'tool-0')), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by an ephemeral container',
      [within('shop', coreRule(['patch'], ['pods/ephemeralcontainers'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by changing the image of its pods',
      [within('shop', coreRule(['patch'], ['pods'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by exec in another namespace',
      [within('bank', coreRule(['create'], ['pods/exec'])), shopTool],
      [],
    ],
    [
      'a service account, with read access to pods only',
      [within('shop', coreRule(['get', 'list'], ['pods', 'pods/log'])), shopTool],
      [],
    ],
    [
      'a service account, by a token Secret',
      [within('shop', coreRule(['create', 'get'], ['secrets'])), shopTool],
      ['token ServiceAccount:shop/tool'],
    ],
    [
      'a service account, by a token Secret that it cannot read',
      [within('shop', coreRule(['create'], ['secrets'])), shopTool],
      [],
    ],
    [
      'any service account of a namespace whose group has access',
      [within('shop', coreRule(['create'], ['pods'])), ofGroup('system:serviceaccounts:shop')],
      ['pod-of Group:system:serviceaccounts:shop'],
    ],
    [
      'any service account, if the group of all has access',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts'], 'x')), ofGroup('system:serviceaccounts')],
      ['impersonate Group:system:serviceaccounts'],
    ],
    [
      'a service account of a namespace whose group has no access',
      [within('bank', coreRule(['create'], ['pods'])), ofGroup('system:serviceaccounts:shop')],
      [],
    ],
    [
      'a service account that can itself act as another',
      [
        within('a', coreRule(['create'], ['serviceaccounts/token'])),
        {
          name: 'link',
          subjects: [{kind: 'ServiceAccount', namespace: 'a', name: 'x'}],
          rules: [coreRule(['create'], ['pods'])],
          namespace: 'shop',
        },
        shopTool,
      ],
      ['token ServiceAccount:a/x'],
    ],
  ])('by acting as %s', (_title, grants, expected) => {
    expect(pathsOfBob(...grants)).toEqual(expected);
  });

  const create = rbacRule(['create'], ['rolebindings']);
  const edit: SeededGrant = {name: 'edit', subjects: [], rules: [coreRule(['get'], ['secrets'])]};
  const view: SeededGrant = {name: 'view', subjects: [], rules: [coreRule(['get'], ['pods'])]};
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    ['bindings, without the verb bind', [within('istio-system', create)], []],
    ['nothing, with the verb bind alone', [within('istio-system', rbacRule(['bind'], ['clusterroles']))], []],
    [
      'bindings, with the verb bind',
      [within('istio-system', create, rbacRule(['bind'], ['clusterroles'])), edit],
      ['bind'],
    ],
    [
      'bindings, with bind for a role that has access',
      [within('istio-system', create, rbacRule(['bind'], ['clusterroles'], 'edit')), edit],
      ['bind'],
    ],
    [
      'bindings, with bind for a role that has no access',
      [within('istio-system', create, rbacRule(['bind'], ['clusterroles'], 'view')), view],
      [],
    ],
    ['bindings in another namespace', [within('shop', create, rbacRule(['bind'], ['clusterroles'])), edit], []],
    [
      'bindings, with bind for Roles of the namespace',
      [within('istio-system', create, rbacRule(['bind'], ['roles']))],
      ['bind'],
    ],
    [
      'a binding that does not exist',
      [within('istio-system', rbacRule(['patch'], ['rolebindings'], 'x'), rbacRule(['bind'], ['roles']))],
      [],
    ],
    [
      'an existing binding',
      [within('istio-system', rbacRule(['patch'], ['rolebindings'], 'istiod'), rbacRule(['bind'], ['roles']))],
      ['bind'],
    ],
    ['roles, without the verb escalate', [everywhere(rbacRule(['update', 'patch'], ['clusterroles']))], []],
    ['roles that it holds', [everywhere(rbacRule(['update', 'escalate'], ['clusterroles']))], ['escalate']],
    ['roles that it does not hold', [everywhere(rbacRule(['update', 'escalate'], ['clusterroles'], 'other'))], []],
    [
      'roles of the namespace that it holds',
      [within('istio-system', rbacRule(['patch', 'escalate'], ['roles'], 'seeded'))],
      ['escalate'],
    ],
  ])('by changing %s', (_title, grants, expected) => {
    expect(pathsOfBob(...grants)).toEqual(expected);
  });
});

describe('the right to replace the CA', () => {
  const here = (...verbs: readonly string[]): SeededGrant => within('istio-system', coreRule(verbs, ['secrets']));
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    ['update', [here('update')], ['replace-secret']],
    ['delete and create', [here('delete', 'create')], ['replace-secret']],
    ['delete', [here('delete')], []],
    ['create', [here('create')], []],
    [
      'create, and delete of another Secret',
      [within('istio-system', coreRule(['delete'], ['secrets'], 'x'), coreRule(['create'], ['secrets']))],
      [],
    ],
    ['update, delete and create', [here('update', 'delete', 'create')], ['replace-secret']],
  ])('with %s', (_title, grants, expected) => {
    expect(pathsOfBob(...grants)).toEqual(expected);
  });
});

describe('expected subjects', () => {
  const unexpected = (...grants: readonly SeededGrant[]): readonly string[] =>
    unexpectedIn(accessPathsOf(rbac(...healthyGrants, ...grants), target), expectationsOf(mesh)).map(({subject}) =>
      subjectId(subject),
    );

  it('are all of those in a healthy cluster, and system:masters even without bindings', () => {
    expect(unexpected()).toEqual([]);
    expect(accessPathsOf(rbac(), target).map(({subject, kind}) => `${subjectId(subject)} ${kind}`)).toEqual([
      'Group:system:masters superuser',
    ]);
  });

  it.each<readonly [string, SeededGrant, readonly string[]]>([
    [
      'a controller with a binding that is not its default',
      {
        name: 'more',
        subjects: [{kind: 'ServiceAccount', namespace: 'kube-system', name: 'job-controller'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:kube-system/job-controller'],
    ],
    [
      'an account in a binding named like a controller, to another role',
      {
        name: 'more',
        bindingName: 'system:controller:spare',
        subjects: [{kind: 'ServiceAccount', namespace: 'kube-system', name: 'spare'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:kube-system/spare'],
    ],
    [
      'a user in the binding of a controller',
      {name: 'system:controller:job-controller', subjects: [bob], rules: [coreRule(['get'], ['secrets'])]},
      ['User:bob'],
    ],
    [
      'an account named like a revision, without its roles',
      {
        name: 'more',
        subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istiod-canary'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:istio-system/istiod-canary'],
    ],
    [
      'istiod of a revision',
      {
        name: 'istiod-clusterrole-canary-istio-system',
        subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istiod-canary'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      [],
    ],
    [
      'istiod of another namespace',
      {
        name: 'more',
        subjects: [{kind: 'ServiceAccount', namespace: 'shop', name: 'istiod'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:shop/istiod'],
    ],
    [
      'a gateway whose role grants more than its chart',
      {
        name: 'istio-eastwestgateway-sds',
        namespace: 'istio-system',
        subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-eastwestgateway-service-account'}],
        rules: [coreRule(['get', 'update'], ['secrets'])],
      },
      ['ServiceAccount:istio-system/istio-eastwestgateway-service-account'],
    ],
  ])('are not recognized by name alone: %s', (_title, grant, expected) => {
    expect(unexpected(grant)).toEqual(expected);
  });

  it.each(roleLevels)('include holders of role %s of access role, unless rights were added to it', (level) => {
    const options = {
      level,
      namespace: 'istio-system',
      clusters: [{name: 'one'}, {name: 'two'}],
      revisions: [],
      profile: 'default',
      limits: {access: true},
    };
    const manifests = accessManifests({...options, name: 'ours', subjects: [{kind: 'User', name: 'bob'}]});
    const place = {namespace: 'istio-system', clusters: options.clusters, revisions: []};
    const {roles} = readRbac(manifests as never);
    expect(roles).toHaveLength(level === 'traffic' ? 3 : 2);
    expect(new Set(roles.map((role) => accessRoleLevel(role, place)))).toEqual(new Set([level]));
    for (const role of roles) {
      const more = {verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['other']};
      expect(accessRoleLevel({...role, rules: [...role.rules, more]}, place)).toBeUndefined();
      expect(accessRoleLevel({...role, labels: {}}, place)).toBeUndefined();
    }
  });
});

describe('the command that removes a subject', () => {
  it('removes every occurrence, the last first, and tests each name', () => {
    const seeded = rbac({
      subjects: [bob, {kind: 'User', name: "it's me"}, bob],
      rules: [coreRule(['get'], ['secrets'])],
      namespace: 'istio-system',
    });
    const [one] = clusters;
    const reaches = accessPathsOf(seeded, target).filter(({subject}) => subjectId(subject) === 'User:bob');
    const fix = one && removeFix({kind: 'User', name: 'bob'}, reaches, one);
    expect(fix && textOf(fix)).toBe(
      `kubectl --context kind-cluster1 patch rolebinding -n istio-system seeded --type=json -p '[{"op":"test","path":"/subjects/2/name","value":"bob"},{"op":"remove","path":"/subjects/2"},{"op":"test","path":"/subjects/0/name","value":"bob"},{"op":"remove","path":"/subjects/0"}]'`,
    );
  });
});
