import {describe, expect, it} from 'vitest';
import type {JournalFacts} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {journalCheck} from '../../../src/domain/checks/workdir/journal.js';
import {evidence, meshValues} from './healthy.js';

const {journal: intact} = meshValues();
const rows = (change: Partial<JournalFacts>, directory?: string) =>
  judgedText(
    [journalCheck],
    evidence({meshValues: {journal: {...intact, ...change}}}),
    directory === undefined ? {} : {workDir: directory, directory},
  ).checks;

const open = [{command: 'trust push', cluster: 'c1', title: 'create Secret cacerts', time: '2026-05-01T10:00:00Z'}];
const changed = {line: 3, kind: 'changed', message: 'entry a/2 is not what was written'} as const;
const gone = {line: 0, kind: 'cut-off', message: 'entry a/2 was written here and is not in the journal'} as const;
const torn = {line: 4, kind: 'torn', message: 'the last line is cut off'} as const;
const moveHead = 'mv .journal-head.json journal.broken-2026-06-01T0000.head.json';
const moved = `mv journal.jsonl journal.broken-2026-06-01T0000.jsonl && { [ ! -e .journal-head.json ] || ${moveHead}; }`;

describe('the journal', () => {
  it.each<[string, Partial<JournalFacts>, string]>([
    ['intact', {}, 'ok'],
    ['intact, with an open change of another copy', {openElsewhere: 1}, 'ok'],
    ['absent because nothing was changed', {present: false, entries: 0, chains: 0}, 'skipped'],
    ['changed', {faults: [changed]}, 'error'],
    ['deleted, although this copy wrote one', {present: false, faults: [gone]}, 'error'],
    ['truncated', {faults: [torn]}, 'warning'],
    ['without the outcome of a change', {open}, 'warning'],
  ])('%s: %s', (_, change, result) => {
    expect(rows(change).map((row) => row.result)).toEqual([result]);
  });

  it('with a changed line and an open change has two findings', () => {
    expect(rows({faults: [changed, torn], open}).map(({result}) => result)).toEqual(['error', 'warning']);
  });

  it.each<[Partial<JournalFacts>, string]>([
    [{faults: [changed]}, moved],
    [{present: false, faults: [gone]}, moveHead],
    [{open}, 'kubectl mesh init'],
  ])('is fixed by a command: %o', (change, fix) => {
    expect(rows(change).map((row) => row.fix)).toEqual([fix]);
  });

  it('is fixed in the given work directory', () => {
    expect(rows({faults: [changed]}, '/mesh').map(({fix}) => fix)).toEqual([
      'mv /mesh/journal.jsonl /mesh/journal.broken-2026-06-01T0000.jsonl && ' +
        '{ [ ! -e /mesh/.journal-head.json ] || mv /mesh/.journal-head.json /mesh/journal.broken-2026-06-01T0000.head.json; }',
    ]);
  });

  it('reports which command was interrupted, when, and during which change', () => {
    expect(rows({open})[0]?.observed).toBe(
      '"trust push" of 2026-05-01T10:00:00Z was interrupted during: create Secret cacerts (c1)',
    );
  });
});
