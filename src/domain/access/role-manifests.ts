/** The roles of `access role` as manifests: a ClusterRole and a Role of the same name, and bindings for the given subjects. */
import {defined} from '../defined.js';
import {Document, isMap, isSeq} from 'yaml';
import {groupBy} from '../group-by.js';
import {noLimits} from '../facts/limits.js';
import {cacertsName} from '../istio/names.js';
import type {ObjectMeta} from '../kube/object.js';
import {type Binding, type PolicyRule, type Role, ruleAllows} from '../kube/rbac.js';
import {
  rightsOfRole,
  type RoleLevel,
  roleLevels,
  type RoleOptions,
  type RoleRight,
  worksWithoutSecrets,
} from './command-rights.js';
import {subjectId, type Subject} from '../kube/subjects.js';
import {keepLabel, trafficNamespace} from '../traffic/names.js';
import {namespaceLabels} from '../traffic/namespace-labels.js';
import {trafficNamespaceObject} from '../traffic/objects.js';

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1`;

/** The label on roles and bindings from `access role`; its value is the role level. */
export const roleLabel = 'kubectl-mesh/access-role';

/** A rule in an RBAC manifest. */
export type RuleManifest = Omit<PolicyRule, 'resourceNames'> & Partial<Pick<PolicyRule, 'resourceNames'>>;

/** A manifest that `access role` prints. */
export interface AccessManifest {
  readonly apiVersion: string;
  readonly kind: Role['kind'] | Binding['kind'] | 'Namespace';
  readonly metadata: Pick<ObjectMeta, 'name' | 'namespace' | 'labels'>;
  readonly rules?: readonly RuleManifest[];
  readonly roleRef?: {readonly apiGroup: string; readonly kind: string; readonly name: string};
  readonly subjects?: readonly (Omit<Subject, 'written'> & {readonly apiGroup?: string})[];
}

/** The options of `access role`. */
export interface ManifestOptions extends RoleOptions {
  readonly name: string;
  readonly subjects: readonly Subject[];
}

/** The rules of a role in one scope, each with its purposes. */
function rulesFor(options: RoleOptions, where: RoleRight['where']) {
  const rights = rightsOfRole(options).filter((one) => one.where === where);
  const groups = groupBy(rights, ({group, resources, names = []}) => JSON.stringify([group, resources, names]));
  return [...groups.values()].map((same) => {
    const {group, resources, names} = same[0];
    const verbs = [...new Set(same.flatMap((right) => right.verbs))];
    const rule: RuleManifest = defined({apiGroups: [group], resources, resourceNames: names, verbs});
    return {rule, why: [...new Set(same.map(({why}) => why))]};
  });
}

/** The manifests, in creation order. */
export function accessManifests(options: ManifestOptions): readonly AccessManifest[] {
  const {name, namespace, level, subjects} = options;
  const labels = {'app.kubernetes.io/managed-by': 'kubectl-mesh', [roleLabel]: level};
  const sendsRequests = level === 'traffic';
  const places: readonly Place[] = [
    {kind: 'ClusterRole', where: 'everywhere', metadata: {name, labels}},
    {kind: 'Role', where: 'Istio namespace', metadata: {name, namespace, labels}},
    ...(sendsRequests
      ? [{kind: 'Role', where: 'traffic namespace', metadata: {name, namespace: trafficNamespace, labels}} as const]
      : []),
  ];
  const named = subjects.map((subject) =>
    subject.kind === 'ServiceAccount'
      ? {kind: subject.kind, name: subject.name, namespace: subject.namespace ?? ''}
      : {apiGroup, kind: subject.kind, name: subject.name},
  );
  const bindings = places.map(({kind, metadata}): AccessManifest => {
    return {apiVersion, kind: `${kind}Binding`, metadata, roleRef: {apiGroup, kind, name}, subjects: named};
  });
  return [
    ...(sendsRequests ? [keptNamespace(options)] : []),
    ...places.map(({kind, where, metadata}) => {
      return {apiVersion, kind, metadata, rules: rulesFor(options, where).map(({rule}) => rule)};
    }),
    ...(named.length === 0 ? [] : bindings),
  ];
}

/** A role to print. */
interface Place {
  readonly kind: Role['kind'];
  readonly where: RoleRight['where'];
  readonly metadata: AccessManifest['metadata'];
}

/** The namespace of verify --traffic: with this role, only the objects in it can be created and removed. */
function keptNamespace({profile, revisions}: ManifestOptions): AccessManifest {
  const istio = {namespace: '', profile, ...(revisions.length > 0 && {revisions})};
  const {metadata} = trafficNamespaceObject({namespaceLabels: {...namespaceLabels({istio}, []), [keepLabel]: 'true'}});
  return {apiVersion: 'v1', kind: 'Namespace', metadata};
}

/** Where the rules of a Role or ClusterRole apply. */
function whereOf(kind: AccessManifest['kind'], namespace: string | undefined): RoleRight['where'] {
  if (kind !== 'Role') return 'everywhere';
  return namespace === trafficNamespace ? 'traffic namespace' : 'Istio namespace';
}

/**
 * The level of a role in a cluster that `access role` printed; undefined for other roles, and for a role with further
 * rights, whatever its label says.
 */
export function accessRoleLevel(
  role: Role,
  settings: Pick<RoleOptions, 'namespace' | 'clusters' | 'revisions' | 'signerSecret'>,
): RoleLevel | undefined {
  const level = roleLevels.find((one) => one === role.labels[roleLabel]);
  if (level === undefined) return undefined;
  // The options that grant the most.
  const options = {...settings, profile: 'ambient', level, limits: noLimits};
  const allowed = rulesFor(options, whereOf(role.kind, role.namespace)).map(({rule}) => ({
    resourceNames: [],
    ...rule,
  }));
  return role.rules.every((rule) => isContained(rule, allowed)) ? level : undefined;
}

/** Whether other rules allow everything that a rule allows. */
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

/** The manifests as YAML, each rule with its purposes as comments. */
export function manifestsYaml(options: ManifestOptions): string {
  const documents = accessManifests(options).map((manifest) => {
    const document = new Document(manifest, {aliasDuplicateObjects: false});
    const rules = document.get('rules');
    if (isSeq(rules)) {
      const commented = rulesFor(options, whereOf(manifest.kind, manifest.metadata.namespace));
      for (const [index, item] of rules.items.entries()) {
        if (!isMap(item)) continue;
        item.commentBefore = commented[index]?.why.map((line) => ` ${line}`).join('\n') ?? null;
        for (const {value} of item.items) if (isSeq(value)) value.flow = true;
      }
    }
    return document.toString({lineWidth: 0}).trimEnd();
  });
  const header = headerOf(options).map((line) => `# ${line}`.trimEnd());
  return [header.join('\n'), documents.join('\n---\n')].join('\n');
}

const purposes: Readonly<Record<RoleLevel, readonly string[]>> = {
  reader: ['For verify, trust diff, journal verify, certs list --live and certs adopt. It is read-only.'],
  renewer: [
    'For link --renew-only, as the CronJob of link --cron-manifest runs it. It creates and deletes nothing.',
    'Its subjects can read the remote secrets, which contain tokens of other clusters.',
  ],
  traffic: [
    'For verify --traffic, and everything that reader allows. Its namespace stays: only the objects in it are created and removed.',
    'Its subjects can create any pod there, also a privileged one, which can take over its node, unless admission prevents that: with',
    'Istio CNI, label the namespace pod-security.kubernetes.io/enforce=baseline.',
  ],
  operator: [
    'For trust push, trust rollback, trust rotate, link and unlink, and everything that reader allows. To install Istio, use --role installer.',
  ],
  installer: [
    'For install apply and up, and everything that operator allows. istioctl creates ClusterRoles with permissions that this',
    'role does not have, so it requires escalate and bind on those names. With these, its subjects can gain any permission.',
    'Grant it only to subjects that install Istio with kubectl mesh, and only while they do.',
  ],
};

/** The comment at the top: the purpose and the risks of the role. */
function headerOf(options: ManifestOptions): readonly string[] {
  const {level, limits, namespace, subjects} = options;
  const onSecrets = rightsOfRole(options).filter(({resources}) => resources.includes('secrets'));
  const readsSecrets = onSecrets.length > 0;
  const readsKey = onSecrets.some(({names}) => names?.includes(cacertsName));
  return [
    `Least-privilege RBAC for kubectl mesh, role ${level}.`,
    ...(readsSecrets || level !== 'reader' ? purposes[level] : ['For verify --no-secrets only. It is read-only.']),
    '',
    ...(readsKey
      ? [
          `It can read the CA key: permission to get Secret ${namespace}/cacerts includes the key.`,
          ...(worksWithoutSecrets(level)
            ? ['To omit this permission (for verify --no-secrets), use --no-secrets.']
            : []),
        ]
      : readsSecrets
        ? [`It cannot read the CA key in Secret ${namespace}/cacerts.`]
        : ['It cannot read Secrets: trust diff, journal verify, certs list --live and certs adopt require them.']),
    ...(rightsOfRole(options).some(({resources}) => resources.includes('pods/portforward'))
      ? [`It can connect to the pods of ${namespace} (create pods/portforward).`]
      : []),
    ...(limits.access === true
      ? [
          `It can list the Secrets of ${namespace}, to find remote secrets (RBAC cannot restrict a list by label). That includes`,
          'the CA key, every remote secret (a token for another cluster) and the keys of gateways. Only access show and',
          'verify --access require this permission: to omit it, do not use --access.',
        ]
      : []),
    `Namespace ${namespace} must exist: kubectl create namespace ${namespace}`,
    ...(subjects.length === 0
      ? ['No subject is bound to it: add --subject User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME.']
      : [`Bound to it: ${subjects.map(subjectId).join(', ')}`]),
  ];
}
