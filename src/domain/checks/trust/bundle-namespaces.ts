import {hasFeature} from '../../istio/features.js';
import {selects} from '../../kube/objects.js';
import type {ControlPlaneFacts, NamespaceFacts} from '../../facts/facts.js';

/** Namespaces that istiod never writes its bundle into (istio/istio pkg/kube/inject/initializer.go). */
const ignored: readonly string[] = ['kube-public', 'kube-node-lease', 'local-path-storage'];

/**
 * The namespaces that must have the trust bundle: those that every control plane discovers, without the ones istiod
 * leaves out and those that are being deleted. kube-system counts from Istio 1.21 on.
 */
export function namespacesWithBundle(
  namespaces: readonly NamespaceFacts[],
  controlPlanes: readonly ControlPlaneFacts[],
): readonly string[] {
  const inKubeSystem = controlPlanes.every(({version}) => hasFeature(version, 'rootCertInKubeSystem'));
  return (
    namespaces
      .filter(
        ({name, terminating}) => !terminating && !ignored.includes(name) && (name !== 'kube-system' || inKubeSystem),
      )
      // No selector discovers everything; of several, one is enough (istio.io: meshConfig.discoverySelectors).
      .filter(({labels}) =>
        controlPlanes.every(({discoverySelectors: all}) => all.length === 0 || all.some((one) => selects(one, labels))),
      )
      .map(({name}) => name)
      .sort()
  );
}
