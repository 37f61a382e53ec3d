import {describe, expect, it} from 'vitest';
import {identityProblems, uidsToRecord} from '../../../src/domain/mesh/identity.js';
import {meshWith, primary} from '../install/meshes.js';

const mesh = meshWith({clusters: [primary('a', {uid: 'uid-a'}), primary('b', {uid: 'uid-b'}), primary('new')]});

describe('identityProblems', () => {
  it.each([
    ['the recorded UID', [{name: 'a', uid: 'uid-a'}], false, []],
    ['no recorded UID', [{name: 'new', uid: 'uid-n'}], false, []],
    ['a different UID', [{name: 'a', uid: 'uid-x'}], false, ['a']],
    ['a different UID with --accept-uid', [{name: 'a', uid: 'uid-x'}], true, []],
    ['the UID of another cluster', [{name: 'new', uid: 'uid-b'}], false, ['new']],
    ['the UID of another cluster with --accept-uid', [{name: 'a', uid: 'uid-b'}], true, ['a']],
    [
      'the same UID for two clusters',
      [
        {name: 'a', uid: 'uid-n'},
        {name: 'new', uid: 'uid-n'},
      ],
      true,
      ['a', 'new'],
    ],
    [
      'swapped UIDs with --accept-uid',
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

  it('records new and accepted UIDs', () => {
    expect(
      uidsToRecord(mesh, [
        {name: 'a', uid: 'uid-a'},
        {name: 'new', uid: 'uid-n'},
      ]),
    ).toEqual({new: 'uid-n'});
  });
});
