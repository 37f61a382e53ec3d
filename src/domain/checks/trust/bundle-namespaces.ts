import {hasFeature} from '../../istio/features.js';
import {selects} from '../../kube/objects.js';
import type {ControlPlaneFacts, NamespaceFacts} from '../../facts/facts.js';

/** Namespaces into which istiod never writes its bundle (istio/istio pkg/kube/inject/initializer.go). */
const ignored: readonly string[] = ['kube-public', 'kube-node-lease', 'local-path-storage'];

/**
 * The namespaces that must have the trust bundle: those that every control plane discovers, except ignored and terminating
 * ones. kube-system is included from Istio 1.21 on.
 */
export function namespacesWithBundle(
  namespaces: readonly NamespaceFacts[],
  controlPlanes: readonly Pick<ControlPlaneFacts, 'version' | 'discoverySelectors'>[],
): readonly string[] {
  const inKubeSystem = controlPlanes.every(({version}) => hasFeature(version, 'rootCertInKubeSystem'));
  return namespaces
    .filter(
      ({name, terminating}) => !terminating && !ignored.includes(name) && (name !== 'kube-system' || inKubeSystem),
    )
    .filter(({labels}) => controlPlanes.every((one) => isDiscovered(labels, one)))
    .map(({name}) => name)
    .sort();
}

/**
 * Whether a control plane serves a namespace with these labels. Without selectors it serves all; of several, one has to match
 * (istio.io: meshConfig.discoverySelectors).
 */
export function isDiscovered(
  labels: NamespaceFacts['labels'],
  {discoverySelectors}: Pick<ControlPlaneFacts, 'discoverySelectors'>,
): boolean {
  return discoverySelectors.length === 0 || discoverySelectors.some((one) => selects(one, labels));
}
