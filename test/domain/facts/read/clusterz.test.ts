import {describe, expect, it} from 'vitest';
import {readClusterz} from '../../../../src/domain/facts/read/clusterz.js';

describe('the clusters that istiod knows', () => {
  it('are read as a real istiod says them', () => {
    const text =
      '[{"id":"one","secretName":"","syncStatus":"synced"},{"id":"two","secretName":"a/b","syncStatus":"timeout"}]';
    expect(readClusterz(text, 'istiod-1')).toEqual([
      {id: 'one', secretName: '', status: 'synced'},
      {id: 'two', secretName: 'a/b', status: 'timeout'},
    ]);
  });

  it('are none where Go writes an empty list as null', () => {
    expect(readClusterz('null\n', 'istiod-1')).toEqual([]);
  });

  it('cannot write to the terminal', () => {
    const text = JSON.stringify([{id: 'a\u001b[2J\nb', syncStatus: 'x\u0007'}]);
    expect(readClusterz(text, 'istiod-1')).toEqual([{id: 'a b', secretName: '', status: 'x'}]);
  });

  it('is no list of names when a name has no end', () => {
    const text = JSON.stringify([{id: 'x'.repeat(100_000), syncStatus: 'synced'}]);
    expect(() => readClusterz(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });

  it.each(['', '{', '{}', '"x"', '[1]', '[{"id":1,"syncStatus":"synced"}]', '[{"id":"one"}]', '<html>'])(
    'cannot be read from %j',
    (text) => {
      expect(() => readClusterz(text, 'istiod-1')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
    },
  );
});
