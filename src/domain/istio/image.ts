/** Which version an image says it is. */

/** The parts of a container that are read. */
export interface ImageOf {
  readonly name?: string;
  readonly image?: string;
}

/**
 * The tag of istiod's image, among the containers of its pods: `1.30.3-distroless` of
 * `registry:5000/istio/pilot:1.30.3-distroless@sha256:…`; empty where it has none. istiod's container is called `discovery`
 * (istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml).
 */
export function istiodTag(containers: readonly ImageOf[]): string {
  const {image = ''} = containers.find(({name}) => name === 'discovery') ?? containers[0] ?? {};
  const [reference = ''] = image.split('@');
  return /:([^:/]+)$/.exec(reference)?.[1] ?? '';
}
