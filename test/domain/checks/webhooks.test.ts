import {expect, it} from 'vitest';
import {judgedText} from '../../helpers/suggestions.js';
import {webhooksCheck} from '../../../src/domain/checks/trust/webhooks.js';
import {clusters, evidence, mesh, webhooks} from './healthy.js';

it("webhooks of a remote cluster, which runs no istiod, are fixed by its primary's istiod", () => {
  const remote = {role: 'remote', primary: 'cluster2'} as const;
  const declared = clusters.map((one) => (one.name === 'cluster1' ? {...one, ...remote} : one));
  const {checks: rows} = judgedText(
    [webhooksCheck],
    evidence({
      cluster1: {controlPlanes: [], webhooks: webhooks('empty').slice(0, 1)},
      declared1: remote,
      mesh: {...mesh, clusters: declared},
    }),
  );
  expect(rows.map(({cluster, result, fix}) => [cluster, result, fix])).toEqual([
    ['cluster1', 'error', 'kubectl --context kind-cluster2 -n istio-system rollout restart deployment -l app=istiod'],
    ['cluster2', 'ok', ''],
  ]);
});
