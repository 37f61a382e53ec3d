/** Workloads that trust what istiod distributed: pods with a sidecar, and pods in ambient mode. */
import type {KubeObject} from '../kube/object.js';
import type {PodObject} from '../kube/objects.js';

/** Names of the workloads that exist: `namespace/pod`. */
export type Workloads = readonly string[];

/** The label that puts a namespace or a pod into ambient mode (istio/istio pkg/config/constants/constants.go). */
const dataplaneMode = 'istio.io/dataplane-mode';

/**
 * Pods that hold a certificate of the mesh. The sidecar is a container, or an init container where Kubernetes restarts
 * it (native sidecars). Gateways that istioctl installed beside istiod are left out: they restart with it.
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
 * Whether a pod is a gateway that istioctl installed beside istiod: it labels them with the component they are (istio/istio
 * manifests/charts/gateways).
 */
export function isOwnGateway({metadata}: KubeObject, istioNamespace: string): boolean {
  const component = metadata.labels?.['operator.istio.io/component'] ?? '';
  return metadata.namespace === istioNamespace && component.endsWith('Gateways');
}

function hasSidecar({spec, metadata}: PodObject): boolean {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  // Proxyless gRPC has no istio-proxy, but the injector marks every pod it changed.
  return (
    containers.some(({name}) => name === 'istio-proxy') ||
    metadata.annotations?.['sidecar.istio.io/status'] !== undefined
  );
}

function isAmbient({metadata}: PodObject, ambientNamespaces: ReadonlySet<string>): boolean {
  if (metadata.annotations?.['ambient.istio.io/redirection'] === 'enabled') return true;
  const own = metadata.labels?.[dataplaneMode];
  return own === undefined ? ambientNamespaces.has(metadata.namespace ?? '') : own === 'ambient';
}
