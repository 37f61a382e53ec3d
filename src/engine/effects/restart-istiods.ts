/** Restarts the istiods of a reader that lose endpoints when a remote secret changes. */
import {asMeshError} from '../../domain/errors.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {LinkPeers} from '../discovery-action.js';
import type {EffectContext} from '../effect.js';
import {withMessage} from './link-attempt.js';
import {restartDeployment} from './restart-workload.js';

/** Restarts them one after the other, and waits for their pods. */
export async function restartIstiods(api: KubeApi, action: LinkPeers, context: EffectContext): Promise<void> {
  for (const ref of action.restart) {
    try {
      await restartDeployment(api, {ref, timeoutMs: action.restartTimeoutMs}, context);
    } catch (thrown) {
      const what = `istiod of ${action.cluster} could not be restarted, and loses endpoints without it`;
      throw withMessage(asMeshError(thrown), (message) => `${what}: ${message}`);
    }
  }
}
