import pMap from 'p-map';
import {asMeshError, reportError} from '../../domain/errors.js';
import type {TrafficFacts} from '../../domain/facts/facts.js';
import {dialPath, maxDialBytes, readDialAnswer, type DialAnswer} from '../../domain/traffic/dial.js';
import {trafficNamespace as namespace, trafficPort} from '../../domain/traffic/names.js';
import {countAnswers, isRoundOver, requestsPerRound, targetsAtOnce} from '../../domain/traffic/rounds.js';
import type {Deps} from '../deps.js';
import type {Effect, EffectContext} from '../effect.js';
import type {RequestResult} from '../action-result.js';
import type {RequestTarget, SendRequests} from '../traffic-action.js';
import {suspectPolicies} from './suspect-policies.js';

/** Longer than agnhost waits for a response: 5 s (netexec.go, createHTTPClient). Milliseconds. */
const responseTimeoutMs = 15_000;

/** How long the round that counts may take after the time for the others. Milliseconds. */
const measureMs = 30_000;

/** Pause between two rounds. Milliseconds. */
const pauseMs = 1000;

/** Sends requests from the client pod of one cluster to the echo pods of all. */
export const effect: Effect<'send-requests'> = async (action, context) => {
  const {deps} = context;
  const forward = await deps.clusters.forward(action.context, namespace, action.clientPod, [trafficPort]);
  const port = forward.ports.get(trafficPort) ?? 0;
  try {
    return {
      targets: await pMap(
        action.targets,
        async (target): Promise<RequestResult> => {
          try {
            const traffic = await sendRounds(target, action, port, context);
            return {cluster: target.cluster, traffic: await withPolicies(traffic, target, action, deps)};
          } catch (thrown) {
            deps.signal.throwIfAborted();
            const error = asMeshError(thrown);
            if (error.class === 'bug') throw error;
            return {cluster: target.cluster, error: reportError(error)};
          }
        },
        {concurrency: targetsAtOnce},
      ),
    };
  } finally {
    await forward.close();
  }
};

/**
 * Repeats rounds until one is answered completely: proxies are configured for new Services and pods within seconds, not at the same
 * moment. The round after it counts.
 */
async function sendRounds(
  {cluster, host, pods}: RequestTarget,
  {timeoutMs}: SendRequests,
  port: number,
  {deps, waiting}: EffectContext,
): Promise<TrafficFacts> {
  const start = deps.now().getTime();
  const elapsedMs = (): number => deps.now().getTime() - start;
  const sendRound = async (limitMs: number): Promise<TrafficFacts> => {
    const answers: DialAnswer[] = [];
    while (!isRoundOver(answers, pods) && (answers.length === 0 || elapsedMs() < limitMs)) {
      deps.signal.throwIfAborted();
      const request = {port, path: dialPath(host), timeoutMs: responseTimeoutMs, maxBytes: maxDialBytes};
      answers.push(readDialAnswer(await deps.http.get(request)));
    }
    return countAnswers(answers, pods);
  };
  for (;;) {
    const traffic = await sendRound(timeoutMs);
    if (traffic.answered === requestsPerRound) return sendRound(timeoutMs + measureMs);
    if (elapsedMs() >= timeoutMs) return traffic;
    waiting({what: `answers from ${cluster}`, elapsedMs: elapsedMs(), limitMs: timeoutMs});
    await deps.sleep(pauseMs);
  }
}

/** Adds the policies that can be the cause of failures, if they can be read. */
async function withPolicies(
  traffic: TrafficFacts,
  {policyContext}: RequestTarget,
  {istioNamespace}: SendRequests,
  {clusters, signal}: Deps,
): Promise<TrafficFacts> {
  if (traffic.failures.length === 0) return traffic;
  try {
    return {...traffic, policies: await suspectPolicies(await clusters.open(policyContext), istioNamespace)};
  } catch {
    signal.throwIfAborted();
    return traffic;
  }
}
