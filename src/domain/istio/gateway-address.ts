/** The addresses of a gateway's Service for other networks, as istiod reads them. */
import type {ServiceObject} from '../kube/objects.js';

/** On a NodePort Service: the labels of the nodes that receive its traffic. Without it, istiod has no address for it. */
export const nodeSelectorAnnotation = 'traffic.istio.io/nodeSelector';

/** Stands for the addresses of the nodes that an annotation selects. */
export const nodesAddress = 'nodes';

/** The addresses of a Service that istiod uses (istio/istio pilot/pkg/serviceregistry/kube/conversion.go). */
export function addressesOf({metadata, spec = {}, status}: ServiceObject): readonly string[] {
  const own = spec.externalIPs ?? [];
  if (spec.type === 'NodePort') {
    return metadata.annotations?.[nodeSelectorAnnotation] === undefined ? own : [nodesAddress, ...own];
  }
  if (spec.type !== 'LoadBalancer') return own;
  const ingress = (status?.loadBalancer?.ingress ?? []).flatMap(({ip, hostname}) => {
    const address = ip !== undefined && ip !== '' ? ip : hostname;
    return address === undefined || address === '' ? [] : [address];
  });
  return [...ingress, ...own];
}
