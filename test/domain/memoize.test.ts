import {describe, expect, it} from 'vitest';
import {LatestResults} from '../../src/domain/memoize.js';

describe('the latest results', () => {
  const computed: string[] = [];
  const results = new LatestResults<{readonly key: string}>(2);
  const get = (key: string) =>
    results.get(key, () => {
      computed.push(key);
      return {key};
    });

  it('are computed once, and again after others were requested more recently', () => {
    const first = get('a');
    get('b');
    expect(get('a')).toBe(first);
    get('c');
    expect(get('a')).toBe(first);
    expect(get('b')).toEqual({key: 'b'});
    expect(computed).toEqual(['a', 'b', 'c', 'b']);
  });

  it('do not include errors', () => {
    const fail = () =>
      results.get('d', () => {
        throw new Error('no');
      });
    expect(fail).toThrow('no');
    expect(get('d')).toEqual({key: 'd'});
  });
});
