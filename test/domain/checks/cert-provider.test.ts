import {describe, expect, it} from 'vitest';
import {PerPod, type ServedChain} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {known} from '../../../src/domain/observed.js';
import {evidence, servedChain} from './healthy.js';

const others: ServedChain = {chain: [], certificates: [], linked: false, signedBy: 'kubernetes'};
const parts = (...values: readonly ServedChain[]) =>
  new PerPod(values.map((value, at) => ({name: `istiod-${String(at + 1)}`, observed: known(value)})));

function resultsOf(...served: readonly ServedChain[]): readonly string[] {
  const only = checks.filter(({id}) => ['MESH303', 'MESH307'].includes(id));
  return judgedText(only, evidence({cluster1: {servedChains: parts(...served)}})).checks.map(
    ({id, cluster, result}) => `${id} ${cluster ?? ''} ${result}`,
  );
}

describe('an istiod whose certificate is not of its own CA', () => {
  it('is no fault, and nothing is said of its CA by its handshake', () => {
    expect(resultsOf(others)).toEqual([
      'MESH303 cluster1 skipped',
      'MESH303 cluster2 ok',
      'MESH307 cluster1 ok',
      'MESH307 cluster2 skipped',
    ]);
  });

  it('hides no other istiod that presents another CA', () => {
    expect(resultsOf(others, servedChain('cluster2'))).toContain('MESH303 cluster1 error');
  });
});
