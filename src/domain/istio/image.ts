/** istiod among the containers of its pods, and which version its image says it is. */

/**
 * The container of istiod: policies put others beside it, some of them first. It is called `discovery`
 * (istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml); where none is, the first.
 */
export function istiodContainer<Container extends {readonly name?: string}>(
  containers: readonly Container[],
): Container | undefined {
  return containers.find(({name}) => name === 'discovery') ?? containers[0];
}

/**
 * The tag of istiod's image, among the containers of its pods: `1.30.3-distroless` of
 * `registry:5000/istio/pilot:1.30.3-distroless@sha256:…`; empty where it has none.
 */
export function istiodTag(containers: readonly {readonly name?: string; readonly image?: string}[]): string {
  const {image = ''} = istiodContainer(containers) ?? {};
  const [reference = ''] = image.split('@');
  return /:([^:/]+)$/.exec(reference)?.[1] ?? '';
}
