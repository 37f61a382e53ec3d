import {describe, expect, it} from 'vitest';
import {omittedBy} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {findCheck, selectChecks} from '../../../src/domain/checks/select.js';

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

  it.each(['MESH1', 'MESH2', 'MESH3', 'MESH4', 'MESH5'])('accepts the group %s, even without checks', (group) => {
    expect(ids([group]).every((id) => id.startsWith(group))).toBe(true);
    expect(ids([], [group]).every((id) => !id.startsWith(group))).toBe(true);
  });

  it.each(['MESH9', 'MESH399', 'mesh301', '301', '', 'MESH', 'MESH3O1', 'cacerts'])('rejects "%s"', (word) => {
    expect(() => ids([word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
    expect(() => ids([], [word])).toThrow(expect.objectContaining({code: 'UNKNOWN_ID'}));
  });

  it('lists the valid prefixes instead of guessing one', () => {
    expect(() => ids(['MESH9'])).toThrow(
      expect.objectContaining({
        hints: expect.arrayContaining([
          'use a prefix such as MESH1, MESH2, MESH3, MESH4, MESH5, or a check ID',
        ]) as unknown,
      }),
    );
  });

  it('suggests the nearest id', () => {
    expect(() => findCheck(checks, 'mesh33')).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_ID',
        hints: expect.arrayContaining([expect.stringMatching(/MESH303/)]) as unknown,
      }),
    );
    expect(findCheck(checks, 'MESH303').id).toBe('MESH303');
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
