import {bundleKey} from '../../domain/istio/names.js';
import type {ConfigMapObject, PodObject} from '../../domain/kube/objects.js';
import {advice, kubectlMesh, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitBundle} from '../action.js';
import {missingChainReason} from '../presented-chain.js';
import type {Effect} from '../effect.js';
import {awaitReady} from './await.js';

/**
 * Waits until istiod has loaded what was pushed: the ConfigMap of its bundle equals the pushed one (istio/istio
 * pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go writes it as loaded), and, if a fingerprint is
 * given, every ready istiod pod presents a chain that contains that cluster CA.
 */
export const effect: Effect<'await-bundle'> = async (action, context) => {
  const {deps} = context;
  const {cluster, namespace, timeoutMs, caFingerprint} = action;
  const api = await deps.clusters.open(action.context);
  const pods = async (): Promise<readonly PodObject[]> =>
    (await api.list<PodObject>({apiVersion: 'v1', kind: 'Pod'}, {namespace, labelSelector: 'app=istiod'})).items;
  const hints = [
    advice`check istiod's log: ${inspectWith.kubectl(action, words`-n ${namespace} logs -l app=istiod --tail=50`)}`,
    advice`restore the previous CA: ${kubectlMesh('trust rollback', [cluster])}`,
    'to keep waiting, run the command again: the kubelet takes a minute or two to update a mounted Secret',
  ];
  await awaitReady(
    context,
    {what: 'istiod did not load the new CA', timeoutMs, hints},
    async () => (await missingBundleReason(api, action)) ?? (await missingChainReason(pods, action, deps)),
  );
  return caFingerprint === undefined ? undefined : {provenLive: caFingerprint};
};

async function missingBundleReason(
  api: KubeApi,
  {namespace, bundle, bundleName: name}: AwaitBundle,
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const ref = {apiVersion: 'v1', kind: 'ConfigMap', namespace, name};
  const configMap = await api.find<ConfigMapObject>(ref);
  if (configMap?.data?.[bundleKey] === bundle) return undefined;
  return `ConfigMap ${namespace}/${name} does not contain the new bundle yet`;
}
