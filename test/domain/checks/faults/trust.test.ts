import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../../src/domain/facts/facts.js';
import {usualSource} from '../../../helpers/ca-mount.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {known} from '../../../../src/domain/observed.js';
import {
  certificate,
  clusterValues,
  controlPlane,
  evidence,
  pod,
  servedChain,
  workload,
  type ClusterValues,
  type Overrides,
} from '../healthy.js';
import {foreign, foreignRoot, healthyBundles, resultOf} from './builders.js';

describe("istiod's CA is not compared (MESH301)", () => {
  it.each<[string, ClusterValues['caSources']]>([
    ['ROOT_CA_DIR cannot be read from the Deployment', [{istiod: 'istiod', source: {from: 'unknown directory'}}]],
    [
      'two istiods mount different Secrets',
      [
        {istiod: 'istiod', source: usualSource},
        {istiod: 'istiod-canary', source: {from: 'secret', name: 'canary-ca'}},
      ],
    ],
  ])('and the result is unknown if %s', (_, caSources) => {
    expect(resultOf('MESH301', {cluster1: {caSources}})).toBe('unknown');
  });
});

describe('a state without evidence', () => {
  const noneSelected = controlPlane('cluster1', {discoverySelectors: [{matchLabels: {mesh: 'yes'}}]});
  const {bundleName, ...withoutConfigMap} = controlPlane('cluster1');
  const otherRevision = controlPlane('cluster1', {bundleName: 'istio-ca-root-cert-canary'});
  const inIstioNamespace = healthyBundles.filter(({namespace}) => namespace === 'istio-system');
  const changedThere = (change: object) =>
    healthyBundles.map((bundle) => (bundle.namespace === 'istio-system' ? {...bundle, ...change} : bundle));

  it.each<[string, string, Overrides['cluster1']]>([
    ['MESH302', 'discoverySelectors select no namespace', {controlPlanes: [noneSelected], bundles: []}],
    ['MESH304', "Istio's namespace has no bundle", {selfSignedRoot: foreignRoot, bundles: []}],
    [
      'MESH304',
      'the bundle there is unreadable',
      {selfSignedRoot: foreignRoot, bundles: changedThere({text: 'x', roots: []})},
    ],
    [
      'MESH304',
      `the bundle is not in ConfigMap ${String(bundleName)}`,
      {selfSignedRoot: foreignRoot, controlPlanes: [withoutConfigMap]},
    ],
    [
      'MESH304',
      'one of two revisions has no bundle',
      {selfSignedRoot: foreignRoot, controlPlanes: [controlPlane('cluster1'), otherRevision]},
    ],
    [
      'MESH304',
      'the bundle of one of two revisions is unreadable',
      {
        selfSignedRoot: foreignRoot,
        controlPlanes: [controlPlane('cluster1'), otherRevision],
        bundles: [...healthyBundles, ...inIstioNamespace.map((one) => ({...one, text: 'x', roots: []}))],
      },
    ],
    [
      'MESH304',
      'the bundle of one of two revisions has no text',
      {
        selfSignedRoot: foreignRoot,
        controlPlanes: [controlPlane('cluster1'), otherRevision],
        bundles: [...healthyBundles, ...inIstioNamespace.map(({namespace}) => ({namespace, roots: []}))],
      },
    ],
  ])('is skipped, not ok: %s if %s', (id, _, cluster1) => {
    expect(resultOf(id, {cluster1: cluster1 ?? {}})).toBe('skipped');
  });

  it('is ok with a bundle without the self-signed root', () => {
    expect(resultOf('MESH304', {cluster1: {selfSignedRoot: foreignRoot}})).toBe('ok');
  });

  it('is an error with any bundle with the self-signed root, regardless of the others', () => {
    const own = inIstioNamespace.map((one) => ({...one, roots: [foreignRoot.fingerprint]}));
    const controlPlanes = [controlPlane('cluster1'), otherRevision];
    expect(resultOf('MESH304', {cluster1: {selfSignedRoot: foreignRoot, controlPlanes, bundles: own}})).toBe('error');
  });
});

describe('MESH303', () => {
  const push = 'kubectl mesh trust push cluster1 --restart-istiod --yes';
  const restart = 'kubectl --context kind-cluster1 -n istio-system rollout restart deployment -l app=istiod';
  const right = servedChain('cluster1');
  const underPushedRoot = servedChain('cluster2');
  const underOther = {...right, chain: [certificate('leaf'), foreign.certificate, foreignRoot]};
  const together = [
    controlPlane('cluster1', {workload: workload('istiod', {pods: [pod('istiod-1'), pod('istiod-2')]})}),
  ];
  const apart = [
    controlPlane('cluster1'),
    controlPlane('cluster1', {workload: workload('istiod-b', {pods: [pod('istiod-2')]})}),
  ];

  it.each<[string, string, typeof together, (typeof right)[]]>([
    ['a push, which checks workloads first, if the root differs', push, together, [underOther, underOther]],
    ['a restart if the pushed root is in use', restart, together, [underPushedRoot, underPushedRoot]],
    ['a restart if a replica has loaded it', restart, together, [right, underOther]],
    ['a push if only another revision has loaded it', push, apart, [right, underOther]],
  ])('is fixed by %s', (_, fix, controlPlanes, chains) => {
    const servedChains = new PerPod(
      chains.map((chain, at) => ({name: `istiod-${String(at + 1)}`, observed: known(chain)})),
    );
    const only = checks.filter(({id}) => id === 'MESH303');
    const rows = judgedText(only, evidence({cluster1: {servedChains, controlPlanes}})).checks.filter(
      ({cluster, result}) => cluster === 'cluster1' && result === 'error',
    );
    expect(new Set(rows.map((row) => row.fix))).toEqual(new Set([fix]));
  });
});

describe('a missing bundle', () => {
  const fixWithout = (missing: readonly string[]): string | undefined => {
    const {bundles} = clusterValues('cluster1');
    const left = bundles.filter(({namespace}) => !missing.includes(namespace));
    return judgedText(checks, evidence({cluster1: {bundles: left}})).checks.find(
      ({id, cluster, result}) => id === 'MESH302' && cluster === 'cluster1' && result === 'error',
    )?.fix;
  };

  it('is created in a dry run, and istiod restarted only if that succeeds', () => {
    expect(fixWithout(['default'])).toMatch(
      /^kubectl --context \S+ -n default create configmap istio-ca-root-cert --dry-run=server && kubectl .* rollout restart deployment\/istiod$/,
    );
  });
});
