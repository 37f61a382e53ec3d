/** Nothing is called proven that was never seen to fail. */
import {expect, it} from 'vitest';
import {checks} from '../../src/domain/checks/registry.js';
import {checkOf} from './harness/fault.js';
import {meshes} from './healthy/meshes.js';
import {allFaults} from './seeded/all.js';

it('seeds at least one fault for every check but those of requests, whose faults are on the data path', () => {
  const seeded = new Set(allFaults.map(checkOf));
  const read = checks.filter(({vantage}) => vantage !== 'requests');
  expect(read.map(({id}) => id).filter((id) => !seeded.has(id))).toEqual([]);
});

it('seeds faults of checks that exist, each with an id of its own', () => {
  const known = new Set<string>(checks.map(({id}) => id));
  expect(allFaults.map(checkOf).filter((id) => !known.has(id))).toEqual([]);
  const ids = [...allFaults.map(({id}) => id), ...meshes.map(({id}) => id)];
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});
