import {createHash} from 'node:crypto';
import {MeshError} from '../../domain/errors.js';
import {failureMessage, isReadinessFailure, isInformative} from '../../domain/install/istioctl-output.js';
import {explainNotReady} from '../../domain/install/not-ready.js';
import type {PodObject, EventObject} from '../../domain/kube/objects.js';
import {isKnown, observe} from '../../domain/observed.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {RunIstioctl} from '../action.js';
import type {Deps} from '../deps.js';
import type {Effect} from '../effect.js';
import {refuseKeys} from './root-key-guard.js';

/** Applies exactly the planned file; if istioctl fails, collects which pods are not ready and why. */
export const effect: Effect<'run-istioctl'> = async (action, {deps, line, waiting}) => {
  const document = await readUnchangedFile(action, deps);
  const start = deps.now().getTime();
  const run = await deps.istioctl.run({
    context: action.context,
    args: action.args,
    document,
    timeoutMs: action.timeoutMs,
    onLine: (text) => {
      const what = /\bWaiting for (.+)$/.exec(text)?.[1];
      if (what !== undefined) waiting({what, elapsedMs: deps.now().getTime() - start, limitMs: action.timeoutMs});
      else if (isInformative(text)) line(text.trim());
    },
  });
  if (run.exitCode === 0) return {installYaml: action.fileSha256};
  const notReady = await gatherNotReady(action, deps);
  throw new MeshError(
    isReadinessFailure(run.output) && notReady.length > 0 ? 'NOT_READY' : 'TOOL_FAILED',
    failureMessage(action.args, run, notReady),
    {hints: [advice`to investigate: ${inspectWith.kubectl(action, words`-n ${action.namespace} get pods,events`)}`]},
  );
};

/** Returns the planned text. Refuses private keys: istioctl writes most values to ConfigMaps. */
async function readUnchangedFile(action: RunIstioctl, deps: Deps): Promise<string> {
  const text = await deps.workspace.readText(action.file);
  if (text === undefined) throw new MeshError('STALE_INSTALL', `${action.file} was removed after the plan was made`);
  if (createHash('sha256').update(text).digest('hex') === action.fileSha256) {
    const payload = {[action.file]: new Sensitive(Buffer.from(text))};
    await refuseKeys(payload, action.cluster, deps, action.title);
    return text;
  }
  throw new MeshError('STALE_INSTALL', `${action.file} was changed after the plan was made`, {
    hints: ['run the command again to plan with the current file'],
  });
}

/** One line for each pod that is not ready, or one line with the reason why the pods cannot be read. */
async function gatherNotReady({context, namespace}: RunIstioctl, {clusters}: Deps): Promise<readonly string[]> {
  const facts = await observe(async () => {
    const api = await clusters.open(context);
    const [pods, events] = await Promise.all([
      api.list<PodObject>({apiVersion: 'v1', kind: 'Pod'}, {namespace}),
      api.list<EventObject>({apiVersion: 'v1', kind: 'Event'}, {namespace, fieldSelector: 'type=Warning'}),
    ]);
    return {pods: pods.items, events: events.items};
  });
  return isKnown(facts)
    ? explainNotReady(facts.value.pods, facts.value.events)
    : [`cannot list the pods that are not ready: ${facts.unknown.message}`];
}
