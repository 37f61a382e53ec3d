import {describe, expect, it} from 'vitest';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {ClusterFactValues} from '../../../src/domain/facts/facts.js';
import type {SignerSpecOf} from '../../../src/domain/mesh/signer.js';
import {evidence, mesh} from './healthy.js';

type External = SignerSpecOf<'external'>;
const istioCsr: External = {type: 'external', issuer: 'istio-csr'};
const spire: External = {type: 'external', issuer: 'spire'};

function rowsOf(id: string, signer: External, cluster1: Partial<ClusterFactValues> = {}) {
  const overrides = {mesh: {trust: {...mesh.trust, signer}}, cluster1};
  return judgedText(checks, evidence(overrides)).checks.filter((row) => row.id === id && row.cluster !== 'cluster2');
}

describe('a mesh with an external workload certificate issuer', () => {
  it.each([
    'MESH102',
    'MESH103',
    'MESH104',
    'MESH105',
    'MESH108',
    'MESH109',
    'MESH110',
    'MESH112',
    'MESH302',
    'MESH303',
    'MESH305',
    'MESH308',
  ])('skips %s, which is about cacerts, and names the issuer', (id) => {
    const [row] = rowsOf(id, istioCsr);
    expect([row?.result, row?.reason?.includes('istio-csr')]).toEqual(['skipped', true]);
  });

  it('evaluates live checks, except with SPIRE, whose roots istiod does not know', () => {
    for (const id of ['MESH304', 'MESH307']) {
      expect(rowsOf(id, istioCsr).map(({result}) => result)).toEqual(['ok']);
      expect(rowsOf(id, spire).map(({result}) => result)).toEqual(['skipped']);
    }
  });

  it('does not require Secret cacerts', () => {
    expect(rowsOf('MESH301', istioCsr, {cacerts: 'absent'}).map(({result}) => result)).toEqual(['skipped']);
  });

  it('warns about a leftover Secret cacerts, except with SPIRE, where istiod still has a CA', () => {
    const [row] = rowsOf('MESH301', istioCsr);
    expect([row?.result, row?.fix]).toEqual([
      'warning',
      'kubectl --context kind-cluster1 -n istio-system delete secret cacerts',
    ]);
    expect(rowsOf('MESH301', spire).map(({result}) => result)).toEqual(['skipped']);
  });

  it('evaluates the CA in cacerts if cert-manager manages it', () => {
    const certManager: External = {type: 'external', issuer: 'cert-manager'};
    for (const id of ['MESH301', 'MESH302', 'MESH303']) {
      expect(rowsOf(id, certManager).map(({result}) => result)).toEqual(['ok']);
    }
  });
});
