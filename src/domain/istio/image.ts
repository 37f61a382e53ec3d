/** Finds istiod's container in its pods, and the tag of its image. */

/**
 * Returns istiod's container: policies may inject others, even before it. It is named `discovery` (istio/istio
 * manifests/charts/istio-control/istio-discovery/templates/deployment.yaml); if there is none, the first is returned.
 */
export function istiodContainer<Container extends {readonly name?: string}>(
  containers: readonly Container[],
): Container | undefined {
  return containers.find(({name}) => name === 'discovery') ?? containers[0];
}

/**
 * Returns the tag of istiod's image, given the containers of its pods: `1.30.3-distroless` for
 * `registry:5000/istio/pilot:1.30.3-distroless@sha256:…`. Empty if the image has no tag.
 */
export function istiodTag(containers: readonly {readonly name?: string; readonly image?: string}[]): string {
  const {image = ''} = istiodContainer(containers) ?? {};
  const [reference = ''] = image.split('@');
  return /:([^:/]+)$/.exec(reference)?.[1] ?? '';
}
