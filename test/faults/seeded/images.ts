/** Other versions of istiod, as its image says: the process stays the same. */
import {inIstioSystem, inTurn, rolledOut} from '../harness/by-hand.js';
import type {Fault} from '../harness/fault.js';

/** What holds from here on is no fault, and what the fault changes is compared with it. */
export const isHealthy: Fault['seed'] = async (lab) => {
  await lab.waitForGreen();
  return undefined;
};

/** istiod runs another image; what the process says of itself stays as it is. */
export function image(cluster: string, tag: string): Fault['seed'] {
  return inTurn(
    inIstioSystem(cluster, 'set', 'image', 'deployment/istiod', `discovery=istio/pilot:${tag}`),
    async (lab) => {
      await rolledOut(lab.cluster(cluster));
      return undefined;
    },
  );
}
