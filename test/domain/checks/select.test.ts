import {describe, expect, it} from 'vitest';
import {omittedBy} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {findCheck, selectChecks} from '../../../src/domain/checks/select.js';

function ids(only: readonly string[], skip: readonly string[] = []): readonly string[] {
  return selectChecks(checks, {only, skip}).map(({id}) => id);
}

describe('selecting checks', () => {
  it('takes all when nothing is said', () => {
    expect(ids([])).toEqual(checks.map(({id}) => id));
  });

  it('takes ids, prefixes, and leaves out what is skipped', () => {
    expect(ids(['MESH301', 'MESH40'], ['MESH402'])).toEqual([
      'MESH301',
      'MESH401',
      'MESH403',
      'MESH404',
      'MESH405',
      'MESH406',
      'MESH407',
      'MESH408',
      'MESH409',
    ]);
  });

  it.each(['MESH1', 'MESH2', 'MESH3', 'MESH4', 'MESH5'])('knows the group %s, empty or not', (group) => {
    expect(ids([group]).every((id) => id.startsWith(group))).toBe(true);
    expect(ids([], [group]).every((id) => !id.startsWith(group))).toBe(true);
  });

  it.each(['MESH9', 'MESH399', 'mesh301', '301', '', 'MESH', 'MESH3O1', 'cacerts'])(
    'refuses "%s" and names the nearest',
    (word) => {
      expect(() => ids([word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
      expect(() => ids([], [word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
    },
  );

  it('names the prefixes there are instead of guessing one', () => {
    expect(() => ids(['MESH9'])).toThrow(
      expect.objectContaining({
        hints: expect.arrayContaining(['The prefixes are MESH1, MESH2, MESH3, MESH4, MESH5']) as unknown,
      }),
    );
  });

  it('names the nearest id', () => {
    expect(() => findCheck(checks, 'mesh33')).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_ID',
        hints: expect.arrayContaining([expect.stringMatching(/MESH303/)]) as unknown,
      }),
    );
    expect(findCheck(checks, 'MESH303').id).toBe('MESH303');
  });
});

describe('what a flag leaves out', () => {
  const all = {noSecrets: false, noLive: false, offline: false};

  it('is nothing when no flag is said', () => {
    expect(omittedBy('cacerts', all)).toBeUndefined();
    expect(omittedBy('servedChains', all)).toBeUndefined();
  });

  it('is said in the words of the flag', () => {
    expect(omittedBy('cacerts', {...all, noSecrets: true})).toMatch(/--no-secrets/);
    expect(omittedBy('servedChains', {...all, noLive: true})).toMatch(/--no-live/);
    expect(omittedBy('bundles', {...all, offline: true})).toMatch(/--offline/);
  });

  it('is never a fact of the work directory', () => {
    const everything = {noSecrets: true, noLive: true, offline: true};
    for (const key of ['declaration', 'rootKey', 'meshRoots', 'fileModes', 'caFiles', 'installFile'] as const) {
      expect(omittedBy(key, everything)).toBeUndefined();
    }
  });
});
