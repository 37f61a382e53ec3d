import {describe, expect, it} from 'vitest';
import {parse, parseAllDocuments} from 'yaml';
import type {MeshError} from '../../../src/domain/errors.js';
import {installYamlState} from '../../../src/domain/install/install-yaml.js';
import {parseOverlay, type Overlay} from '../../../src/domain/install/overlays.js';
import {renderInstall, type Rendered} from '../../../src/domain/install/render.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {Mesh, MeshCluster} from '../../../src/domain/mesh/mesh.js';
import {meshWith, primary, release} from './meshes.js';

const noFiles = new Map<string, Overlay>();

function render(mesh: Mesh, version = '1.30', files = noFiles, cluster?: MeshCluster): Rendered {
  const first = cluster ?? mesh.clusters[0];
  if (!first) throw new Error('the mesh has no cluster');
  return renderInstall(mesh, first, resolveVersion(version), files);
}

function document(mesh: Mesh, version = '1.30', files = noFiles): unknown {
  return parse(render(mesh, version, files).text);
}

function codeOf(work: () => unknown): {code: string; message: string} {
  try {
    work();
  } catch (thrown) {
    const {code, message} = thrown as MeshError;
    return {code, message};
  }
  throw new Error('expected an error');
}

describe('a format for every version', () => {
  it.each([
    ['1.6', '1.6 to 1.7'],
    ['1.7.8', '1.6 to 1.7'],
    ['1.8.0', '1.8 to 1.23'],
    ['1.9', '1.8 to 1.23'],
    ['1.10.6', '1.8 to 1.23'],
    ['1.23.6', '1.8 to 1.23'],
    ['1.24.0', '1.24 and later'],
    ['1.31.0', '1.24 and later'],
    ['1.32.0', '1.24 and later'],
    ['1.99', '1.24 and later'],
    ['unknown', '1.24 and later'],
  ])('%s is written as %s', (version, id) => {
    expect(render(meshWith(), version).format.id).toBe(id);
  });

  it.each(['1.6', '1.7', '1.8', '1.9', '1.10', '1.23', '1.24', '1.31', '1.32'])(
    'writes the golden file of %s',
    async (version) => {
      const mesh = meshWith({
        clusters: [primary('cluster1'), primary('cluster2'), primary('far', {network: 'network2'})],
      });
      await expect(render(mesh, version).text).toMatchFileSnapshot(`../../fixtures/golden/install/${version}.yaml`);
    },
  );

  it('refuses a version before 1.6', () => {
    expect(codeOf(() => render(meshWith(), '1.4.10'))).toMatchObject({code: 'USAGE'});
  });

  it("nests the network's entry, unlike the guide's document", () => {
    const guide = `
meshNetworks:
  network1:
  endpoints:
    - fromRegistry: cluster1
  gateways:
    - registry_service_name: istio-ingressgateway.istio-system.svc.cluster.local
      port: 443
`;
    // The guide's indentation loses the network: its entry is null, and two networks have the wrong names.
    expect(parse(guide)).toEqual({
      meshNetworks: {network1: null, endpoints: expect.any(Array) as unknown, gateways: expect.any(Array) as unknown},
    });
    expect(document(meshWith(), '1.6')).toMatchObject({
      spec: {
        values: {
          global: {
            meshNetworks: {
              network1: {
                endpoints: [{fromRegistry: 'cluster1'}],
                gateways: [{registry_service_name: 'istio-ingressgateway.istio-system.svc.cluster.local', port: 443}],
              },
            },
          },
        },
      },
    });
  });

  it("has Istio's names of the clusters", () => {
    const clusters = [primary('a', {istioName: 'Kubernetes'}), primary('b', {istioName: 'Prod-EU'})];
    const global = {
      multiCluster: {clusterName: 'Kubernetes'},
      meshNetworks: {network1: {endpoints: [{fromRegistry: 'Kubernetes'}, {fromRegistry: 'Prod-EU'}]}},
    };
    expect(document(meshWith({clusters}), '1.7')).toMatchObject({spec: {values: {global}}});
  });

  it.each(['Prod_EU', 'us.east', 'team/a'])('refuses a name that meshNetworks cannot have: %s', (istioName) => {
    const mesh = meshWith({clusters: [primary('a'), primary('b', {istioName})]});
    expect(codeOf(() => render(mesh, '1.7'))).toMatchObject({code: 'USAGE'});
    expect(document(mesh, '1.8')).toMatchObject({spec: {}});
  });

  it('lists every network with its clusters and its gateway, in the order of mesh.yaml', () => {
    const mesh = meshWith({
      clusters: [
        primary('b'),
        primary('x', {network: 'other', istioName: 'X'}),
        primary('a'),
        {name: 'new', role: 'primary'},
      ],
    });
    const gateways = [{registry_service_name: 'istio-ingressgateway.istio-system.svc.cluster.local', port: 443}];
    const expected = [
      ['network1', {endpoints: [{fromRegistry: 'b'}, {fromRegistry: 'a'}], gateways}],
      ['other', {endpoints: [{fromRegistry: 'X'}], gateways}],
    ];
    const far = mesh.clusters[1];
    for (const cluster of [mesh.clusters[0], far]) {
      const rendered = parse(render(mesh, '1.7', noFiles, cluster).text) as {
        spec: {values: {global: {meshNetworks: object}}};
      };
      expect(Object.entries(rendered.spec.values.global.meshNetworks)).toEqual(expected);
    }
  });
});

describe('every document', () => {
  it.each(['1.6', '1.8', '1.24'])('has the name by which istioctl prunes (%s)', (version) => {
    expect(document(meshWith(), version)).toMatchObject({metadata: {name: 'kubectl-mesh', namespace: 'istio-system'}});
  });

  it.each([
    ['1.6', {values: {global: {trustDomain: 'example.org'}}}],
    ['1.9.9', {values: {global: {trustDomain: 'example.org'}}}],
    ['1.10', {meshConfig: {trustDomain: 'example.org'}}],
    ['1.31', {meshConfig: {trustDomain: 'example.org'}}],
  ])('sets the trust domain at the path that %s reads', (version, spec) => {
    const made = document(meshWith({trustDomain: 'example.org'}), version) as {spec: object};
    expect(made).toMatchObject({spec});
    expect(JSON.stringify(made).split('example.org')).toHaveLength(2);
  });

  it.each([
    ['1.9', false],
    ['1.10', true],
    ['1.31', true],
  ])('%s is ready for root rotation: %s', (version, ready) => {
    const {text} = render(meshWith(), version);
    expect(text.includes('ISTIO_MULTIROOT_MESH: "true"')).toBe(ready);
    expect(text.includes('PROXY_CONFIG_XDS_AGENT: "true"')).toBe(ready);
  });

  it('has no rotation settings if mesh.yaml disables them', () => {
    const mesh = meshWith();
    const {text} = render({...mesh, trust: {...mesh.trust, rotationReady: false}});
    expect(text).not.toMatch(/MULTIROOT|XDS_AGENT/);
  });

  it('contains profile, hub, tag, namespace and the last declared revision', () => {
    const istio = {
      namespace: 'mesh-system',
      profile: 'minimal',
      hub: 'registry.example/istio',
      tag: '1.30.3',
      revisions: ['default', '1-30'],
    };
    expect(document(meshWith({istio}))).toMatchObject({
      metadata: {namespace: 'mesh-system'},
      spec: {
        profile: 'minimal',
        hub: 'registry.example/istio',
        tag: '1.30.3',
        revision: '1-30',
        namespace: 'mesh-system',
        values: {global: {istioNamespace: 'mesh-system'}},
      },
    });
    expect(render(meshWith({istio: {...istio, revisions: ['1-30', 'default']}})).revision).toBeUndefined();
  });

  it.each([
    ['meshID', meshWith(), (mesh: Mesh): Mesh => ({...mesh, meshID: undefined as unknown as string})],
    ['network', meshWith(), (mesh: Mesh): Mesh => ({...mesh, clusters: [{name: 'cluster1', role: 'primary'}]})],
  ])('requires %s', (_field, mesh, without) => {
    expect(codeOf(() => render(without(mesh))).code).toBe('MISSING_VALUE');
  });

  it('refuses a remote instead of rendering a primary for it', () => {
    const mesh = meshWith({clusters: [primary('cluster1', {role: 'remote', primary: 'other'})]});
    expect(codeOf(() => render(mesh)).code).toBe('USAGE');
  });
});

describe('the rendered bytes', () => {
  it('are the same for the same mesh', () => {
    expect(render(meshWith()).text).toBe(render(meshWith()).text);
  });

  it('do not depend on the patch version, or on whether the version is known', () => {
    expect(render(meshWith(), '1.31.0').text).toBe(render(meshWith(), '1.31.7').text);
    expect(render(meshWith(), '1.32').text).toBe(render(meshWith(), 'unknown').text);
  });

  it('contain no date and no path', () => {
    expect(render(meshWith()).text).not.toMatch(/20\d\d-|\/home|\/tmp|\/work/);
  });

  it('reveal edits', () => {
    const {text} = render(meshWith());
    expect(installYamlState(text)).toBe('rendered');
    expect(installYamlState(text.replace('mesh1', 'mesh2'))).toBe('edited');
    expect(installYamlState(`${text}\n`)).toBe('edited');
    expect(installYamlState(text.replaceAll('\n', '\r\n'))).toBe('edited');
    expect(installYamlState('apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n')).toBe('foreign');
  });
});

describe('hostile values', () => {
  const hostile = [
    'on',
    'off',
    'yes',
    'no',
    'y',
    'n',
    'Y',
    'true',
    'null',
    '~',
    '0123',
    '0o17',
    '0x1f',
    '1e3',
    '1_000',
    '12:30:45',
    '.inf',
    'nan',
    '2026-01-01',
    '=',
    '<<',
    '- a',
    '# c',
    'a: b',
    '*a',
    '&a',
    '!t',
    '%d',
    '@a',
    '`a`',
    '"q"',
    "it's",
    '{a: b}',
    '[a]',
    'a,b',
    ' lead',
    'trail ',
    '',
    'tab\there',
    'two\nlines',
    'two\nlines\n',
    'ünï',
    '\u2028',
    '\u0000',
    '${HOME}',
    '$(id)',
    '---',
  ];

  it.each(hostile)('keeps %j a string in YAML 1.1 and 1.2', (value) => {
    const mesh = meshWith({
      istio: {namespace: 'istio-system', profile: 'default', values: {hostile: value, [value]: 'key'}},
    });
    const {text} = render(mesh);
    for (const version of ['1.1', '1.2'] as const) {
      expect(parse(text, {version})).toMatchObject({spec: {values: {hostile: value, [value]: 'key'}}});
      expect(parseAllDocuments(text, {version})).toHaveLength(1);
    }
  });

  it.each(['on', '0123', '1e3'])('quotes mesh ID and network %s', (value) => {
    const mesh = meshWith({meshID: value, clusters: [primary('on', {network: value})]});
    const {text} = render(mesh, '1.6');
    expect(parse(text, {version: '1.1'})).toMatchObject({
      spec: {
        values: {
          global: {
            meshID: value,
            network: value,
            multiCluster: {clusterName: 'on'},
            meshNetworks: {[value]: {endpoints: [{fromRegistry: 'on'}]}},
          },
        },
      },
    });
  });

  it('writes no anchors for values that appear twice', () => {
    const shared = {a: ['x']};
    const istio = {namespace: 'istio-system', profile: 'default', values: {one: shared, two: shared}};
    expect(render(meshWith({istio})).text).not.toMatch(/[&*]a\d/);
  });

  it.each([
    ['an alias without an anchor', 'spec: {values: *missing}'],
    [
      'aliases that expand exponentially',
      [
        'spec:',
        '  a: &a [x, x, x, x, x, x, x, x, x, x]',
        ...['b', 'c', 'd'].map(
          (name, at) =>
            `  ${name}: &${name} [${Array(10)
              .fill(`*${'abc'[at] ?? ''}`)
              .join(', ')}]`,
        ),
      ].join('\n'),
    ],
  ])('rejects an overlay with %s', (_what, text) => {
    expect(() => parseOverlay('o.yaml', text)).toThrow(expect.objectContaining({code: 'OVERLAY_INVALID'}));
  });

  it('treats __proto__ as a key like any other', () => {
    const overlay = parseOverlay('o.yaml', 'spec: {values: {__proto__: {polluted: true}}}');
    const mesh = meshWith({istio: {namespace: 'istio-system', profile: 'default', overlays: ['o.yaml']}});
    expect(render(mesh, '1.30', new Map([['o.yaml', overlay]])).text).toContain('__proto__');
    expect(({} as {polluted?: boolean}).polluted).toBeUndefined();
  });
});

describe('values and overlays', () => {
  const withOverlays = (
    texts: Record<string, string>,
    change: Partial<Mesh['istio']> = {},
    cluster: Partial<MeshCluster> = {},
  ) => {
    const files = new Map(Object.entries(texts).map(([path, text]) => [path, parseOverlay(path, text)]));
    const mesh = meshWith({
      istio: {namespace: 'istio-system', profile: 'default', ...change},
      clusters: [primary('cluster1', cluster)],
    });
    return document(mesh, '1.30', files) as {spec: Record<string, unknown>};
  };

  it('merges maps deeply and replaces lists, the cluster over the mesh, files over values', () => {
    const made = withOverlays(
      {
        'mesh.d/a.yaml': 'spec:\n  values: {pilot: {cpu: {targetAverageUtilization: 70}, tolerations: [{key: b}]}}\n',
        'c.yaml':
          'spec: {values: {pilot: {autoscaleMin: 3}}, components: {egressGateways: [{name: e, enabled: true}]}}',
      },
      {values: {pilot: {autoscaleMin: 1, tolerations: [{key: 'a'}, {key: 'z'}]}}, overlays: ['mesh.d/a.yaml']},
      {values: {pilot: {autoscaleMin: 2}}, overlays: ['c.yaml']},
    );
    expect(made.spec).toMatchObject({
      values: {
        pilot: {
          env: {ISTIO_MULTIROOT_MESH: 'true'},
          cpu: {targetAverageUtilization: 70},
          tolerations: [{key: 'b'}],
          autoscaleMin: 3,
        },
      },
      components: {egressGateways: [{name: 'e', enabled: true}]},
    });
  });

  it.each([
    [
      'an owned field',
      'spec: {values: {global: {network: other}}}',
      'spec.values.global.network',
      'clusters: cluster1, network',
    ],
    [
      'the cluster name',
      'spec: {values: {global: {multiCluster: {clusterName: x}}}}',
      'clusterName',
      'clusters: cluster1, name',
    ],
    [
      "istiod's cluster name by its variable",
      'spec: {values: {pilot: {env: {CLUSTER_ID: x}}}}',
      'CLUSTER_ID',
      'clusters: cluster1, name',
    ],
    [
      "istiod's cluster name by a list of variables",
      'spec: {components: {pilot: {k8s: {env: [{name: CLUSTER_ID, value: x}]}}}}',
      'CLUSTER_ID',
      'clusters: cluster1, name',
    ],
    [
      "the proxies' cluster name by its variable",
      'spec: {meshConfig: {defaultConfig: {proxyMetadata: {ISTIO_META_CLUSTER_ID: x}}}}',
      'ISTIO_META_CLUSTER_ID',
      'clusters: cluster1, name',
    ],
    ['the mesh ID', 'spec: {values: {global: {meshID: x}}}', 'spec.values.global.meshID', 'meshID'],
    ['the name', 'metadata: {name: x}', 'metadata.name', 'kubectl-mesh'],
    ['the namespace', 'metadata: {namespace: x}', 'metadata.namespace', 'istio.namespace'],
    ['the trust domain', 'spec: {meshConfig: {trustDomain: x}}', 'spec.meshConfig.trustDomain', 'trustDomain'],
    [
      'the trust domain at the path of old versions',
      'spec: {values: {global: {trustDomain: x}}}',
      'spec.values.global.trustDomain',
      'trustDomain',
    ],
    [
      'a field by its unchecked path',
      'spec: {unvalidatedValues: {global: {network: x}}}',
      'spec.unvalidatedValues.global.network',
      'network',
    ],
    ['the revision', 'spec: {revision: canary}', 'spec.revision', 'istio.revisions'],
    ['the profile', 'spec: {profile: demo}', 'spec.profile', 'istio.profile'],
    [
      'rotation readiness',
      'spec: {values: {pilot: {env: {ISTIO_MULTIROOT_MESH: "false"}}}}',
      'ISTIO_MULTIROOT_MESH',
      'trust.rotationReady',
    ],
    ['a parent of an owned field', 'spec: {values: {global: null}}', 'spec.values.global', 'clusters: cluster1, name'],
    ['a list in place of the map', 'spec: {values: {global: []}}', 'spec.values.global', 'clusters: cluster1, name'],
  ])('refuses an overlay that changes %s, naming both places', (_what, text, place, owner) => {
    const error = codeOf(() => withOverlays({'o.yaml': text}, {overlays: ['o.yaml']}));
    expect(error.code).toBe('OVERLAY_INVALID');
    expect(error.message).toContain('o.yaml');
    expect(error.message).toContain(place);
    expect(error.message).toContain(owner);
  });

  it('names mesh.yaml and the cluster for values', () => {
    const error = codeOf(() => withOverlays({}, {}, {values: {global: {network: 'x'}}}));
    expect(error).toMatchObject({code: 'OVERLAY_INVALID'});
    expect(error.message).toContain('mesh.yaml clusters: cluster1, values, global.network');
  });

  it.each([
    'spec: {values: {global: {network: network1, meshID: mesh1}}}',
    'spec: {values: {pilot: {env: {ISTIO_MULTIROOT_MESH: true}}}}',
    'metadata: {name: kubectl-mesh, labels: {team: a}}',
    'apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {}',
    '',
    '# nothing yet\n',
  ])('accepts an overlay that repeats an owned field or does not set it: %j', (text) => {
    expect(withOverlays({'o.yaml': text}, {overlays: ['o.yaml']})).toHaveProperty(
      'spec.values.global.network',
      'network1',
    );
  });

  it.each([
    ['text', 'just text'],
    ['a list', '- a'],
    ['broken YAML', 'spec: {'],
    ['duplicate keys', 'spec: {a: 1, a: 2}'],
    ['two documents', 'spec: {}\n---\nspec: {}\n'],
    ['another kind', 'kind: ConfigMap\nspec: {}'],
    ['Helm values instead of a document', 'global: {network: network1}'],
    ['a spec that is not a map', 'spec: [a]'],
    ['a word that is a boolean in YAML 1.1', 'spec: {values: {cni: {enabled: on}}}'],
  ])('refuses a file with %s', (_what, text) => {
    expect(codeOf(() => parseOverlay('o.yaml', text)).code).toBe('OVERLAY_INVALID');
  });

  it('names a missing overlay file', () => {
    const mesh = meshWith({istio: {namespace: 'istio-system', profile: 'default', overlays: ['gone.yaml']}});
    expect(codeOf(() => render(mesh))).toMatchObject({code: 'FILE_MISSING'});
    expect(codeOf(() => renderInstall(mesh, primary('cluster1'), release('1.30'), noFiles)).message).toContain(
      'gone.yaml',
    );
  });
});
