import {expect, it} from 'vitest';
import {misspelled, nearest} from '../../src/domain/nearest.js';

it.each<[string, readonly string[], string | undefined]>([
  ['clustr1', ['cluster1', 'cluster2'], 'cluster1'],
  ['clutser1', ['cluster1'], 'cluster1'],
  ['clusterr1', ['cluster1'], 'cluster1'],
  ['cluster2', ['cluster1'], undefined],
  ['cluster11', ['cluster1'], undefined],
  ['prod-b', ['prod-a'], undefined],
  ['east', ['west'], undefined],
  ['eu', ['us'], undefined],
])('%s, with %j: the name that was probably meant is %s', (name, known, meant) => {
  expect(misspelled(name, known)).toBe(meant);
});

it.each<[string, readonly string[], string | undefined]>([
  ['generat', ['generate', 'list'], 'generate'],
  ['LIST', ['generate', 'list'], 'list'],
  ['ab', ['xy'], undefined],
])('the candidate nearest to %s among %j is %s', (word, candidates, meant) => {
  expect(nearest(word, candidates)).toBe(meant);
});
