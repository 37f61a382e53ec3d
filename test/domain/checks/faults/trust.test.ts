import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../../src/domain/facts/facts.js';
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
  type Spoilt,
} from '../healthy.js';
import {foreign, foreignRoot, healthyBundles, resultOf} from './builders.js';

describe('what nothing tells of', () => {
  const noneSelected = controlPlane('cluster1', {discoverySelectors: [{matchLabels: {mesh: 'yes'}}]});
  const {bundleName, ...byOtherMeans} = controlPlane('cluster1');
  const otherRevision = controlPlane('cluster1', {bundleName: 'istio-ca-root-cert-canary'});
  const besideIstiod = healthyBundles.filter(({namespace}) => namespace === 'istio-system');
  const beside = (change: object) =>
    healthyBundles.map((bundle) => (bundle.namespace === 'istio-system' ? {...bundle, ...change} : bundle));

  it.each<[string, string, Spoilt['cluster1']]>([
    ['MESH302', 'discoverySelectors select no namespace', {controlPlanes: [noneSelected], bundles: []}],
    ['MESH304', "Istio's namespace has no bundle", {selfSignedRoot: foreignRoot, bundles: []}],
    [
      'MESH304',
      'the bundle there cannot be read',
      {selfSignedRoot: foreignRoot, bundles: beside({text: 'x', roots: []})},
    ],
    [
      'MESH304',
      `the bundle is not in ConfigMap ${String(bundleName)}`,
      {selfSignedRoot: foreignRoot, controlPlanes: [byOtherMeans]},
    ],
    [
      'MESH304',
      'one of two revisions has no bundle',
      {selfSignedRoot: foreignRoot, controlPlanes: [controlPlane('cluster1'), otherRevision]},
    ],
    [
      'MESH304',
      'the bundle of one of two revisions cannot be read',
      {
        selfSignedRoot: foreignRoot,
        controlPlanes: [controlPlane('cluster1'), otherRevision],
        bundles: [...healthyBundles, ...besideIstiod.map((one) => ({...one, text: 'x', roots: []}))],
      },
    ],
    [
      'MESH304',
      'the bundle of one of two revisions has no text',
      {
        selfSignedRoot: foreignRoot,
        controlPlanes: [controlPlane('cluster1'), otherRevision],
        bundles: [...healthyBundles, ...besideIstiod.map(({namespace}) => ({namespace, roots: []}))],
      },
    ],
  ])('is not ok but skipped: %s where %s', (id, _, cluster1) => {
    expect(resultOf(id, {cluster1: cluster1 ?? {}})).toBe('skipped');
  });

  it('is told again by a bundle without the root that istiod made', () => {
    expect(resultOf('MESH304', {cluster1: {selfSignedRoot: foreignRoot}})).toBe('ok');
  });

  it('is told by any bundle with the root that istiod made, whatever became of the others', () => {
    const own = besideIstiod.map((one) => ({...one, roots: [foreignRoot.fingerprint]}));
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
    [
      'the push, which asks about workloads first, where the root is another one',
      push,
      together,
      [underOther, underOther],
    ],
    ['a restart where the pushed root is in use', restart, together, [underPushedRoot, underPushedRoot]],
    ['a restart where a replica has loaded it', restart, together, [right, underOther]],
    ['the push where only another revision has loaded it', push, apart, [right, underOther]],
  ])('is mended by %s', (_, fix, controlPlanes, chains) => {
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

describe('a bundle that is missing', () => {
  const fixWithout = (missing: readonly string[]): string | undefined => {
    const {bundles} = clusterValues('cluster1');
    const left = bundles.filter(({namespace}) => !missing.includes(namespace));
    return judgedText(checks, evidence({cluster1: {bundles: left}})).checks.find(
      ({id, cluster, result}) => id === 'MESH302' && cluster === 'cluster1' && result === 'error',
    )?.fix;
  };

  it('is tried to be made where it is missing, and istiod restarted only when that is not refused', () => {
    expect(fixWithout(['default'])).toMatch(
      /^kubectl --context \S+ -n default create configmap istio-ca-root-cert --dry-run=server && kubectl .* rollout restart deployment\/istiod$/,
    );
  });
});
