import {plural} from '../../domain/format.js';
import type {KubeObject, ObjectRef} from '../../domain/kube/object.js';
import type {DeploymentObject} from '../../domain/kube/objects.js';
import {describeRef} from '../../domain/kube/paths.js';
import type {KubeApi, WriteDryRun} from '../../tools/kubectl/api.js';
import type {RestartWorkload} from '../action.js';
import type {Deps} from '../deps.js';
import type {Effect, EffectContext} from '../effect.js';
import {awaitReady} from './await.js';
import {contains, writeAndVerify} from './verified-write.js';

/** The annotation that `kubectl rollout restart` sets (kubernetes/kubectl pkg/polymorphichelpers/objectrestarter.go). */
const restartedAt = 'kubectl.kubernetes.io/restartedAt';

/** Restarts a Deployment and waits until all of its pods are new and available. */
export const effect: Effect<'restart-workload'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  await restartDeployment(api, action, context);
  return undefined;
};

/** The same for other effects. */
export async function restartDeployment(
  api: KubeApi,
  {ref, timeoutMs}: Pick<RestartWorkload, 'ref' | 'timeoutMs'>,
  context: EffectContext,
): Promise<void> {
  await startRestart(api, ref, context.deps, 'none');
  const what = `${describeRef(ref)} did not become ready`;
  await awaitReady(context, {what, timeoutMs}, async () => rolloutState(await api.get<DeploymentObject>(ref)));
}

/** Restarts a Deployment without waiting. `server`: only has the API server check that it would permit it. */
export async function startRestart(
  api: KubeApi,
  ref: ObjectRef,
  {now}: Pick<Deps, 'now'>,
  dryRun: WriteDryRun,
): Promise<void> {
  const patch = {spec: {template: {metadata: {annotations: {[restartedAt]: now().toISOString()}}}}};
  const judge = (found: KubeObject | undefined): 'written' | 'not-written' =>
    found && contains(found, patch) ? 'written' : 'not-written';
  await writeAndVerify({api, ref, dryRun, judge}, () => api.patch(ref, patch, dryRun));
}

/** What a rollout waits for; undefined if it is complete (kubernetes/kubectl pkg/polymorphichelpers/rollout_status.go). */
function rolloutState({metadata, spec, status = {}}: DeploymentObject): string | undefined {
  const {generation = 0} = metadata;
  const {replicas: desired = 1} = spec;
  const {observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0} = status;
  if (observedGeneration < generation) return 'the controller has not observed the Deployment yet';
  if (updatedReplicas < desired) return `${String(updatedReplicas)} of ${String(desired)} new pods exist`;
  const old = replicas - updatedReplicas;
  if (old > 0) return plural(old, 'old pod still exists', 'old pods still exist');
  if (availableReplicas < updatedReplicas) {
    return `${String(availableReplicas)} of ${String(updatedReplicas)} new pods are available`;
  }
  return undefined;
}
