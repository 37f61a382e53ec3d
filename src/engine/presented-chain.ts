import {createHash} from 'node:crypto';
import {istiodSecurePort} from '../domain/istio/names.js';
import {hasReadyCondition, type PodObject} from '../domain/kube/objects.js';
import type {AwaitBundle} from './action.js';
import type {Deps} from './deps.js';

/** Timeout of one handshake. Milliseconds. */
const probeTimeoutMs = 10_000;

/** Returns why not every ready istiod pod presents the wanted cluster CA; undefined if all do. */
export async function missingChainReason(
  pods: () => Promise<readonly PodObject[]>,
  action: Pick<AwaitBundle, 'context' | 'namespace' | 'caFingerprint'>,
  deps: Deps,
): Promise<string | undefined> {
  const wanted = action.caFingerprint;
  if (wanted === undefined) return undefined;
  const ready = (await pods()).filter((pod) => pod.metadata.deletionTimestamp === undefined && hasReadyCondition(pod));
  if (ready.length === 0) return 'no istiod pod is ready';
  for (const {metadata} of ready) {
    const forward = await deps.clusters.forward(action.context, action.namespace, metadata.name, [istiodSecurePort]);
    try {
      const chain = await deps.tls.presentedChain({
        port: forward.ports.get(istiodSecurePort) ?? 0,
        servername: `istiod.${action.namespace}.svc`,
        timeoutMs: probeTimeoutMs,
      });
      const isPresented = chain.some((der) => createHash('sha256').update(der).digest('hex') === wanted);
      if (!isPresented) return `pod ${metadata.name} still presents another cluster CA`;
    } finally {
      await forward.close();
    }
  }
  return undefined;
}
