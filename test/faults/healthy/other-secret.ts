import {dataOf, rolledOut} from '../harness/by-hand.js';
import type {Cluster} from '../../e2e/harness/cluster.js';
import type {Mesh} from './mesh.js';

/** Moves Secret cacerts to another name, and makes istiod mount that one (istio/istio#50036). */
async function moveCacerts(cluster: Cluster, name: string): Promise<void> {
  const data = await dataOf(cluster, 'secrets', 'cacerts');
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name, namespace: 'istio-system'}, data};
  await cluster.api.create('/api/v1/namespaces/istio-system/secrets', secret);
  const volumes = {volumes: [{name: 'cacerts', secret: {secretName: name}}]};
  const patch = JSON.stringify({spec: {template: {spec: volumes}}});
  await cluster.kubectl('-n', 'istio-system', 'patch', 'deployment', 'istiod', '-p', patch);
  await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts');
  await rolledOut(cluster);
}

/** istiod mounts its CA from a Secret of another name in one cluster. */
export const otherSecret: Mesh = {
  id: 'healthy-other-secret',
  title: 'istiod of one cluster mounts its CA from a Secret of another name; there is no Secret cacerts',
  clusters: [{name: 'one'}, {name: 'two'}],
  build: async ({cli, clusters}) => {
    await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`));
    await cli.must('up');
    const [first] = clusters;
    if (first) await moveCacerts(first, 'mesh-signing-ca');
  },
  trueWarnings: {},
};
