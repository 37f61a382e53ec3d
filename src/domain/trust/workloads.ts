/** Workloads that trust istiod's roots: pods with a sidecar, and pods in ambient mode. */
import {proxyContainer} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import type {PodObject} from '../kube/objects.js';

/** The names of existing workloads: `namespace/pod`. */
export type Workloads = readonly string[];

/** The label that adds a namespace or a pod to ambient mode (istio/istio pkg/config/constants/constants.go). */
const dataplaneMode = 'istio.io/dataplane-mode';

/**
 * Returns the pods with a certificate of the mesh. The sidecar is a container or, for native sidecars, an init container.
 * Gateways that istioctl installed in istiod's namespace are left out: they restart with istiod.
 */
export function meshWorkloads(
  pods: readonly PodObject[],
  namespaces: readonly KubeObject[],
  istioNamespace: string,
): Workloads {
  const ambient = new Set(
    namespaces
      .filter(({metadata}) => metadata.labels?.[dataplaneMode] === 'ambient')
      .map(({metadata}) => metadata.name),
  );
  return pods
    .filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase ?? '') && !isOwnGateway(pod, istioNamespace))
    .filter((pod) => hasSidecar(pod) || isAmbient(pod, ambient))
    .map(({metadata}) => `${metadata.namespace ?? ''}/${metadata.name}`);
}

/**
 * Reports whether a pod is a gateway that istioctl installed in istiod's namespace, which has a component label (istio/istio
 * manifests/charts/gateways).
 */
export function isOwnGateway({metadata}: KubeObject, istioNamespace: string): boolean {
  const component = metadata.labels?.['operator.istio.io/component'] ?? '';
  return metadata.namespace === istioNamespace && component.endsWith('Gateways');
}

function hasSidecar({spec, metadata}: PodObject): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  // Proxyless gRPC has no container istio-proxy, but the injector annotates every pod that it changes.
  return (
    containers.some(({name}) => name === proxyContainer) ||
    metadata.annotations?.['sidecar.istio.io/status'] !== undefined
  );
}

function isAmbient({metadata}: PodObject, ambientNamespaces: ReadonlySet<string>): boolean {
  if (metadata.annotations?.['ambient.istio.io/redirection'] === 'enabled') return true;
  const own = metadata.labels?.[dataplaneMode];
  return own === undefined ? ambientNamespaces.has(metadata.namespace ?? '') : own === 'ambient';
}
