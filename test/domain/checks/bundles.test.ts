import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../src/domain/facts/facts.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {bundlesCheck} from '../../../src/domain/checks/trust/bundles.js';
import {known} from '../../../src/domain/observed.js';
import {
  bundleText,
  cacertsOf,
  clusterCa,
  clusterValues,
  controlPlane,
  evidence,
  otherControlPlane,
  pod,
  servedChain,
  workload,
} from './healthy.js';

const {namespaces} = clusterValues('cluster1');
const push = 'kubectl mesh trust push cluster1 --restart-istiod --yes';
const restart = 'kubectl --context kind-cluster1 -n istio-system rollout restart deployment/istiod';
const tryFirst = (namespace: string): string =>
  `kubectl --context kind-cluster1 -n ${namespace} create configmap istio-ca-root-cert --dry-run=server && `;

/** Discovery selectors that match only shop and default. */
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
  const {checks: rows} = judgedText([bundlesCheck], evidence({cluster1: {...other, bundles}}));
  return rows.filter(({cluster, result}) => cluster === 'cluster1' && result === 'error').map(({fix}) => fix);
}

describe('text around the certificates', async () => {
  const real = (await tinyRoot()).certificate.pem;
  const texts = {default: `a comment\n${real}`, 'istio-system': real, 'kube-system': real, shop: real};
  const trust = clusterValues('cluster1').pushedTrust;
  const pushed = typeof trust === 'object' ? {...trust, bundle: real} : trust;

  it('is a difference from the Secret, and none from the work directory, whose own text is not known', () => {
    expect(fixesWith(texts, {pushedTrust: pushed})).toEqual([restart]);
    expect(fixesWith(texts, {pushedTrust: {...(pushed as object), isCanonical: true}})).toEqual([]);
    expect(fixesWith({...texts, shop: 'x'}, {pushedTrust: {...(pushed as object), isCanonical: true}})).toEqual([
      restart,
    ]);
  });
});

describe('a different bundle', () => {
  const all = {default: bundleText, 'istio-system': bundleText, 'kube-system': bundleText, shop: bundleText};
  it.each([
    [
      'in the namespace of istiod is fixed by a push, which checks workloads',
      {...all, 'istio-system': 'x'},
      {},
      [push],
    ],
    ['only in other namespaces is fixed by a restart', {...all, shop: 'x'}, {}, [restart]],
    [
      'in all other namespaces, with none in the namespace of istiod, is fixed by a push',
      {default: 'x', 'kube-system': 'x', shop: 'x'},
      {},
      [push, tryFirst('istio-system') + push],
    ],
    [
      'in all selected namespaces, which exclude that of istiod, is fixed by a push',
      {default: 'x', shop: 'x'},
      selected,
      [push],
    ],
    [
      'in one of the selected namespaces, which exclude that of istiod, is fixed by a restart',
      {default: bundleText, shop: 'x'},
      selected,
      [restart],
    ],
  ] as const)('%s', (_, texts, other, fixes) => {
    expect(fixesWith(texts, other)).toEqual(fixes);
  });
});

describe('an injected namespace outside discoverySelectors', () => {
  const selectorOf = (discoverySelectors: Parameters<typeof controlPlane>[1]) =>
    controlPlane('cluster1', discoverySelectors);
  const all = {default: bundleText, 'istio-system': bundleText, 'kube-system': bundleText};
  const labelled = (labels: Record<string, string>, shop: Record<string, string> = {'istio-injection': 'enabled'}) =>
    namespaces.map((one) => ({...one, labels: one.name === 'shop' ? shop : {...one.labels, ...labels}}));
  const show = 'kubectl --context kind-cluster1 -n istio-system get configmap istio -o yaml';

  it('is labelled as the first selector of labels requires', () => {
    const discoverySelectors = [
      {matchExpressions: [{key: 'team', operator: 'Exists' as const}]},
      {matchLabels: {served: 'yes', tier: 'a'}},
    ];
    const other = {controlPlanes: [selectorOf({discoverySelectors})], namespaces: labelled({served: 'yes', tier: 'a'})};
    expect(fixesWith(all, other)).toEqual(['kubectl --context kind-cluster1 label namespace shop served=yes tier=a']);
  });

  it.each<[string, Parameters<typeof controlPlane>[1], Record<string, string>]>([
    [
      'no selector consists of labels',
      {discoverySelectors: [{matchExpressions: [{key: 'served', operator: 'Exists'}]}]},
      {'istio-injection': 'enabled'},
    ],
    [
      'it has another value of the label',
      {discoverySelectors: [{matchLabels: {served: 'yes'}}]},
      {'istio-injection': 'enabled', served: 'no'},
    ],
  ])('is not labelled if %s: the selectors are shown', (_, change, shop) => {
    expect(fixesWith(all, {controlPlanes: [selectorOf(change)], namespaces: labelled({served: 'yes'}, shop)})).toEqual([
      show,
    ]);
  });

  it('is unknown if its label may be a revision tag and the webhooks are unknown', () => {
    const discoverySelectors = [{matchLabels: {served: 'yes'}}];
    const facts = {
      controlPlanes: [selectorOf({discoverySelectors})],
      bundles: Object.entries(all).map(([namespace, text]) => ({namespace, text, roots: []})),
    };
    const error = {code: 'FORBIDDEN', message: 'no', hints: []} as const;
    const resultWith = (shop: Record<string, string>) =>
      judgedText(
        [bundlesCheck],
        evidence({
          cluster1: {...facts, namespaces: labelled({served: 'yes'}, shop)},
          facts1: {webhooks: {unknown: error}},
        }),
      ).checks.find(({cluster}) => cluster === 'cluster1')?.result;
    expect(resultWith({'istio.io/rev': 'prod'})).toBe('unknown');
    expect(resultWith({'istio-injection': 'enabled'})).toBe('error');
    expect(resultWith({})).toBe('ok');
  });
});

describe('a bundle that another control plane also writes', () => {
  it('is no reason to restart or push', () => {
    const texts = {default: bundleText, 'istio-system': 'x', 'kube-system': bundleText, shop: 'x'};
    const [fix, ...others] = fixesWith(texts, {otherControlPlanes: [otherControlPlane]});
    expect(others).toEqual([]);
    expect(fix).toContain(`-n ${otherControlPlane.namespace} get `);
    expect(
      causeOf('MESH302', {
        otherControlPlanes: [otherControlPlane],
        bundles: clusterValues('cluster1').bundles.map((one) => ({...one, text: 'x'})),
      }),
    ).toBe('MESH416');
  });
});

/** The cause of a row about cluster1; empty if it is no consequence. */
function causeOf(id: string, cluster1: object): string | undefined {
  const {checks: rows} = judgedText(checks, evidence({cluster1}));
  const found = rows.find((row) => row.id === id && row.cluster === 'cluster1' && row.result === 'error');
  return found && (found.impliedBy ?? '');
}

describe('an istiod with a different CA', () => {
  const {bundles} = clusterValues('cluster1');
  const servedChains = new PerPod([{name: 'istiod-1', observed: known(servedChain('cluster2'))}]);
  it.each([
    ['separately if one copy of the bundle is missing', bundles.filter(({namespace}) => namespace !== 'shop'), ''],
    ['separately if all copies are missing', [], ''],
    [
      'separately if one copy is old',
      bundles.map((one) => (one.namespace === 'shop' ? {...one, text: 'old'} : one)),
      '',
    ],
    ['as a consequence if all copies are old', bundles.map((one) => ({...one, text: 'old'})), 'MESH302'],
  ] as const)('is reported %s', (_, written, cause) => {
    expect(causeOf('MESH303', {servedChains, bundles: written})).toBe(cause);
  });
});

describe('an istiod that is not running', () => {
  const controlPlanes = [
    controlPlane('cluster1', {workload: workload('istiod', {pods: [pod('istiod-1', {ready: false})]})}),
  ];
  const differences = [{part: 'clusterCa', wanted: ['aa'.repeat(32)], found: ['bb'.repeat(32)]}] as const;
  it.each([
    ['is a separate finding if the Secret holds a different CA', cacertsOf(clusterCa('cluster1'), {differences}), ''],
    ['is a separate finding without a Secret', 'absent', ''],
    [
      'is a consequence if it cannot load the Secret',
      cacertsOf(clusterCa('cluster1', {missing: ['ca-key.pem']}), {differences}),
      'MESH301',
    ],
  ] as const)('%s', (_, cacerts, cause) => {
    expect(causeOf('MESH402', {cacerts, controlPlanes})).toBe(cause);
  });
});
