/** Facts about image hubs. */

/** A hub that something pulls images from. */
export interface UsedHub {
  /** With its registry's host: `docker.io/istio`. */
  readonly hub: string;
  /** `istiod`, `pod ztunnel-7d9c`, `ConfigMap istio-sidecar-injector`. */
  readonly usedBy: string;
  /** The Deployment whose pods got the image from the injector, if they did: they keep it until they are replaced. */
  readonly injectedInto?: string;
}
