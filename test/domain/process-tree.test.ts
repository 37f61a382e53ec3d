import {expect, it} from 'vitest';
import {descendantsOf, type ProcessEntry} from '../../src/domain/process-tree.js';

const entry = (pid: number, parent: number): ProcessEntry => ({pid, parent, started: String(pid)});

it('finds children and their children, in any order, and nothing else', () => {
  const all = [entry(9, 8), entry(2, 1), entry(8, 5), entry(5, 2), entry(6, 2), entry(7, 1), entry(1, 0)];
  const pids = (roots: readonly number[]) => descendantsOf(roots, all).map(({pid}) => pid);
  expect(pids([5]).sort()).toEqual([8, 9]);
  expect(pids([2]).sort()).toEqual([5, 6, 8, 9]);
  expect(pids([8, 6])).toEqual([9]);
  expect(pids([7, 404])).toEqual([]);
});

it('ends where two processes are each the parent of the other, as in a list that was read while one was replaced', () => {
  expect(descendantsOf([1], [entry(2, 3), entry(3, 2), entry(1, 2)])).toEqual([]);
  expect(descendantsOf([2], [entry(2, 3), entry(3, 2)]).map(({pid}) => pid)).toEqual([3]);
});
