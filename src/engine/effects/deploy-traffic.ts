import {MeshError} from '../../domain/errors.js';
import {explainNotReady} from '../../domain/install/not-ready.js';
import type {PodObject} from '../../domain/kube/objects.js';
import {hasReadyCondition} from '../../domain/kube/objects.js';
import {isGone} from '../../domain/facts/read/pods.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {clientName, echoName, trafficNamespace as namespace} from '../../domain/traffic/names.js';
import {proxyContainer} from '../../domain/istio/names.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {Effect, EffectContext} from '../effect.js';
import type {DeployTraffic} from '../traffic-action.js';
import {awaitReady} from './await.js';
import {createOrReplace} from './objects.js';
import {removeTrafficFrom, trafficSelector} from './remove-traffic.js';

/** Creates the pods of one cluster, and what they need, and waits until they are ready. */
export const effect: Effect<'deploy-traffic'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  const {leftover, objects, probe} = action;
  if (leftover) {
    context.line('remove what an earlier run left behind');
    await removeTrafficFrom(api, {...action, ...leftover}, context);
  }
  if (action.namespace) await createOrReplace(api, action.namespace, 'none');
  const pods = objects.filter(({kind}) => kind === 'Deployment');
  for (const object of objects) if (!pods.includes(object)) await createOrReplace(api, object, 'none');
  // agnhost runs any command that a request contains: without a proxy, nothing would protect it.
  if (probe) await requireProxy(api, probe, action);
  for (const object of pods) await createOrReplace(api, object, 'none');
  context.line('wait for the pods');
  return {pods: await awaitPods(api, action, context)};
};

/** Throws `NOT_READY` if a pod would get no proxy. */
async function requireProxy(api: KubeApi, pod: NonNullable<DeployTraffic['probe']>, {cluster}: DeployTraffic) {
  const {spec} = await api.create<PodObject>(pod as PodObject, 'server');
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  if (containers.some(({name}) => name === proxyContainer)) return;
  const labels = inspectWith.kubectl('any', words`get namespace ${namespace} --show-labels`);
  throw new MeshError('NOT_READY', `pods in namespace ${namespace} of ${cluster} get no proxy: they were not created`, {
    hints: [advice`istiod injects by the labels of the namespace: ${labels}`],
  });
}

/** The names of the ready pods, by Deployment. */
async function awaitPods(api: KubeApi, {timeoutMs, cluster, context: name}: DeployTraffic, context: EffectContext) {
  let ready = {echo: [] as readonly string[], client: [] as readonly string[]};
  const show = inspectWith.kubectl({context: name}, words`-n ${namespace} describe pods`);
  await awaitReady(
    context,
    {what: `the pods of ${cluster} did not become ready`, timeoutMs, hints: [advice`the pods: ${show}`]},
    async () => {
      const {items} = await api.list<PodObject>(
        {apiVersion: 'v1', kind: 'Pod'},
        {namespace, labelSelector: trafficSelector},
      );
      const present = items.filter((pod) => !isGone(pod));
      const readyOf = (app: string): readonly string[] =>
        present
          .filter((pod) => pod.metadata.labels?.app === app && hasReadyCondition(pod))
          .map(({metadata}) => metadata.name);
      ready = {echo: readyOf(echoName), client: readyOf(clientName)};
      if (ready.echo.length > 0 && ready.client.length > 0) return undefined;
      const [first] = explainNotReady(present, []);
      return first ?? (present.length === 0 ? 'no pod exists yet' : 'not all pods exist yet');
    },
  );
  return ready;
}
