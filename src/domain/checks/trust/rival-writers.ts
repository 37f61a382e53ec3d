/** Control planes of other namespaces that write the same trust bundles as those of Istio's own namespace. */
import type {ControlPlaneFacts, NamespaceFacts, OtherControlPlane} from '../../facts/facts.js';
import {inspectWith, type Suggestion, words} from '../../suggest/suggestion.js';
import type {ClusterSubject} from '../check.js';
import {namespacesWithBundle} from './bundle-namespaces.js';

/** Another control plane, and the namespaces into which both write the same ConfigMap. */
export interface RivalWriter {
  readonly other: OtherControlPlane;
  readonly shared: readonly string[];
}

/** The other control planes that write into at least one namespace of ours. */
export function rivalWriters(
  namespaces: readonly NamespaceFacts[],
  controlPlanes: readonly ControlPlaneFacts[],
  others: readonly OtherControlPlane[],
): readonly RivalWriter[] {
  const names = new Set(controlPlanes.flatMap(({bundleName}) => bundleName ?? []));
  const own = namespacesWithBundle(namespaces, controlPlanes);
  return others
    .filter(({bundleName}) => bundleName !== undefined && names.has(bundleName))
    .map((other) => {
      const theirs = new Set(namespacesWithBundle(namespaces, [other]));
      return {other, shared: own.filter((namespace) => theirs.has(namespace))};
    })
    .filter(({shared}) => shared.length > 0);
}

/** Shows the other control plane. Whether it is removed or serves other namespaces is the decision of its owner. */
export function showRival({other: {namespace}}: RivalWriter, {cluster}: ClusterSubject): Suggestion {
  return inspectWith.kubectl(cluster, words`-n ${namespace} get deployments,pods,configmaps --show-labels`);
}
