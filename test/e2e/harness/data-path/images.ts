/** What stands in for a container image: the program that it runs by default, and the files that it brings. */
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ControlPlanes} from '../control-planes.js';
import {istioSource} from '../istio-source.js';
import type {Bind} from './pod-sandbox.js';

/** An image by its name, whatever its registry and tag. */
interface Image {
  readonly name: RegExp;
  /** Its entrypoint; a container's `command` replaces it. */
  readonly entrypoint: readonly [string, ...string[]];
}

/** The images that pods of the tests can name. */
export const echoImage = 'harness/echo';
export const clientImage = 'harness/client';

const images: readonly Image[] = [
  // Paths as in istio:pilot/docker/Dockerfile.proxyv2.
  {name: /(^|\/)proxyv2(:|@|$)/, entrypoint: ['/usr/local/bin/pilot-agent']},
  // Path as in kubernetes:test/images/agnhost/Dockerfile.
  {name: /(^|\/)agnhost(:|@|$)/, entrypoint: ['/agnhost']},
  {name: new RegExp(`^${echoImage}$`), entrypoint: ['node', '/opt/harness/echo.mjs']},
  {name: new RegExp(`^${clientImage}$`), entrypoint: ['sleep', 'infinity']},
];

/** Entrypoint of an image; undefined when nothing here stands in for it. */
export function entrypointOf(image: string): Image['entrypoint'] | undefined {
  return images.find(({name}) => name.test(image))?.entrypoint;
}

/** The files of all images, which every pod gets. */
export async function imageFiles(planes: ControlPlanes, envoy: string): Promise<readonly Bind[]> {
  const istio = await istioSource(planes);
  const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const files: Readonly<Record<string, string>> = {
    '/usr/local/bin/node': process.execPath,
    '/usr/local/bin/envoy': envoy,
    '/usr/local/bin/pilot-agent': planes.path('pilot-agent'),
    '/agnhost': planes.path('agnhost'),
    '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json': join(istio, 'tools/packaging/common/envoy_bootstrap.json'),
    '/opt/harness/echo.mjs': script('echo.mjs'),
    '/opt/harness/load.mjs': script('load.mjs'),
    '/opt/harness/watch.mjs': script('watch.mjs'),
  };
  return Object.entries(files).map(([target, source]) => ({source, target, kind: 'file'}));
}
