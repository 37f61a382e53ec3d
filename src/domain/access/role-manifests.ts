/** The roles of `access role` as manifests: a ClusterRole and a Role with the same name, and bindings where subjects were named. */
import {defined} from '../defined.js';
import {Document, isMap, isSeq} from 'yaml';
import {groupBy} from '../group-by.js';
import {noLimits} from '../facts/limits.js';
import type {ObjectMeta} from '../kube/object.js';
import {type Binding, type PolicyRule, type Role, ruleAllows} from '../kube/rbac.js';
import {rightsOfRole, type RoleLevel, roleLevels, type RoleOptions, type RoleRight} from './command-rights.js';
import {subjectId, type Subject} from '../kube/subjects.js';

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1`;

/** On roles and bindings that `access role` printed: which role it is. */
export const roleLabel = 'kubectl-mesh/access-role';

/** A rule as RBAC writes it. */
export type RuleManifest = Omit<PolicyRule, 'resourceNames'> & Partial<Pick<PolicyRule, 'resourceNames'>>;

/** A manifest of this file. */
export interface AccessManifest {
  readonly apiVersion: string;
  readonly kind: Role['kind'] | Binding['kind'];
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'labels'>;
  readonly rules?: readonly RuleManifest[];
  readonly roleRef?: {readonly apiGroup: string; readonly kind: string; readonly name: string};
  readonly subjects?: readonly (Omit<Subject, 'written'> & {readonly apiGroup?: string})[];
}

/** What is to be printed. */
export interface ManifestOptions extends RoleOptions {
  readonly name: string;
  readonly subjects: readonly Subject[];
}

/** The rules of a role that apply in one place, each with its purpose. */
function rulesFor(options: RoleOptions, where: RoleRight['where']) {
  const here = rightsOfRole(options).filter((one) => one.where === where);
  const together = groupBy(here, ({group, resources, names = []}) => JSON.stringify([group, resources, names]));
  return [...together.values()].map((rights) => {
    const {group, resources, names} = rights[0];
    const verbs = [...new Set(rights.flatMap((right) => right.verbs))];
    const rule: RuleManifest = defined({apiGroups: [group], resources, resourceNames: names, verbs});
    return {rule, why: [...new Set(rights.map(({why}) => why))]};
  });
}

/** The manifests, in the order in which they can be created. */
export function accessManifests(options: ManifestOptions): readonly AccessManifest[] {
  const {name, namespace, level, subjects} = options;
  const labels = {'app.kubernetes.io/managed-by': 'kubectl-mesh', [roleLabel]: level};
  const places = [
    {kind: 'ClusterRole', where: 'everywhere', metadata: {name, labels}},
    {kind: 'Role', where: 'Istio namespace', metadata: {name, namespace, labels}},
  ] as const;
  const named = subjects.map((subject) =>
    subject.kind === 'ServiceAccount'
      ? {kind: subject.kind, name: subject.name, namespace: subject.namespace ?? ''}
      : {apiGroup, kind: subject.kind, name: subject.name},
  );
  const bindings = places.map(({kind, metadata}): AccessManifest => {
    return {apiVersion, kind: `${kind}Binding`, metadata, roleRef: {apiGroup, kind, name}, subjects: named};
  });
  return [
    ...places.map(({kind, where, metadata}) => {
      return {apiVersion, kind, metadata, rules: rulesFor(options, where).map(({rule}) => rule)};
    }),
    ...(named.length === 0 ? [] : bindings),
  ];
}

/**
 * Which role of ours one is that was found in a cluster; undefined where it is none, or has rights that ours have not: a
 * label alone says nothing.
 */
export function isGivenRole(
  role: Role,
  place: Pick<RoleOptions, 'namespace' | 'revisions' | 'signerSecret'>,
): RoleLevel | undefined {
  const level = roleLevels.find((one) => one === role.labels[roleLabel]);
  if (level === undefined) return undefined;
  // Every name that a role of ours may have.
  const options = {...place, profile: 'ambient', level, limits: noLimits};
  const ours = rulesFor(options, role.kind === 'Role' ? 'Istio namespace' : 'everywhere').map(({rule}) => ({
    resourceNames: [],
    ...rule,
  }));
  return role.rules.every((rule) => isContained(rule, ours)) ? level : undefined;
}

/** Whether everything that a rule allows is allowed by the others. */
function isContained(rule: PolicyRule, others: readonly PolicyRule[]): boolean {
  const names = rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames;
  return rule.verbs.every((verb) =>
    rule.apiGroups.every((group) =>
      rule.resources.every((resource) =>
        names.every((name) => others.some((other) => ruleAllows(other, defined({verb, group, resource, name})))),
      ),
    ),
  );
}

/** The same as YAML, each rule with what it is for. */
export function manifestsYaml(options: ManifestOptions): string {
  const documents = accessManifests(options).map((manifest) => {
    const document = new Document(manifest, {aliasDuplicateObjects: false});
    const rules = document.get('rules');
    if (isSeq(rules)) {
      const explained = rulesFor(options, manifest.kind === 'Role' ? 'Istio namespace' : 'everywhere');
      for (const [index, item] of rules.items.entries()) {
        if (!isMap(item)) continue;
        item.commentBefore = explained[index]?.why.map((line) => ` ${line}`).join('\n') ?? null;
        for (const {value} of item.items) if (isSeq(value)) value.flow = true;
      }
    }
    return document.toString({lineWidth: 0}).trimEnd();
  });
  const head = headOf(options).map((line) => `# ${line}`.trimEnd());
  return [head.join('\n'), documents.join('\n---\n')].join('\n');
}

const purposes: Readonly<Record<RoleLevel, readonly string[]>> = {
  reader: ['For verify, trust diff, journal verify, certs list --live and certs adopt. It changes nothing.'],
  operator: [
    'For trust push, trust rollback and everything that a reader does. istioctl needs more: --role installer.',
  ],
  installer: [
    'For install apply, up and everything that an operator does. istioctl creates ClusterRoles with more rights than this role',
    'has, so it needs escalate and bind on those names: whoever holds this role can become whatever they want through them.',
    'Grant it where somebody installs Istio with this program, and for as long as that takes.',
  ],
};

/** What has to be known before these are granted. */
function headOf(options: ManifestOptions): readonly string[] {
  const {level, limits, namespace, subjects} = options;
  const reads = rightsOfRole(options).some(({resources}) => resources.includes('secrets'));
  return [
    `The least rights for kubectl mesh, role ${level}.`,
    ...purposes[level],
    '',
    ...(reads
      ? [
          `It reads the CA key: a right to get Secret ${namespace}/cacerts cannot leave the key out.`,
          ...(level === 'reader' ? ['Without Secrets, for verify --no-secrets: add --no-secrets.'] : []),
        ]
      : ['It reads no Secret: verify needs --no-secrets.']),
    ...(limits.access === true
      ? [
          `It lists the Secrets of ${namespace}, to find remote secrets (a list cannot be restricted by label): with that come`,
          'the CA key, every remote secret, which is a token for another cluster, and the keys of gateways. Only access show and',
          'verify --access need it: leave --access away to do without.',
        ]
      : []),
    `Namespace ${namespace} has to exist: kubectl create namespace ${namespace}`,
    ...(subjects.length === 0
      ? ['Nobody is bound to it: add --subject User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME.']
      : [`Bound to it: ${subjects.map(subjectId).join(', ')}`]),
  ];
}
