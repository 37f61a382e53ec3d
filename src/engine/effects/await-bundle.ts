import {bundleKey, defaultBundleName, istiodSecurePort} from '../../domain/istio/names.js';
import {createHash} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {hasReadyCondition, type ConfigMapObject, type PodObject} from '../../domain/kube/objects.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh, lookWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitBundle} from '../action.js';
import type {Deps} from '../deps.js';
import type {Effect} from '../effect.js';
import {awaitAnswer} from './await.js';

/** For one handshake. Milliseconds. */
const probeTimeoutMs = 10_000;

/**
 * Waits until the cluster itself shows that istiod loaded what was pushed: ConfigMap istio-ca-root-cert equals the
 * bundle (istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go writes it as loaded), and, where
 * a fingerprint is given, every ready istiod pod presents a chain with that cluster CA in it.
 */
export const effect: Effect<'await-bundle'> = async (action, {deps, line}) => {
  const api = await deps.clusters.open(action.context);
  let said = '';
  const what = 'istiod did not load the new CA';
  try {
    return await awaitAnswer({deps, timeoutMs: action.timeoutMs, what}, async () => {
      const notYet =
        (await bundleMissing(api, action)) ?? (await chainMissing(() => istiodPods(api, action), action, deps));
      if (notYet === undefined) {
        return {answer: action.caFingerprint === undefined ? undefined : {provenLive: action.caFingerprint}};
      }
      if (notYet !== said) line(notYet);
      said = notYet;
      return {notYet};
    });
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_READY') throw thrown;
    throw new MeshError('NOT_READY', thrown.message, {
      cause: thrown,
      hints: [
        advice`see what istiod says: ${lookWith.kubectl(action, words`-n ${action.namespace} logs -l app=istiod --tail=50`)}`,
        advice`put the previous CA back: ${kubectlMesh('trust rollback', [action.cluster])}`,
        'the kubelet takes a minute or two to update a mounted Secret: run the command again to wait once more',
      ],
    });
  }
};

async function bundleMissing(api: KubeApi, {namespace, bundle}: AwaitBundle): Promise<string | undefined> {
  const ref = {apiVersion: 'v1', kind: 'ConfigMap', namespace, name: defaultBundleName};
  const configMap = await api.find<ConfigMapObject>(ref);
  if (configMap?.data?.[bundleKey] === bundle) return undefined;
  return `ConfigMap ${namespace}/${defaultBundleName} does not hold the new bundle yet`;
}

async function istiodPods(api: KubeApi, {namespace}: AwaitBundle): Promise<readonly PodObject[]> {
  const kind = {apiVersion: 'v1', kind: 'Pod'};
  return (await api.list<PodObject>(kind, {namespace, labelSelector: 'app=istiod'})).items;
}

/** Which ready istiod pod does not present the wanted cluster CA; undefined when all do. */
export async function chainMissing(
  pods: () => Promise<readonly PodObject[]>,
  action: Pick<AwaitBundle, 'context' | 'namespace' | 'caFingerprint'>,
  deps: Deps,
): Promise<string | undefined> {
  const wanted = action.caFingerprint;
  if (wanted === undefined) return undefined;
  const ready = (await pods()).filter(isReady);
  if (ready.length === 0) return 'no istiod pod is ready';
  for (const {metadata} of ready) {
    const forward = await deps.clusters.forward(action.context, action.namespace, metadata.name, [istiodSecurePort]);
    try {
      const chain = await deps.tls.presentedChain({
        port: forward.ports.get(istiodSecurePort) ?? 0,
        servername: `istiod.${action.namespace}.svc`,
        timeoutMs: probeTimeoutMs,
      });
      const shown = chain.some((der) => createHash('sha256').update(der).digest('hex') === wanted);
      if (!shown) return `pod ${metadata.name} still presents another cluster CA`;
    } finally {
      await forward.close();
    }
  }
  return undefined;
}

function isReady(pod: PodObject): boolean {
  return pod.metadata.deletionTimestamp === undefined && hasReadyCondition(pod);
}
