import {describe, expect, it} from 'vitest';
import {readNetworkz} from '../../../../src/domain/facts/read/networkz.js';

const gateway = (Network: string, Cluster = 'one') => ({Network, Cluster, Addr: '203.0.113.10', Port: 15443});

describe('the networks for which istiod has a gateway', () => {
  it('are read from the response of a real istiod, each once', () => {
    const text = JSON.stringify([gateway('network1'), gateway('network2', 'two'), gateway('network1', 'three')]);
    expect(readNetworkz(text, 'istiod-1')).toEqual(['network1', 'network2']);
  });

  it.each(['null', '[]'])('are none in %s', (text) => {
    expect(readNetworkz(text, 'istiod-1')).toEqual([]);
  });

  it('cannot contain terminal control sequences', () => {
    expect(readNetworkz(JSON.stringify([gateway('a\u001b[2J\nb')]), 'istiod-1')).toEqual(['a b']);
  });

  it.each(['', '{', '{}', '[1]', '[{}]', '[{"Network":1}]', `[{"Network":"${'x'.repeat(600)}"}]`])(
    'are rejected in %.20j',
    (text) => {
      expect(() => readNetworkz(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
    },
  );
});
