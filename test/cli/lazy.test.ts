import {expect, it} from 'vitest';
import {lazy} from '../../src/cli/deps.js';

interface Counter {
  add(count: number): Promise<number>;
  fail(): Promise<never>;
}

function counter(): {readonly loads: () => number; readonly object: Counter} {
  let loads = 0;
  const object = lazy<Counter>(() => {
    loads += 1;
    let sum = 0;
    return Promise.resolve({
      add: (count) => Promise.resolve((sum += count)),
      fail: () => Promise.reject(new Error('no')),
    });
  });
  return {loads: () => loads, object};
}

it('loads once, on the first call', async () => {
  const {loads, object} = counter();
  expect([typeof object.add, loads()]).toEqual(['function', 0]);
  expect(await Promise.all([object.add(2), object.add(3)])).toEqual([2, 5]);
  expect(loads()).toBe(1);
  await expect(object.fail()).rejects.toThrow('no');
});

it('is not a promise: awaiting it loads nothing', async () => {
  const {loads, object} = counter();
  expect(await Promise.resolve(object)).toBe(object);
  expect(loads()).toBe(0);
});
