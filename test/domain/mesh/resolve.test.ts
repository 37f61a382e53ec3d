import {describe, expect, it} from 'vitest';
import {defaultTrafficImage} from '../../../src/domain/mesh/traffic-image.js';
import {parseMeshFile} from '../../../src/domain/mesh/parse.js';
import {type MeshSources, requireContext, requireIstioNames, resolveMesh} from '../../../src/domain/mesh/resolve.js';
import {failureOf} from '../../helpers/suggestions.js';

const file = parseMeshFile(`apiVersion: kubectl-mesh/v1alpha1
kind: Mesh
meshID: mesh1
istio: {namespace: istio-2}
clusters:
  - {name: cluster1, context: kind-1, network: network1, uid: u1}
  - {name: cluster2, context: kind-2}
  - {name: cluster3}
`);

function resolve(sources: Partial<MeshSources>) {
  return resolveMesh({file, contexts: {}, names: [], overrides: {}, ...sources});
}

const override = (source: string, value: string) => ({source, value});

describe('the resolved mesh', () => {
  it('has the documented defaults', () => {
    const {mesh} = resolve({file: undefined, names: ['a']});
    expect(mesh).toEqual({
      trustDomain: 'cluster.local',
      istio: {namespace: 'istio-system', profile: 'default'},
      trust: {
        keyAlgorithm: 'rsa-4096',
        rootValidityDays: 3650,
        clusterValidityDays: 730,
        signer: {type: 'local'},
        keepClusterKeys: true,
        rotationReady: true,
        expiry: {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}},
      },
      discovery: {token: 'bound', tokenLifetimeDays: 90},
      topology: {gateway: 'istio'},
      verify: {image: defaultTrafficImage},
      clusters: [{name: 'a', role: 'primary'}],
    });
  });

  it("expects a root in a cluster in Istio's namespace by default", () => {
    const signer = {type: 'cluster', context: 'kind-1'} as const;
    const resolved = (more: object) => resolve({overrides: {signer: {signer: {...signer, ...more}}}}).mesh.trust.signer;
    expect(resolved({})).toEqual({...signer, namespace: 'istio-2'});
    expect(resolved({namespace: 'pki'})).toEqual({...signer, namespace: 'pki'});
  });

  it("limits the default validity of cluster CAs to the root's", () => {
    const short = parseMeshFile(
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: {rootValidity: 90d}\nclusters: [{name: a}]\n',
    );
    expect(resolve({file: short}).mesh.trust).toMatchObject({rootValidityDays: 90, clusterValidityDays: 90});
  });

  it.each([
    ['{rotationReady: true}', true, true],
    ['{rotationReady: false}', false, undefined],
    ['{keepClusterKeys: true}', true, undefined],
  ])('distinguishes a declared rotationReady from the default: trust: %s', (trust, rotationReady, rotationDeclared) => {
    const text = `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust: ${trust}\nclusters: [{name: a}]\n`;
    const {mesh} = resolve({file: parseMeshFile(text)});
    expect([mesh.trust.rotationReady, mesh.trust.rotationDeclared]).toEqual([rotationReady, rotationDeclared]);
  });

  it('selects all clusters, or the given ones in their order and once each', () => {
    expect(resolve({}).selected.map(({name}) => name)).toEqual(['cluster1', 'cluster2', 'cluster3']);
    const {selected, mesh} = resolve({names: ['cluster3', 'cluster1', 'cluster3']});
    expect(selected.map(({name}) => name)).toEqual(['cluster3', 'cluster1']);
    expect(mesh.clusters).toHaveLength(3);
  });

  it('takes the context from --context, then contexts.yaml, then mesh.yaml', () => {
    const contexts = {cluster1: 'mine'};
    expect(resolve({names: ['cluster1']}).selected[0]?.context).toBe('kind-1');
    expect(resolve({names: ['cluster1'], contexts}).selected[0]?.context).toBe('mine');
    const {selected, mesh} = resolve({
      names: ['cluster1'],
      contexts,
      overrides: {context: override('--context', 'now')},
    });
    expect(selected[0]?.context).toBe('now');
    expect(mesh.clusters[1]?.context).toBe('kind-2');
  });

  it('applies overrides only where mesh.yaml has no value, and only to selected clusters', () => {
    const {mesh} = resolve({names: ['cluster2'], overrides: {network: override('--network', 'network9')}});
    expect(mesh.clusters.map(({network}) => network)).toEqual(['network1', 'network9', undefined]);
  });

  it('accepts overrides that equal mesh.yaml', () => {
    const overrides = {meshID: override('--mesh-id', 'mesh1'), istioNamespace: override('-n', 'istio-2')};
    expect(resolve({overrides}).mesh).toMatchObject({meshID: 'mesh1', istio: {namespace: 'istio-2'}});
  });

  const refused: readonly [string, Partial<MeshSources>, string, RegExp][] = [
    [
      'another mesh ID',
      {overrides: {meshID: override('MESH', 'mesh2')}},
      'CONTRADICTION',
      /MESH "mesh2" contradicts meshID "mesh1" in mesh\.yaml/,
    ],
    [
      'another network',
      {names: ['cluster1'], overrides: {network: override('--network', 'n2')}},
      'CONTRADICTION',
      /network of cluster1 "network1"/,
    ],
    [
      'another namespace',
      {overrides: {istioNamespace: override('-n', 'x')}},
      'CONTRADICTION',
      /istio\.namespace "istio-2"/,
    ],
    ['a mistyped cluster name', {names: ['clustr1']}, 'UNKNOWN_CLUSTER', /did you mean "cluster1"/],
    ['an invalid name', {names: ['../x']}, 'INVALID_CLUSTER_NAME', /"\.\.\/x"/],
    ['no mesh.yaml and no cluster', {file: undefined}, 'MESH_YAML_MISSING', /mesh\.yaml not found/],
    ['no clusters at all', {file: {...file, clusters: []}}, 'MISSING_VALUE', /declares no clusters/],
    ['--context for all', {overrides: {context: override('--context', 'x')}}, 'USAGE', /exactly one cluster/],
    [
      "--context of another cluster's",
      {names: ['cluster1'], overrides: {context: override('--context', 'kind-2')}},
      'CONTRADICTION',
      /context of cluster cluster2/,
    ],
    [
      "contexts.yaml with another cluster's",
      {contexts: {cluster3: 'kind-1'}},
      'CONTRADICTION',
      /cluster1 and cluster3/,
    ],
    [
      'a network that is not a label value',
      {overrides: {network: override('--network', 'a b')}},
      'USAGE',
      /--network "a b"/,
    ],
    ['an empty mesh ID', {overrides: {meshID: override('--mesh-id', '')}}, 'USAGE', /--mesh-id ""/],
  ];
  it.each(refused)('refuses %s', (_what, sources, code, message) => {
    expect(() => resolve(sources)).toThrow(
      expect.objectContaining({code, message: expect.stringMatching(message) as string}) as Error,
    );
  });

  it('suggests init for an unknown cluster', async () => {
    const {hints} = await failureOf(() => resolve({names: ['new-one']}));
    expect(hints).toContain('add it with: kubectl mesh init new-one');
  });
});

describe('a value that an operation requires', () => {
  const {mesh} = resolve({file: undefined, names: ['a']});
  const [cluster = {name: '', role: 'primary' as const}] = mesh.clusters;
  it.each([
    ['a mesh ID and a network', () => requireIstioNames(mesh, cluster), 'MISSING_VALUE'],
    ['a context', () => requireContext(cluster), 'NO_CONTEXT'],
  ])('is reported if missing: %s', (_what, read, code) => {
    expect(read).toThrow(expect.objectContaining({code}) as Error);
  });

  it('is reported with all missing values, and one command that sets them', async () => {
    expect(await failureOf(() => requireIstioNames(mesh, cluster))).toMatchObject({
      message: 'the mesh has no mesh ID and cluster a has no network',
      hints: expect.arrayContaining([
        expect.stringContaining('kubectl mesh install render a --mesh-id mesh1 --network network1'),
      ]) as string[],
    });
  });

  it('is returned if present', () => {
    const full = resolve({});
    expect(full.selected.slice(0, 1).map((one) => [requireContext(one), requireIstioNames(full.mesh, one)])).toEqual([
      ['kind-1', {meshID: 'mesh1', network: 'network1'}],
    ]);
  });
});
