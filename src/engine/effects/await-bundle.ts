import {bundleKey, defaultBundleName} from '../../domain/istio/names.js';
import {MeshError} from '../../domain/errors.js';
import type {ConfigMapObject, PodObject} from '../../domain/kube/objects.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh, lookWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitBundle} from '../action.js';
import {chainMissing} from '../presented-chain.js';
import type {Effect} from '../effect.js';
import {awaitAnswer} from './await.js';

/**
 * Waits until the cluster itself shows that istiod loaded what was pushed: ConfigMap istio-ca-root-cert equals the
 * bundle (istio/istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go writes it as loaded), and, where
 * a fingerprint is given, every ready istiod pod presents a chain with that cluster CA in it.
 */
export const effect: Effect<'await-bundle'> = async (action, {deps, line}) => {
  const api = await deps.clusters.open(action.context);
  const what = 'istiod did not load the new CA';
  try {
    return await awaitAnswer({deps, line}, {timeoutMs: action.timeoutMs, what}, async () => {
      const notYet =
        (await bundleMissing(api, action)) ?? (await chainMissing(() => istiodPods(api, action), action, deps));
      if (notYet !== undefined) return {notYet};
      return {answer: action.caFingerprint === undefined ? undefined : {provenLive: action.caFingerprint}};
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
