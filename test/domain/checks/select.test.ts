import {describe, expect, it} from 'vitest';
import {omittedBy} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {checkGroups, findChecks, selectChecks} from '../../../src/domain/checks/select.js';

function ids(only: readonly string[], skip: readonly string[] = []): readonly string[] {
  return selectChecks(checks, {only, skip}).map(({id}) => id);
}

describe('selecting checks', () => {
  it('selects all by default', () => {
    expect(ids([])).toEqual(checks.map(({id}) => id));
  });

  it('selects ids and prefixes, except skipped ones', () => {
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

  it.each(Object.keys(checkGroups))('accepts the group %s, even without checks', (group) => {
    expect(ids([group]).every((id) => id.startsWith(group))).toBe(true);
    expect(ids([], [group]).every((id) => !id.startsWith(group))).toBe(true);
  });

  it('ignores letter case', () => {
    expect(ids(['mesh301', 'Mesh40'], ['mesh4'])).toEqual(['MESH301']);
  });

  it.each(['MESH9', 'MESH399', '301', '', 'MESH', 'MESH3O1', 'cacerts'])('rejects "%s"', (word) => {
    expect(() => ids([word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
    expect(() => ids([], [word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
  });

  it.each([
    ['MESH9', /MESH1.*MESH5/],
    ['MESH999', /MESH1.*MESH4/],
    ['cacerts', /MESH1.*MESH4/],
    ['MESH33', /MESH303\?$/],
    ['MESH3O1', /MESH301\?$/],
    ['mseh303', /MESH303\?$/],
  ])('suggests for %s a similar id, or else lists the groups', (word, hint) => {
    expect(() => findChecks(checks, word)).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_ID',
        hints: [expect.stringMatching(hint), expect.anything()] as unknown,
      }),
    );
  });

  it('finds a check by its id, and several by a prefix', () => {
    expect(findChecks(checks, 'mesh303').map(({id}) => id)).toEqual(['MESH303']);
    expect(findChecks(checks, 'MESH3').length).toBeGreaterThan(1);
  });
});

describe('the facts that a flag omits', () => {
  const all = {noSecrets: false, noLive: false, offline: false};

  it('are none without a flag', () => {
    expect(omittedBy('cacerts', all)).toBeUndefined();
    expect(omittedBy('servedChains', all)).toBeUndefined();
  });

  it('have the flag in the reason', () => {
    expect(omittedBy('cacerts', {...all, noSecrets: true})).toMatch(/--no-secrets/);
    expect(omittedBy('servedChains', {...all, noLive: true})).toMatch(/--no-live/);
    expect(omittedBy('bundles', {...all, offline: true})).toMatch(/--offline/);
  });

  it('never include facts of the work directory', () => {
    const allFlags = {noSecrets: true, noLive: true, offline: true};
    for (const key of ['declaration', 'rootKey', 'meshRoots', 'fileModes', 'caFiles', 'installFile'] as const) {
      expect(omittedBy(key, allFlags)).toBeUndefined();
    }
  });
});
