import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {parseOverlay, type Overlay} from '../../../src/domain/install/overlays.js';
import {renderInstall} from '../../../src/domain/install/render.js';
import {valueAt} from '../../../src/domain/tree.js';
import type {Mesh} from '../../../src/domain/mesh/mesh.js';
import type {SignerSpecOf} from '../../../src/domain/mesh/signer.js';
import {tinyRoot} from '../../helpers/tiny-ca.js';
import {codeOf, meshWith, primary, release} from './meshes.js';

const istioCsr = {type: 'external', issuer: 'istio-csr'} as const;
const kubernetesCsr = {type: 'external', issuer: 'kubernetes-csr', signerName: 'issuers.example.com/mesh'} as const;
const root = (await tinyRoot()).certificate.pem;

function meshOf(signer: SignerSpecOf<'external'>, change: Partial<Mesh> = {}): Mesh {
  const mesh = meshWith(change);
  return {...mesh, trust: {...mesh.trust, signer}};
}

function render(mesh: Mesh, version = '1.31', roots: string | undefined = root): unknown {
  const files = new Map<string, Overlay>();
  const cluster = mesh.clusters[0] ?? primary('cluster1');
  for (const path of cluster.overlays ?? []) files.set(path, parseOverlay(path, overlayText));
  return parse(renderInstall(mesh, cluster, release(version), files, roots).text);
}

const overlayText = 'spec: {values: {global: {caAddress: "elsewhere:443"}}}';

const env = (document: unknown): unknown => valueAt(document, ['spec', 'values', 'pilot', 'env']);

describe('install.yaml with an external issuer', () => {
  it.each([
    [undefined, 'cert-manager-istio-csr.cert-manager.svc:443'],
    ['csr.elsewhere.svc:8443', 'csr.elsewhere.svc:8443'],
  ])('sets the address of istio-csr (declared: %s) and disables the CA of istiod', (caAddress, expected) => {
    const document = render(meshOf({...istioCsr, ...(caAddress !== undefined && {caAddress})}));
    expect(valueAt(document, ['spec', 'values', 'global', 'caAddress'])).toBe(expected);
    expect(env(document)).toMatchObject({ENABLE_CA_SERVER: 'false', ISTIO_MULTIROOT_MESH: 'true'});
  });

  it('configures istiod and proxies for a Kubernetes signer and its root', () => {
    const document = render(meshOf(kubernetesCsr));
    expect(env(document)).toEqual({EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API', CERT_SIGNER_DOMAIN: 'issuers.example.com'});
    expect(valueAt(document, ['spec', 'values', 'global'])).toMatchObject({
      pilotCertProvider: 'k8s.io/issuers.example.com/mesh',
      certSigners: ['issuers.example.com/mesh'],
    });
    expect(valueAt(document, ['spec', 'meshConfig'])).toMatchObject({
      defaultConfig: {proxyMetadata: {ISTIO_META_CERT_SIGNER: 'mesh'}},
      caCertificates: [{pem: root, certSigners: ['issuers.example.com/mesh']}],
    });
  });

  it.each(['spire', 'cert-manager'] as const)('has no settings for %s', (issuer) => {
    expect(render(meshOf({type: 'external', issuer}))).toEqual(render(meshWith()));
  });

  it.each<[string, () => unknown, string]>([
    ['istio-csr before 1.16', () => render(meshOf(istioCsr), '1.15.7'), 'USAGE'],
    ['a Kubernetes signer before 1.24', () => render(meshOf(kubernetesCsr), '1.23.6'), 'USAGE'],
    ['a root that is not a certificate', () => render(meshOf(kubernetesCsr), '1.31', 'hello'), 'NOT_PEM'],
    [
      'values that make istiod a CA again',
      () =>
        render(
          meshOf(istioCsr, {
            istio: {
              namespace: 'istio-system',
              profile: 'default',
              values: {pilot: {env: {ENABLE_CA_SERVER: 'true'}}},
            },
          }),
        ),
      'OVERLAY_INVALID',
    ],
    [
      'an overlay with another address',
      () => render(meshOf(istioCsr, {clusters: [primary('cluster1', {overlays: ['a.yaml']})]})),
      'OVERLAY_INVALID',
    ],
  ])('refuses %s', (_, work, code) => {
    expect(codeOf(work)).toBe(code);
  });

  describe('an overlay with a CA', () => {
    const overlaid = (spec: object) => {
      const [cluster] = meshWith().clusters;
      if (!cluster) throw new Error('no cluster');
      const overlay = parseOverlay('a.yaml', JSON.stringify({spec}));
      return (mesh: Mesh): string =>
        renderInstall(mesh, {...cluster, overlays: ['a.yaml']}, release('1.31'), new Map([['a.yaml', overlay]])).text;
    };
    const values = (caAddress: string) => ({values: {global: {caAddress}}});
    const metadata = {meshConfig: {defaultConfig: {proxyMetadata: {CA_ADDR: 'elsewhere:443'}}}};
    const provider = (name: string) => ({meshConfig: {defaultConfig: {proxyMetadata: {CA_PROVIDER: name}}}});
    const istiodWith = (name: string, value: string) => ({pilot: {k8s: {env: [{name, value}]}}});
    const env = (variables: object) => ({values: {pilot: {env: variables}}});

    it.each<[string, object, Mesh]>([
      ['in the values, where istiod issues', values('elsewhere:443'), meshWith()],
      ['in unvalidatedValues', {unvalidatedValues: values('elsewhere:443').values}, meshWith()],
      ["in the proxies' metadata", metadata, meshWith()],
      ["in the proxies' metadata, where istio-csr issues", metadata, meshOf(istioCsr)],
      ['of another provider in the values', {values: {global: {caName: 'GkeWorkloadCertificate'}}}, meshWith()],
      ["of another provider in the proxies' metadata", provider('GoogleCA'), meshOf(istioCsr)],
      ['instead of istiod', env({ENABLE_CA_SERVER: 'false'}), meshWith()],
      ['instead of istiod, in a list', {components: istiodWith('ENABLE_CA_SERVER', 'false')}, meshWith()],
      ['behind istiod', env({EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API'}), meshWith()],
      ['of istiod, where istio-csr issues', values('istiod.istio-system.svc:15012'), meshOf(istioCsr)],
    ])('is refused %s', (_, spec, mesh) => {
      expect(codeOf(() => overlaid(spec)(mesh))).toBe('OVERLAY_INVALID');
    });

    it.each<[string, object, Mesh]>([
      ['of istiod itself', values('istiod.istio-system.svc:15012'), meshWith()],
      [
        'of the declared istio-csr',
        values('cert-manager-istio-csr.cert-manager.svc.cluster.local:443'),
        meshOf(istioCsr),
      ],
      ['of the usual provider', {values: {global: {caName: 'Citadel', caAddress: ''}}}, meshWith()],
      [
        'of istiod, beside its other variables',
        {...values(''), components: istiodWith('PILOT_TRACE_SAMPLING', '1')},
        meshWith(),
      ],
      ['of istiod, which issues', {values: {...values('').values, ...env({ENABLE_CA_SERVER: 'T'}).values}}, meshWith()],
      ['that SPIRE makes irrelevant', values('elsewhere:443'), meshOf({type: 'external', issuer: 'spire'})],
    ])('is accepted if it is that %s', (_, spec, mesh) => {
      expect(overlaid(spec)(mesh)).toContain('caAddress');
    });
  });

  it('requires the root of a Kubernetes signer', () => {
    const [cluster] = meshWith().clusters;
    if (!cluster) throw new Error('no cluster');
    const work = (): unknown => renderInstall(meshOf(kubernetesCsr), cluster, release('1.31'), new Map());
    expect(codeOf(work)).toBe('FILE_MISSING');
  });
});
