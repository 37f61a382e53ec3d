import {MeshError} from '../../domain/errors.js';
import {isGone} from '../../domain/facts/read/pods.js';
import {explainNotReady} from '../../domain/install/not-ready.js';
import {proxyContainer} from '../../domain/istio/names.js';
import {type EventObject, hasReadyCondition, type PodObject} from '../../domain/kube/objects.js';
import {refOf} from '../../domain/kube/paths.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {clientName, echoName, runLabel, trafficNamespace as namespace} from '../../domain/traffic/names.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {ResultOf} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import type {DeployTraffic} from '../traffic-action.js';
import {awaitReady} from './await.js';
import {createOrReplace} from './objects.js';
import {removeTraffic} from './remove-traffic.js';

/** On pods whose traffic ztunnel handles (istio/istio cni/pkg/util/podutil.go, AmbientRedirectionEnabled). */
const redirectionAnnotation = 'ambient.istio.io/redirection';

type DeployedPods = ResultOf<'deploy-traffic'>;

/** Creates the pods of one cluster, and what they need, and waits until they are ready. */
export const effect: Effect<'deploy-traffic'> = async (action, context) => {
  try {
    return await deploy(action, context);
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'CONFLICT') throw thrown;
    // Another client has taken the namespace: planning again, for all clusters, would not help.
    throw new MeshError('API_ERROR', `another client changes namespace ${namespace}: ${thrown.message}`, {
      cause: thrown,
      hints: ['run the command again when the other run has ended'],
    });
  }
};

async function deploy(action: DeployTraffic, context: EffectContext): Promise<DeployedPods> {
  const api = await context.deps.clusters.open(action.context);
  const {leftover, removeTimeoutMs, objects, probe} = action;
  if (leftover) {
    context.line('remove what an earlier run left behind');
    await removeTraffic(api, {...action, run: leftover.run, timeoutMs: removeTimeoutMs}, context);
  }
  if (action.namespace) await createOrReplace(api, action.namespace, 'none');
  const deployments = objects.filter(({kind}) => kind === 'Deployment');
  for (const object of objects) if (!deployments.includes(object)) await createOrReplace(api, object, 'none');
  // agnhost runs any command that a request contains: without a proxy and its policies, nothing would protect it.
  if (probe) await requireProxy(api, probe, action);
  await requirePolicies(action, context);
  for (const object of deployments) await createOrReplace(api, object, 'none');
  context.line('wait for the pods');
  return {pods: await awaitPods(api, action, context)};
}

/** Throws `NOT_READY` if the policies of a remote do not exist in its primary. */
async function requirePolicies(
  {protectedBy, objects, run, cluster}: DeployTraffic,
  {deps}: EffectContext,
): Promise<void> {
  if (protectedBy === undefined) return;
  const primary = await deps.clusters.open(protectedBy);
  const policies = objects.filter(({apiVersion}) => apiVersion.startsWith('security.istio.io/'));
  const found = await Promise.all(policies.map((object) => primary.find(refOf(object))));
  if (found.every((one) => one?.metadata.labels?.[runLabel] === run)) return;
  throw new MeshError(
    'NOT_READY',
    `nothing runs in ${cluster}: the policies that protect its pods are not in its primary`,
  );
}

/** Throws `NOT_READY` if a pod would get no proxy. */
async function requireProxy(
  api: KubeApi,
  pod: NonNullable<DeployTraffic['probe']>,
  action: DeployTraffic,
): Promise<void> {
  if (hasProxy(await api.create<PodObject>(pod, 'server'))) return;
  throw unprotected(action, 'they were not created');
}

function hasProxy({spec}: PodObject): boolean {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].some(({name}) => name === proxyContainer);
}

function unprotected(action: DeployTraffic, consequence: string): MeshError {
  const labels = inspectWith.kubectl(action, words`get namespace ${namespace} --show-labels`);
  const message = `pods in namespace ${namespace} of ${action.cluster} get no proxy: ${consequence}`;
  return new MeshError('NOT_READY', message, {
    hints: [advice`istiod injects by the labels of the namespace: ${labels}`],
  });
}

/** The names of the ready pods, by Deployment. */
async function awaitPods(api: KubeApi, action: DeployTraffic, context: EffectContext) {
  const {timeoutMs, cluster, run, probe} = action;
  let ready = {echo: [] as readonly string[], client: [] as readonly string[]};
  const show = inspectWith.kubectl(action, words`-n ${namespace} describe replicasets,pods`);
  const options = {what: `the pods of ${cluster} did not become ready`, timeoutMs, hints: [advice`why: ${show}`]};
  await awaitReady(context, options, async () => {
    const {items} = await api.list<PodObject>(
      {apiVersion: 'v1', kind: 'Pod'},
      {namespace, labelSelector: `${runLabel}=${run}`},
    );
    const present = items.filter((pod) => !isGone(pod));
    if (probe && !present.every(hasProxy)) throw unprotected(action, 'they are removed');
    const readyOf = (app: string): readonly string[] =>
      present
        .filter((pod) => pod.metadata.labels?.app === app && hasReadyCondition(pod))
        .filter(({metadata}) => probe !== undefined || metadata.annotations?.[redirectionAnnotation] === 'enabled')
        .map(({metadata}) => metadata.name);
    ready = {echo: readyOf(echoName), client: readyOf(clientName)};
    if (ready.echo.length > 0 && ready.client.length > 0) return undefined;
    if (present.some((pod) => !hasReadyCondition(pod)) || present.length === 0) {
      const [reason] = explainNotReady(present, await warnings(api));
      return reason ?? 'no pod exists yet';
    }
    return 'ztunnel does not handle all of them yet';
  });
  return ready;
}

/** The warnings in the namespace, such as those of a quota or of an admission webhook; none if they cannot be read. */
async function warnings(api: KubeApi): Promise<readonly EventObject[]> {
  try {
    const options = {namespace, fieldSelector: 'type=Warning'};
    return (await api.list<EventObject>({apiVersion: 'v1', kind: 'Event'}, options)).items;
  } catch (thrown) {
    if (thrown instanceof MeshError && thrown.class !== 'unknown') throw thrown;
    return [];
  }
}
