import {describe, expect, it} from 'vitest';
import {certManagerCertificate} from '../../../src/domain/ca/cert-manager.js';
import type {Mesh} from '../../../src/domain/mesh/mesh.js';
import {meshWith, primary} from '../install/meshes.js';

const issuer = {name: 'company', kind: 'ClusterIssuer', group: 'cert-manager.io'};

function specOf(change: Partial<Mesh['trust']> = {}): Readonly<Record<string, unknown>> {
  const mesh = meshWith();
  const certificate = certManagerCertificate({...mesh, trust: {...mesh.trust, ...change}}, primary('east'), issuer);
  return (certificate as {readonly spec: Readonly<Record<string, unknown>>}).spec;
}

const hoursOf = (duration: unknown): number => Number(/^(\d+)h0m0s$/.exec(String(duration))?.[1]);

describe("cert-manager's Certificate", () => {
  it('requests a CA in Secret cacerts, named after its cluster, with a new key each time', () => {
    expect(specOf()).toMatchObject({
      secretName: 'cacerts',
      isCA: true,
      subject: {organizations: ['Istio'], localities: ['east']},
      privateKey: {algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always'},
      usages: ['digital signature', 'cert sign', 'crl sign'],
      issuerRef: issuer,
    });
  });

  it.each([
    ['rsa-2048', 'RSA', 2048],
    ['rsa-4096', 'RSA', 4096],
    ['ecdsa-p384', 'ECDSA', 384],
  ] as const)('requests %s', (keyAlgorithm, algorithm, size) => {
    expect(specOf({keyAlgorithm}).privateKey).toMatchObject({algorithm, size});
  });

  it.each([
    ['the default', 730, {share: 0.3, days: 30, capDays: 180}, 181],
    ['a share without a limit', 730, {share: 0.3, days: 30}, 220],
    ['many days of warning', 730, {share: 0.1, days: 90}, 91],
    ['a lifetime shorter than the warning', 30, {share: 0.3, days: 30}, 15],
    ['a lifetime of one day', 1, {share: 0.3, days: 30}, 1],
  ])('is renewed before verify would warn: %s', (_, clusterValidityDays, warn, days) => {
    const {duration, renewBefore} = specOf({clusterValidityDays, expiry: {warn, error: {share: 0.1, days: 7}}});
    expect([hoursOf(duration), hoursOf(renewBefore)]).toEqual([clusterValidityDays * 24, days * 24]);
  });

  it.each([
    ['1.13', true],
    ['1.14.1', true],
    ['1.14.2', false],
    ['1.30', false],
    [undefined, false],
  ])('is refused if istiod %s does not read it: %s', (version, refused) => {
    const mesh = meshWith({
      istio: {namespace: 'istio-system', profile: 'default', ...(version !== undefined && {version})},
    });
    const create = (): object => certManagerCertificate(mesh, primary('east'), issuer);
    if (refused) expect(create).toThrow(/1\.14\.2/);
    else expect(create()).toHaveProperty('kind', 'Certificate');
  });
});
