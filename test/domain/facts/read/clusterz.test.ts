import {describe, expect, it} from 'vitest';
import {readClusterz} from '../../../../src/domain/facts/read/clusterz.js';

describe('the clusters that istiod knows', () => {
  it('are read from the response of a real istiod', () => {
    const text =
      '[{"id":"one","secretName":"","syncStatus":"synced"},{"id":"two","secretName":"a/b","syncStatus":"timeout"}]';
    expect(readClusterz(text, 'istiod-1')).toEqual([
      {id: 'one', secretName: '', status: 'synced'},
      {id: 'two', secretName: 'a/b', status: 'timeout'},
    ]);
  });

  it('are none if Go encodes an empty list as null', () => {
    expect(readClusterz('null\n', 'istiod-1')).toEqual([]);
  });

  it('cannot contain terminal control sequences', () => {
    const text = JSON.stringify([{id: 'a\u001b[2J\nb', syncStatus: 'x\u0007'}]);
    expect(readClusterz(text, 'istiod-1')).toEqual([{id: 'a b', secretName: '', status: 'x'}]);
  });

  it('are rejected if a name is too long', () => {
    const text = JSON.stringify([{id: 'x'.repeat(100_000), syncStatus: 'synced'}]);
    expect(() => readClusterz(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it.each(['', '{', '{}', '"x"', '[1]', '[{"id":1,"syncStatus":"synced"}]', '[{"id":"one"}]', '<html>'])(
    'are rejected in %j',
    (text) => {
      expect(() => readClusterz(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
    },
  );
});
