/** Rights as the rules of a Role or ClusterRole. */
import type {Right} from '../../../src/domain/facts/rights.js';

/** The rules for the rights of one place. */
export function rulesOf(rights: readonly Right[], where: Right['where']): readonly object[] {
  return rights
    .filter((right) => right.where === where)
    .map(({verb, group, resource, name}) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [verb],
      ...(name !== undefined && {resourceNames: [name]}),
    }));
}
