import {describe, expect, it} from 'vitest';
import {judge} from '../../../src/domain/checks/judge.js';
import {bundlesCheck} from '../../../src/domain/checks/trust/bundles.js';
import {bundleText, clusterValues, controlPlane, evidence} from './healthy.js';

const {namespaces} = clusterValues('cluster1');
const push = 'kubectl mesh trust push cluster1 --restart-istiod --yes';
const restart = 'kubectl --context kind-cluster1 -n istio-system rollout restart deployment/istiod';
const tryFirst = (namespace: string): string =>
  `kubectl --context kind-cluster1 -n ${namespace} create configmap istio-ca-root-cert --dry-run=server && `;

/** Only shop and default are served. */
const served = ['default', 'shop'];
const selectors = [{matchLabels: {served: 'yes'}}];
const selected = {
  controlPlanes: [controlPlane('cluster1', {discoverySelectors: selectors})],
  namespaces: namespaces.map((one) => ({...one, labels: served.includes(one.name) ? {served: 'yes'} : {}})),
};

function fixesWith(texts: Readonly<Record<string, string | undefined>>, other: object): readonly string[] {
  const bundles = Object.entries(texts).map(([namespace, text]) => ({
    namespace,
    roots: [],
    ...(text !== undefined && {text}),
  }));
  const {checks: rows} = judge([bundlesCheck], evidence({cluster1: {...other, bundles}}));
  return rows.filter(({cluster, result}) => cluster === 'cluster1' && result === 'error').map(({fix}) => fix);
}

describe('a bundle that differs', () => {
  const all = {default: bundleText, 'istio-system': bundleText, 'kube-system': bundleText, shop: bundleText};
  it.each([
    ['beside istiod is mended by the push, which asks about workloads', {...all, 'istio-system': 'x'}, {}, [push]],
    ['elsewhere only is mended by a restart', {...all, shop: 'x'}, {}, [restart]],
    [
      'everywhere but beside istiod, where none is, by the push',
      {default: 'x', 'kube-system': 'x', shop: 'x'},
      {},
      [push, tryFirst('istio-system') + push],
    ],
    ['everywhere, where istiod leaves its own namespace out, by the push', {default: 'x', shop: 'x'}, selected, [push]],
    [
      'in one namespace, where istiod leaves its own out, by a restart',
      {default: bundleText, shop: 'x'},
      selected,
      [restart],
    ],
  ] as const)('%s', (_, texts, other, fixes) => {
    expect(fixesWith(texts, other)).toEqual(fixes);
  });
});
