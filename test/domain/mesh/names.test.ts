import {describe, expect, it} from 'vitest';
import type {MeshError} from '../../../src/domain/errors.js';
import {parseClusterName} from '../../../src/domain/mesh/names.js';
import {nearest} from '../../../src/domain/nearest.js';

describe('cluster names', () => {
  it.each(['a', '1', 'cluster1', 'eu-west-1', 'a'.repeat(63)])('accept %s', (name) => {
    expect(parseClusterName(name)).toBe(name);
  });

  it.each([
    '',
    ' ',
    '../x',
    '..',
    '.',
    '-f',
    '--help',
    'a-',
    'Cluster1',
    'a b',
    'a/b',
    'a.b',
    'a_b',
    'ü',
    'a\n',
    'a\u0000',
    'a'.repeat(64),
    '.pending',
  ])('reject %j', (name) => {
    expect(() => parseClusterName(name)).toThrow(expect.objectContaining({code: 'INVALID_CLUSTER_NAME'}) as MeshError);
  });

  it('come with a suggestion', () => {
    try {
      parseClusterName('My Cluster_1');
    } catch (error) {
      expect((error as MeshError).hints).toContain('did you mean "my-cluster-1"?');
    }
    expect.assertions(1);
  });
});

describe('the nearest name', () => {
  it.each([
    ['netwrok', 'network'],
    ['meshId', 'meshID'],
    ['clustr1', 'cluster1'],
    ['a', undefined],
    ['something-else', undefined],
  ])('of %s is %s', (word, expected) => {
    expect(nearest(word, ['network', 'meshID', 'cluster1', 'uid'])).toBe(expected);
  });
});
