/** The part of MESH302 about namespaces that Istio injects, although meshConfig.discoverySelectors exclude them. */
import {some} from '../../format.js';
import type {ControlPlaneFacts} from '../../facts/facts.js';
import {ofRevision} from '../../istio/names.js';
import {fixWith, inspectWith, type Suggestion, words} from '../../suggest/suggestion.js';
import type {ClusterSubject, Finding} from '../check.js';
import {isDiscovered} from './bundle-namespaces.js';
import type {InjectedNamespace} from './injected-namespaces.js';

/** What an excluded namespace has: no ConfigMap, one that differs from the pushed bundle, or an equal one. */
export type BundleState = 'missing' | 'different' | 'equal';

/**
 * Findings about injected namespaces that not every control plane serves; only one of them writes the bundles. An equal bundle is
 * a finding only if the control plane that injects the namespace excludes it: istiod then knows none of its pods, and does not
 * update the bundle.
 */
export function undiscoveredFindings(
  injected: readonly InjectedNamespace[],
  controlPlanes: readonly ControlPlaneFacts[],
  stateOf: (namespace: string) => BundleState,
  subject: ClusterSubject,
): readonly Finding[] {
  const excluded = injected
    .filter(({namespace}) => !controlPlanes.every((one) => isDiscovered(namespace.labels, one)))
    .filter(({namespace, by}) => stateOf(namespace.name) !== 'equal' || !isDiscovered(namespace.labels, by));
  return (['missing', 'different', 'equal'] as const).flatMap((state): readonly Finding[] => {
    const affected = excluded.filter(({namespace}) => stateOf(namespace.name) === state);
    if (affected.length === 0) return [];
    const names = some(affected.map(({namespace}) => namespace.name));
    return [
      {
        severity: state === 'equal' ? 'warning' : 'error',
        observed: `${descriptions[state]} ${names}: injected, but excluded by meshConfig.discoverySelectors`,
        expected: 'every injected namespace is in meshConfig.discoverySelectors',
        fix: selectFix(affected, controlPlanes, subject),
        // What istiod itself has loaded shows in the namespaces that it serves.
        implies: [],
      },
    ];
  });
}

const descriptions: Readonly<Record<BundleState, string>> = {
  missing: 'no bundle, without which no pod starts, in',
  different: 'a bundle that istiod no longer updates, different from the pushed one, in',
  equal: 'a bundle that istiod no longer updates in',
};

/** Labels the namespaces as a selector requires, or shows the selectors where labels that are missing would not be enough. */
function selectFix(
  affected: readonly InjectedNamespace[],
  controlPlanes: readonly ControlPlaneFacts[],
  {cluster, mesh}: ClusterSubject,
): Suggestion {
  const names = affected.map(({namespace}) => namespace.name);
  const candidates = controlPlanes.flatMap(({discoverySelectors}) => discoverySelectors);
  const labels = candidates
    .map(({matchLabels = {}}) => matchLabels)
    .find((added) =>
      affected.every(
        ({namespace}) =>
          // A different value of an existing label may mean something else to its owner.
          Object.entries(added).every(([key, value]) => (namespace.labels[key] ?? value) === value) &&
          controlPlanes.every((one) => isDiscovered({...namespace.labels, ...added}, one)),
      ),
    );
  if (labels) {
    const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    return fixWith.kubectl(cluster, words`label namespace ${names} ${pairs}`);
  }
  const configs = new Set(affected.map(({by}) => ofRevision('istio', by.revision)));
  return inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} get configmap ${[...configs]} -o yaml`);
}
