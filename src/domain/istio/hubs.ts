/** Image hubs: the registries, with a path, that Istio's images are pulled from. */
import {factFor, since} from './since.js';
import {type IstioVersion, parseVersion} from './version.js';

/** The hub that stays available and has the images of every release. */
export const lastingHub = 'docker.io/istio';

/** istioctl's default hub. Builds set it; in source code, charts have a hub of development builds. */
const defaultHubs = [
  since('1.6', lastingHub, 'istio.io: blog/2020/docker-rate-limit'),
  since('1.30', 'registry.istio.io/release', 'releasenotes/notes/use-registry-istio-io.yaml'),
  since('1.31', lastingHub, 'istio.io: news/releases/1.31.x/announcing-1.31/upgrade-notes'),
] as const;

/** The hubs that are shut down, without their paths below. */
const retiredHubs = ['registry.istio.io', 'gcr.io/istio-release'] as const;

/**
 * When the retired hubs are shut down, for messages, the first Istio version whose images they do not have, and the
 * announcement. The last of the announced test outages is from 8 to 9 December 2026, 15:00 UTC.
 */
export const retirement = {
  when: 'December 2026',
  withoutImagesOf: '1.31',
  source:
    'istio/istio#61467; istio.io: news/releases/1.31.x/announcing-1.31/upgrade-notes (Deprecation of GCP infrastructure and hosting)',
} as const;

/** Reports whether a hub is shut down ({@link retirement}). */
export function isRetired(hub: string): boolean {
  return retiredHubs.some((retired) => hub === retired || hub.startsWith(`${retired}/`));
}

/** The variants of a release's images (tools/docker-builder/types.go). */
const variants: readonly (string | undefined)[] = [undefined, 'distroless', 'debug'];

/**
 * Returns the hub to declare where istioctl's default is a retired one; undefined if the default can be used. `tag`: the
 * declared one. For a version or tag that is not an Istio release, istioctl's default stays: the images may exist only there.
 */
export function replacementHub(version: IstioVersion, tag?: string): string | undefined {
  const isRelease = [version, tag === undefined ? version : parseVersion(tag)].every(
    (one) => one !== undefined && variants.includes(one.suffix),
  );
  return isRelease && isRetired(factFor(defaultHubs, version).value) ? lastingHub : undefined;
}

/**
 * Returns an image's hub: `registry:5000/istio` for `registry:5000/istio/pilot:1.30.3`. An image without a registry's host is
 * on Docker Hub (github.com/distribution/reference normalize.go). Undefined for an image without a hub, such as `auto`, which
 * the injector replaces.
 */
export function hubOf(image: string): string | undefined {
  const [reference = ''] = image.split('@');
  const at = reference.lastIndexOf('/');
  if (at === -1) return undefined;
  return withHost(reference.slice(0, at));
}

/** Returns a hub with its registry's host. */
export function withHost(hub: string): string {
  const [host = ''] = hub.split('/');
  return /[.:]/.test(host) || host === 'localhost' ? hub : `docker.io/${hub}`;
}
