/** Waiting for something to change in the clusters, instead of asking again and again. */
import {setTimeout as sleep} from 'node:timers/promises';
import {asMeshError} from '../../domain/errors.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import type {Deps} from '../../engine/deps.js';
import type {KubeApi} from '../../tools/kubectl/api.js';

/** What a mesh on its way to green changes, in Istio's namespace. */
const watched = [
  {apiVersion: 'v1', kind: 'Pod'},
  {apiVersion: 'v1', kind: 'ConfigMap'},
  {apiVersion: 'apps/v1', kind: 'Deployment'},
] as const;
/** Changes come in bursts: a pod's containers, a ConfigMap in each namespace. */
const settleMs = 300;
/** What no watch shows: files, Secrets, namespaces, what istiod serves, a cluster that comes back. */
const atMostMs = 5000;

/**
 * Returns soon after something changed in Istio's namespace of one of the clusters, and after five seconds in any case.
 * A cluster that cannot be watched is only waited for. Throws what the run was aborted with.
 */
export async function nextChange(deps: Deps, clusters: readonly MeshCluster[], namespace: string): Promise<void> {
  const enough = new AbortController();
  const signal = AbortSignal.any([enough.signal, deps.signal]);
  const watches = clusters.flatMap(({context}) =>
    context === undefined ? [] : watched.map((kind) => firstEvent(deps, context, kind, namespace, signal)),
  );
  const timer = sleep(atMostMs, undefined, {signal}).catch(() => undefined);
  try {
    await Promise.race([timer, ...watches]);
    deps.signal.throwIfAborted();
    await sleep(settleMs, undefined, {signal: deps.signal}).catch(() => {
      deps.signal.throwIfAborted();
    });
  } finally {
    enough.abort();
    await Promise.allSettled([timer, ...watches]);
  }
}

/** Resolves at the first event; never when there is none or watching is refused. */
async function firstEvent(
  deps: Deps,
  context: string,
  kind: (typeof watched)[number],
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const api = await deps.clusters.open(context);
    const resourceVersion = await currentVersion(api, kind, namespace);
    for await (const event of api.watch(kind, {namespace, resourceVersion, signal})) {
      if (isNews(event.object.metadata.name)) return;
    }
  } catch (thrown) {
    if (asMeshError(thrown).class === 'bug' && !signal.aborted) throw thrown;
  }
  await untilAborted(signal);
}

async function currentVersion(api: KubeApi, kind: (typeof watched)[number], namespace: string): Promise<string> {
  const {metadata} = await api.list(kind, {namespace, metadataOnly: true});
  return metadata.resourceVersion ?? '0';
}

/** Leader election of old istiods writes a ConfigMap every two seconds; that is no news. */
function isNews(name: string): boolean {
  return !/leader|election/.test(name);
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener(
      'abort',
      () => {
        resolve();
      },
      {once: true},
    );
  });
}
