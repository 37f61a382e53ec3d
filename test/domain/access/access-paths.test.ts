import {describe, expect, it} from 'vitest';
import {accessManifests, isGivenRole} from '../../../src/domain/access/role-manifests.js';
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

/** The ways of bob, with whom he becomes. */
function waysOfBob(...grants: readonly SeededGrant[]): readonly string[] {
  return accessPathsOf(rbac(...healthyGrants, ...grants), target)
    .filter(({subject}) => subjectId(subject) === 'User:bob')
    .map(({way, via}) => [way, ...(via ? [subjectId(via)] : [])].join(' '));
}

describe('a way that leads through others', () => {
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    [
      'any user',
      [everywhere(coreRule(['impersonate'], ['users']))],
      ['impersonate User:system:kube-controller-manager'],
    ],
    ['a user who reaches nothing', [everywhere(coreRule(['impersonate'], ['users'], 'nobody'))], []],
    ['groups alone', [everywhere(coreRule(['impersonate'], ['groups']))], []],
    [
      'groups, and one user for the sake of it',
      [everywhere(coreRule(['impersonate'], ['groups']), coreRule(['impersonate'], ['users'], 'nobody'))],
      ['impersonate Group:system:masters'],
    ],
    [
      'service accounts of a namespace that reach it',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts'])), shopTool],
      ['impersonate ServiceAccount:shop/tool'],
    ],
    [
      'service accounts of a namespace that do not',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts']))],
      [],
    ],
    [
      'a token of one by name',
      [within('shop', coreRule(['create'], ['serviceaccounts/token'], 'tool')), shopTool],
      ['token ServiceAccount:shop/tool'],
    ],
    ['a token of another', [within('shop', coreRule(['create'], ['serviceaccounts/token'], 'x')), shopTool], []],
    [
      'pods beside one',
      [within('shop', coreRule(['create'], ['pods'])), shopTool],
      ['pod-of ServiceAccount:shop/tool'],
    ],
    [
      'programs in pods beside one',
      [within('shop', coreRule(['create'], ['pods/exec'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'programs in pods beside one, by GET and by name',
      [within('shop', coreRule(['get'], ['pods/exec'], 'tool-0')), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'a container beside one',
      [within('shop', coreRule(['patch'], ['pods/ephemeralcontainers'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    [
      'an image of pods beside one',
      [within('shop', coreRule(['patch'], ['pods'])), shopTool],
      ['in-pod-of ServiceAccount:shop/tool'],
    ],
    ['programs in pods of another namespace', [within('bank', coreRule(['create'], ['pods/exec'])), shopTool], []],
    ['pods that it only sees', [within('shop', coreRule(['get', 'list'], ['pods', 'pods/log'])), shopTool], []],
    [
      'a Secret that is filled with a token of one',
      [within('shop', coreRule(['create', 'get'], ['secrets'])), shopTool],
      ['token ServiceAccount:shop/tool'],
    ],
    ['Secrets beside one that it cannot read', [within('shop', coreRule(['create'], ['secrets'])), shopTool], []],
    [
      'any account of a namespace whose accounts reach it',
      [within('shop', coreRule(['create'], ['pods'])), ofGroup('system:serviceaccounts:shop')],
      ['pod-of Group:system:serviceaccounts:shop'],
    ],
    [
      'any account, where all reach it',
      [within('shop', coreRule(['impersonate'], ['serviceaccounts'], 'x')), ofGroup('system:serviceaccounts')],
      ['impersonate Group:system:serviceaccounts'],
    ],
    [
      'an account of a namespace whose accounts do not',
      [within('bank', coreRule(['create'], ['pods'])), ofGroup('system:serviceaccounts:shop')],
      [],
    ],
    [
      'somebody who becomes somebody',
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
    expect(waysOfBob(...grants)).toEqual(expected);
  });

  const create = rbacRule(['create'], ['rolebindings']);
  const edit: SeededGrant = {name: 'edit', subjects: [], rules: [coreRule(['get'], ['secrets'])]};
  const view: SeededGrant = {name: 'view', subjects: [], rules: [coreRule(['get'], ['pods'])]};
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    ['bindings alone, which binds nothing that is not held', [within('istio-system', create)], []],
    ['bind alone', [within('istio-system', rbacRule(['bind'], ['clusterroles']))], []],
    ['both', [within('istio-system', create, rbacRule(['bind'], ['clusterroles'])), edit], ['bind']],
    [
      'both, of a role that reaches',
      [within('istio-system', create, rbacRule(['bind'], ['clusterroles'], 'edit')), edit],
      ['bind'],
    ],
    [
      'both, of a role that does not',
      [within('istio-system', create, rbacRule(['bind'], ['clusterroles'], 'view')), view],
      [],
    ],
    ['both, in another namespace', [within('shop', create, rbacRule(['bind'], ['clusterroles'])), edit], []],
    ['both, of roles of the namespace', [within('istio-system', create, rbacRule(['bind'], ['roles']))], ['bind']],
    [
      'both, by another binding than one that exists',
      [within('istio-system', rbacRule(['patch'], ['rolebindings'], 'x'), rbacRule(['bind'], ['roles']))],
      [],
    ],
    [
      'both, by a binding that exists',
      [within('istio-system', rbacRule(['patch'], ['rolebindings'], 'istiod'), rbacRule(['bind'], ['roles']))],
      ['bind'],
    ],
    ['roles without escalate', [everywhere(rbacRule(['update', 'patch'], ['clusterroles']))], []],
    ['roles that it holds', [everywhere(rbacRule(['update', 'escalate'], ['clusterroles']))], ['escalate']],
    ['roles that it does not hold', [everywhere(rbacRule(['update', 'escalate'], ['clusterroles'], 'other'))], []],
    [
      'roles of the namespace that it holds',
      [within('istio-system', rbacRule(['patch', 'escalate'], ['roles'], 'seeded'))],
      ['escalate'],
    ],
  ])('by changing %s', (_title, grants, expected) => {
    expect(waysOfBob(...grants)).toEqual(expected);
  });
});

describe('a way to another CA', () => {
  const here = (...verbs: readonly string[]): SeededGrant => within('istio-system', coreRule(verbs, ['secrets']));
  it.each<readonly [string, readonly SeededGrant[], readonly string[]]>([
    ['update', [here('update')], ['replace-secret']],
    ['delete and create', [here('delete', 'create')], ['replace-secret']],
    ['delete', [here('delete')], []],
    ['create, which replaces nothing', [here('create')], []],
    [
      'create, and delete of another',
      [within('istio-system', coreRule(['delete'], ['secrets'], 'x'), coreRule(['create'], ['secrets']))],
      [],
    ],
    ['update, delete and create', [here('update', 'delete', 'create')], ['replace-secret']],
  ])('is %s', (_title, grants, expected) => {
    expect(waysOfBob(...grants)).toEqual(expected);
  });
});

describe('who is expected', () => {
  const unexpected = (...grants: readonly SeededGrant[]): readonly string[] =>
    unexpectedIn(accessPathsOf(rbac(...healthyGrants, ...grants), target), expectationsOf(mesh)).map(({subject}) =>
      subjectId(subject),
    );

  it('is everybody of a healthy cluster, and system:masters even where nothing is bound', () => {
    expect(unexpected()).toEqual([]);
    expect(accessPathsOf(rbac(), target).map(({subject, way}) => `${subjectId(subject)} ${way}`)).toEqual([
      'Group:system:masters superuser',
    ]);
  });

  it.each<readonly [string, SeededGrant, readonly string[]]>([
    [
      'a controller, by another binding than its own',
      {
        name: 'more',
        subjects: [{kind: 'ServiceAccount', namespace: 'kube-system', name: 'job-controller'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:kube-system/job-controller'],
    ],
    [
      'an account in a binding that is called like one of a controller, to another role',
      {
        name: 'more',
        bindingName: 'system:controller:spare',
        subjects: [{kind: 'ServiceAccount', namespace: 'kube-system', name: 'spare'}],
        rules: [coreRule(['get'], ['secrets'])],
      },
      ['ServiceAccount:kube-system/spare'],
    ],
    [
      'somebody in the binding of a controller',
      {name: 'system:controller:job-controller', subjects: [bob], rules: [coreRule(['get'], ['secrets'])]},
      ['User:bob'],
    ],
    [
      'an account called like a revision, without its roles',
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
      'a gateway whose role is wider than the one of its chart',
      {
        name: 'istio-eastwestgateway-sds',
        namespace: 'istio-system',
        subjects: [{kind: 'ServiceAccount', namespace: 'istio-system', name: 'istio-eastwestgateway-service-account'}],
        rules: [coreRule(['get', 'update'], ['secrets'])],
      },
      ['ServiceAccount:istio-system/istio-eastwestgateway-service-account'],
    ],
  ])('is not decided by a name: %s', (_title, grant, expected) => {
    expect(unexpected(grant)).toEqual(expected);
  });

  it.each(roleLevels)('knows the %s that access role printed, unless somebody added to it', (level) => {
    const options = {
      level,
      namespace: 'istio-system',
      revisions: [],
      profile: 'default',
      limits: {access: true},
    };
    const manifests = accessManifests({...options, name: 'ours', subjects: [{kind: 'User', name: 'bob'}]});
    const place = {namespace: 'istio-system', revisions: []};
    const {roles} = readRbac(manifests as never);
    expect(roles.map((role) => isGivenRole(role, place))).toEqual([level, level]);
    for (const role of roles) {
      const more = {verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['other']};
      expect(isGivenRole({...role, rules: [...role.rules, more]}, place)).toBeUndefined();
      expect(isGivenRole({...role, labels: {}}, place)).toBeUndefined();
    }
  });
});

describe('the command that takes somebody out', () => {
  it('removes each of its places, the last first, and tests who stands there', () => {
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
