import type {Cluster} from '../../e2e/harness/cluster.js';
import {at} from '../../e2e/harness/mesh.js';
import type {Mesh} from './mesh.js';
import {rolledOut} from '../harness/by-hand.js';
import type {Resource} from '../../e2e/harness/api.js';
import {eventually} from '../../e2e/harness/processes.js';

const pods = '/api/v1/namespaces/istio-system/pods';

/** Gives the pod of a Deployment an end; its ReplicaSet makes another. */
async function finish(cluster: Cluster, app: string, status: object): Promise<void> {
  const running = (
    await cluster.api.list<Resource & {status: {phase: string}}>(`${pods}?labelSelector=app%3D${app}`)
  ).filter(({status: {phase}}) => phase === 'Running');
  const {name} = at(running, 0).metadata;
  const ended = {conditions: null, containerStatuses: null, ...status};
  await cluster.api.patch(`${pods}/${name}/status`, {status: ended});
  await eventually(`a successor of ${name}`, async () => {
    const found = await cluster.api.list<Resource & {status: {phase: string}}>(`${pods}?labelSelector=app%3D${app}`);
    return found.some((pod) => pod.metadata.name !== name && pod.status.phase === 'Running') || undefined;
  });
}

const evicted = {phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.'};
const completed = {phase: 'Succeeded', reason: 'Completed'};

/** What nodes that were drained, shut down or short of memory leave behind. */
export const finishedPods: Mesh = {
  id: 'healthy-finished-pods',
  title: 'an evicted and a completed pod beside the running istiod and gateway pods',
  clusters: [{name: 'one'}],
  build: async ({cli, clusters}) => {
    const one = at(clusters, 0);
    await cli.must('init', `${one.name}=${one.context}`);
    await cli.must('up', '--key-algorithm', 'ecdsa-p256');
    for (const app of ['istiod', 'istio-ingressgateway']) {
      for (const status of [evicted, completed]) {
        await finish(one, app, status);
        await rolledOut(one, app);
      }
    }
  },
  trueWarnings: {},
};
