import {describe, expect, it} from 'vitest';
import {identityProblems, uidsToRecord} from '../../../src/domain/mesh/identity.js';
import {meshWith, primary} from '../install/meshes.js';

const mesh = meshWith({clusters: [primary('a', {uid: 'uid-a'}), primary('b', {uid: 'uid-b'}), primary('new')]});

describe('identityProblems', () => {
  it.each([
    ['recorded and same', [{name: 'a', uid: 'uid-a'}], false, []],
    ['not recorded yet', [{name: 'new', uid: 'uid-n'}], false, []],
    ['another one than recorded', [{name: 'a', uid: 'uid-x'}], false, ['a']],
    ['another one, agreed to', [{name: 'a', uid: 'uid-x'}], true, []],
    ['the one of another name', [{name: 'new', uid: 'uid-b'}], false, ['new']],
    ['the one of another name, whatever was agreed to', [{name: 'a', uid: 'uid-b'}], true, ['a']],
    [
      'two names, one cluster',
      [
        {name: 'a', uid: 'uid-n'},
        {name: 'new', uid: 'uid-n'},
      ],
      true,
      ['a', 'new'],
    ],
    [
      'swapped, agreed to',
      [
        {name: 'a', uid: 'uid-b'},
        {name: 'b', uid: 'uid-a'},
      ],
      true,
      [],
    ],
  ])('%s', (_what, seen, accept, refused) => {
    const problems = identityProblems(mesh, seen, accept);
    expect(problems.map(({cluster}) => cluster)).toEqual(refused);
    expect(problems.every(({error}) => error.code === 'UID_MISMATCH')).toBe(true);
  });

  it('records what is new or was agreed to', () => {
    expect(
      uidsToRecord(mesh, [
        {name: 'a', uid: 'uid-a'},
        {name: 'new', uid: 'uid-n'},
      ]),
    ).toEqual({new: 'uid-n'});
  });
});
