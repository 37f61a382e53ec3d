import {describe, expect, it} from 'vitest';
import {PerPod, type ServedChain} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {known} from '../../../src/domain/observed.js';
import {evidence, servedChain} from './healthy.js';

const byOtherCa: ServedChain = {chain: [], certificates: [], linked: false, signedBy: 'kubernetes'};
const parts = (...values: readonly ServedChain[]) =>
  new PerPod(values.map((value, at) => ({name: `istiod-${String(at + 1)}`, observed: known(value)})));

function resultsOf(...served: readonly ServedChain[]): readonly string[] {
  const only = checks.filter(({id}) => ['MESH303', 'MESH307'].includes(id));
  return judgedText(only, evidence({cluster1: {servedChains: parts(...served)}})).checks.map(
    ({id, cluster, result}) => `${id} ${cluster ?? ''} ${result}`,
  );
}

describe('an istiod with a certificate from another CA (PILOT_CERT_PROVIDER)', () => {
  it('is not a finding, and its handshake says nothing about its CA', () => {
    expect(resultsOf(byOtherCa)).toEqual([
      'MESH303 cluster1 skipped',
      'MESH303 cluster2 ok',
      'MESH307 cluster1 ok',
      'MESH307 cluster2 skipped',
    ]);
  });

  it('does not hide another istiod that presents a different CA', () => {
    expect(resultsOf(byOtherCa, servedChain('cluster2'))).toContain('MESH303 cluster1 error');
  });
});
