/** The roles of `access role` as manifests: a ClusterRole and a Role with the same name, and bindings where subjects were named. */
import {defined} from '../defined.js';
import {Document, isMap, isSeq} from 'yaml';
import {rightsOfRole, type RoleLevel, type RoleOptions, type RoleRight} from './command-rights.js';
import {subjectId, type Subject} from '../kube/subjects.js';

const apiGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${apiGroup}/v1`;

/** On roles and bindings that `access role` printed: which role it is. */
export const roleLabel = 'kubectl-mesh/access-role';

/** A rule as RBAC writes it. */
export interface RuleManifest {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A manifest of this file. */
export interface AccessManifest {
  readonly apiVersion: string;
  readonly kind: 'ClusterRole' | 'Role' | 'ClusterRoleBinding' | 'RoleBinding';
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
  };
  readonly rules?: readonly RuleManifest[];
  readonly roleRef?: {readonly apiGroup: string; readonly kind: string; readonly name: string};
  readonly subjects?: readonly {
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly apiGroup?: string;
  }[];
}

/** What is to be printed. */
export interface ManifestOptions extends RoleOptions {
  readonly name: string;
  readonly subjects: readonly Subject[];
}

/** Rules with what each is for. */
interface ExplainedRule {
  readonly rule: RuleManifest;
  readonly why: readonly string[];
}

/** The rules of a role that count in one place. */
export function rulesFor(options: RoleOptions, where: RoleRight['where']): readonly ExplainedRule[] {
  const merged = new Map<string, {readonly right: RoleRight; readonly verbs: Set<string>; readonly why: Set<string>}>();
  for (const right of rightsOfRole(options).filter((one) => one.where === where)) {
    const key = JSON.stringify([right.group, right.resources, right.names ?? []]);
    const {verbs, why} = merged.get(key) ?? {verbs: new Set(), why: new Set()};
    for (const verb of right.verbs) verbs.add(verb);
    why.add(right.why);
    merged.set(key, {right, verbs, why});
  }
  return [...merged.values()].map(({right: {group, resources, names}, verbs, why}) => ({
    rule: defined({apiGroups: [group], resources, resourceNames: names, verbs: [...verbs]}),
    why: [...why],
  }));
}

/** The manifests, in the order in which they can be created. */
export function accessManifests(options: ManifestOptions): readonly AccessManifest[] {
  const {name, namespace, level, subjects} = options;
  const labels = {'app.kubernetes.io/managed-by': 'kubectl-mesh', [roleLabel]: level};
  const here = {name, namespace, labels};
  const rules = (where: RoleRight['where']): readonly RuleManifest[] => rulesFor(options, where).map(({rule}) => rule);
  const roleRef = (kind: string) => ({apiGroup, kind, name});
  const named = subjects.map((subject) =>
    subject.kind === 'ServiceAccount'
      ? {kind: subject.kind, name: subject.name, namespace: subject.namespace ?? ''}
      : {apiGroup, kind: subject.kind, name: subject.name},
  );
  const roles: readonly AccessManifest[] = [
    {apiVersion, kind: 'ClusterRole', metadata: {name, labels}, rules: rules('everywhere')},
    {apiVersion, kind: 'Role', metadata: here, rules: rules('Istio namespace')},
  ];
  if (named.length === 0) return roles;
  return [
    ...roles,
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: {name, labels},
      roleRef: roleRef('ClusterRole'),
      subjects: named,
    },
    {apiVersion, kind: 'RoleBinding', metadata: here, roleRef: roleRef('Role'), subjects: named},
  ];
}

/** The same as YAML, each rule with what it is for. */
export function manifestsYaml(options: ManifestOptions): string {
  const documents = accessManifests(options).map((manifest) => {
    const document = new Document(manifest);
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
