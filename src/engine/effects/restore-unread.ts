/** Restores the remote secrets that istiod has not read. */
import pMap from 'p-map';
import {asMeshError, MeshError} from '../../domain/errors.js';
import {groupBy} from '../../domain/group-by.js';
import {advice, fixWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import {type Attempt, concurrency, type Linking, withMessage} from './link-attempt.js';
import {restartIstiods} from './restart-istiods.js';
import {startRestart} from './restart-workload.js';
import {restoreRemoteSecret} from './restore-remote-secret.js';

/**
 * Restores what was written for peers that istiod has not read, through a kubectl process that outlives an abort of the run: only this
 * process has the previous credentials.
 */
export async function restoreUnread(attempts: readonly Attempt[], linking: Linking): Promise<readonly Attempt[]> {
  const {api, context} = linking;
  const unread = attempts.filter(({failure}) => failure?.secret === 'written');
  if (unread.length === 0) return attempts;
  context.line('restore the previous state');
  let session: KubeApi;
  try {
    session = await api.detached();
  } catch (thrown) {
    const {message} = asMeshError(thrown);
    const problem = `the previous state could not be restored: ${message}`;
    return attempts.map((attempt) => (unread.includes(attempt) ? afterRestore(attempt, problem) : attempt));
  }
  const bySecret = [...groupBy(unread, ({peer}) => peer.secret)];
  const problems = new Map(
    await pMap(
      bySecret,
      async ([secret, [{peer, sent}]]) => {
        const proven = attempts.filter((one) => one.sent && !one.failure && one.peer.secret === secret);
        const keys = proven.map((one) => one.peer.istioName);
        const problem = sent && (await restoreRemoteSecret(session, {object: sent, before: peer.before, proven: keys}));
        return [secret, problem] as const;
      },
      {concurrency},
    ),
  );
  const restored = attempts.map((attempt) =>
    unread.includes(attempt) ? afterRestore(attempt, problems.get(attempt.peer.secret)) : attempt,
  );
  return restartAfterRestore(session, restored, linking);
}

/** Adds what became of the restoration. `problem`: why the previous state is not in place. */
function afterRestore({failure, ...attempt}: Attempt, problem: string | undefined): Attempt {
  if (!failure) return attempt;
  const done = attempt.peer.before ? 'the previous remote secret is restored' : 'the remote secret is deleted again';
  const error = withMessage(failure.error, (message) => `${message}; ${problem ?? done}`);
  return {...attempt, failure: {...failure, error, secret: problem === undefined ? 'restored' : 'written'}};
}

/** istiod loses endpoints by the restoration, too. After an abort nothing waits for its new pods. */
async function restartAfterRestore(
  session: KubeApi,
  attempts: readonly Attempt[],
  {action, context}: Linking,
): Promise<readonly Attempt[]> {
  const {deps} = context;
  const isRestored = ({failure}: Attempt): boolean => failure?.secret === 'restored';
  if (!attempts.some(isRestored)) return attempts;
  try {
    if (!deps.signal.aborted) await restartIstiods(session, action, context);
    for (const ref of deps.signal.aborted ? action.restart : []) await startRestart(session, ref, deps, 'none');
    return attempts;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    const names = action.restart.map(({name}) => `deployment/${name}`);
    const restart = fixWith.kubectl(action, words`-n ${action.namespace} rollout restart ${names}`);
    const hint = advice`istiod has lost endpoints until it restarts: ${restart}`;
    return attempts.map((attempt) => {
      const {failure} = attempt;
      if (!failure || !isRestored(attempt)) return attempt;
      const {code, message, hints, cause} = failure.error;
      return {...attempt, failure: {...failure, error: new MeshError(code, message, {hints: [hint, ...hints], cause})}};
    });
  }
}
