import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {parseOverlay, type Overlay} from '../../../src/domain/install/overlays.js';
import {renderInstall, type Rendered} from '../../../src/domain/install/render.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {Mesh, MeshIstio} from '../../../src/domain/mesh/mesh.js';
import {valueAt} from '../../../src/domain/tree.js';
import {meshWith, primary} from './meshes.js';

const networks = [primary('a'), primary('b', {network: 'network2'})];
const istio = (change: Partial<MeshIstio>): MeshIstio => ({namespace: 'istio-system', profile: 'ambient', ...change});

function render(mesh: Mesh, version: string, files: ReadonlyMap<string, Overlay> = new Map()): Rendered {
  const [first] = mesh.clusters;
  if (!first) throw new Error('the mesh has no cluster');
  return renderInstall(mesh, first, resolveVersion(version), files);
}

const at = ({text}: Rendered, path: string): unknown => valueAt(parse(text), path.split('.'));
const variable = 'spec.values.pilot.env.AMBIENT_ENABLE_MULTI_NETWORK';

describe('ambient mode on several networks', () => {
  it.each(['ambient', 'openshift-ambient'])('is enabled with profile %s, in the versions that have it', (profile) => {
    const mesh = meshWith({clusters: networks, istio: istio({profile})});
    expect(['1.27.0', '1.31', 'unknown'].map((version) => at(render(mesh, version), variable))).toEqual([
      'true',
      'true',
      'true',
    ]);
    expect(render(mesh, '1.27.0').notes).toEqual([]);
    const old = render(mesh, '1.26.8');
    expect(at(old, variable)).toBeUndefined();
    expect(old.notes).toEqual([expect.stringMatching(/1\.26\.8.* 1\.27 /)]);
  });

  it('is enabled where an overlay enables ztunnel, and not where one disables it', () => {
    const enabled = (value: boolean): string => `spec:\n  components:\n    ztunnel:\n      enabled: ${String(value)}\n`;
    const cases = [
      ['default', 'true'],
      ['ambient', undefined],
    ] as const;
    for (const [profile, expected] of cases) {
      const mesh = meshWith({clusters: networks, istio: istio({profile, overlays: ['o.yaml']})});
      const files = new Map([['o.yaml', parseOverlay('o.yaml', enabled(expected === 'true'))]]);
      expect(at(render(mesh, '1.31', files), variable)).toBe(expected);
    }
  });

  it.each([
    ['on one network', meshWith({clusters: [primary('a'), primary('b')], istio: istio({})})],
    ['without ambient mode', meshWith({clusters: networks})],
  ])('is not enabled %s', (_what, mesh) => {
    expect(at(render(mesh, '1.31'), variable)).toBeUndefined();
    expect(render(mesh, '1.26').notes).toEqual([]);
  });

  it('can be turned off, because it also affects sidecars', () => {
    const values = {pilot: {env: {AMBIENT_ENABLE_MULTI_NETWORK: 'false'}}};
    const mesh = meshWith({clusters: networks, istio: istio({values})});
    expect(at(render(mesh, '1.31'), variable)).toBe('false');
  });
});

describe('the image hub', () => {
  it.each([
    ['1.6', undefined],
    ['1.29.8', undefined],
    ['1.30', 'docker.io/istio'],
    ['1.30.0', 'docker.io/istio'],
    ['1.31.0', undefined],
    ['unknown', undefined],
  ])('of %s is %s by default', (version, hub) => {
    const rendered = render(meshWith(), version);
    expect(at(rendered, 'spec.hub')).toBe(hub);
    expect(rendered.notes).toEqual([]);
  });

  it('is the declared one; one that is shut down is noted', () => {
    const cases = [
      ['registry.example/istio', 0],
      ['gcr.io/istio-release', 1],
      ['registry.istio.io/release', 1],
    ] as const;
    for (const [hub, notes] of cases) {
      const rendered = render(meshWith({istio: istio({hub})}), '1.30');
      expect(at(rendered, 'spec.hub')).toBe(hub);
      expect(rendered.notes).toHaveLength(notes);
    }
  });

  it('of a build that is not an Istio release is the default of its istioctl', () => {
    expect(at(render(meshWith(), '1.30.3-acme.1'), 'spec.hub')).toBeUndefined();
    expect(at(render(meshWith({istio: istio({tag: '1.30.3-acme.1'})}), '1.30'), 'spec.hub')).toBeUndefined();
  });

  it.each([
    ['a value', {global: {hub: 'registry.istio.io/release'}}, 1],
    ['another value', {global: {hub: 'mirror.example/istio'}}, 0],
  ])('is that of %s, if there is one', (_what, values, notes) => {
    const rendered = render(meshWith({istio: istio({values})}), '1.30');
    expect(at(rendered, 'spec.hub')).toBeUndefined();
    expect(at(rendered, 'spec.values.global.hub')).toBe(values.global.hub);
    expect(rendered.notes).toHaveLength(notes);
  });
});
