import {describe, expect, it} from 'vitest';
import type {JournalFacts} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {journalCheck} from '../../../src/domain/checks/workdir/journal.js';
import {evidence, meshValues} from './healthy.js';

const {journal: whole} = meshValues();
const rows = (change: Partial<JournalFacts>, directory?: string) =>
  judgedText(
    [journalCheck],
    evidence({meshValues: {journal: {...whole, ...change}}}),
    directory === undefined ? {} : {workDir: directory, directory},
  ).checks;

const open = [{command: 'trust push', cluster: 'c1', title: 'create Secret cacerts', time: '2026-05-01T10:00:00Z'}];
const changed = {line: 3, kind: 'changed', message: 'entry a/2 is not what was written'} as const;
const gone = {line: 0, kind: 'cut-off', message: 'entry a/2 was written here and is not in the journal'} as const;
const torn = {line: 4, kind: 'torn', message: 'the last line is cut off'} as const;
const memory = 'mv .journal-head.json journal.broken-2026-06-01T0000.head.json';
const moved = `mv journal.jsonl journal.broken-2026-06-01T0000.jsonl && { [ ! -e .journal-head.json ] || ${memory}; }`;

describe('the journal', () => {
  it.each<[string, Partial<JournalFacts>, string]>([
    ['whole', {}, 'ok'],
    ['whole, with a change under way in another copy', {openElsewhere: 1}, 'ok'],
    ['not there because nothing was changed', {present: false, entries: 0, chains: 0}, 'skipped'],
    ['changed', {faults: [changed]}, 'error'],
    ['gone, though this copy wrote one', {present: false, faults: [gone]}, 'error'],
    ['cut off', {faults: [torn]}, 'warning'],
    ['without the outcome of a change', {open}, 'warning'],
  ])('%s: %s', (_, change, result) => {
    expect(rows(change).map((row) => row.result)).toEqual([result]);
  });

  it('that is broken and unfinished is two findings', () => {
    expect(rows({faults: [changed, torn], open}).map(({result}) => result)).toEqual(['error', 'warning']);
  });

  it.each<[Partial<JournalFacts>, string]>([
    [{faults: [changed]}, moved],
    [{present: false, faults: [gone]}, memory],
    [{open}, 'kubectl mesh init'],
  ])('is mended by a command: %o', (change, fix) => {
    expect(rows(change).map((row) => row.fix)).toEqual([fix]);
  });

  it('is mended where it lies', () => {
    expect(rows({faults: [changed]}, '/mesh').map(({fix}) => fix)).toEqual([
      'mv /mesh/journal.jsonl /mesh/journal.broken-2026-06-01T0000.jsonl && ' +
        '{ [ ! -e /mesh/.journal-head.json ] || mv /mesh/.journal-head.json /mesh/journal.broken-2026-06-01T0000.head.json; }',
    ]);
  });

  it('says which command was killed, when, and at what', () => {
    expect(rows({open})[0]?.observed).toBe(
      '"trust push" of 2026-05-01T10:00:00Z ended during: create Secret cacerts (c1)',
    );
  });
});
