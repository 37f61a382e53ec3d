/** Roles that `access role` printed, as they are found in a cluster. */
import {defined} from '../defined.js';
import {type RoleLevel, roleLevels, type RoleOptions} from './command-rights.js';
import {everything} from '../facts/limits.js';
import {ruleAllows, type PolicyRule, type Role} from '../kube/rbac.js';
import {roleLabel, rulesFor} from './role-manifests.js';

/**
 * Which role of ours this is; undefined where it is none, or has rights that ours have not: a label alone says nothing.
 */
export function isGivenRole(
  role: Role,
  place: Pick<RoleOptions, 'namespace' | 'revisions' | 'signerSecret'>,
): RoleLevel | undefined {
  const level = roleLevels.find((one) => one === role.labels[roleLabel]);
  if (level === undefined) return undefined;
  // Every name that a role of ours may have.
  const options = {...place, profile: 'ambient', level, limits: everything};
  const ours = rulesFor(options, role.kind === 'Role' ? 'Istio namespace' : 'everywhere').map(({rule}): PolicyRule => ({
    ...rule,
    resourceNames: rule.resourceNames ?? [],
  }));
  return role.rules.every((rule) => isContained(rule, ours)) ? level : undefined;
}

/** Whether everything that a rule allows is allowed by the others. */
function isContained(rule: PolicyRule, others: readonly PolicyRule[]): boolean {
  const names: readonly (string | undefined)[] = rule.resourceNames.length === 0 ? [undefined] : rule.resourceNames;
  return rule.verbs.every((verb) =>
    rule.apiGroups.every((group) =>
      rule.resources.every((resource) =>
        names.every((name) => others.some((other) => ruleAllows(other, defined({verb, group, resource, name})))),
      ),
    ),
  );
}
