import {describe, expect, it} from 'vitest';
import {formatHead, seal, type ChainHead} from '../../../src/domain/journal/chain.js';
import type {JournalEntry, JournalRecord} from '../../../src/domain/journal/entry.js';
import {
  headComparer,
  type HeadResult,
  installRecords,
  type JournalContent,
  parseHead,
  type ArchivedJournal,
  compareHeads,
} from '../../../src/domain/journal/head.js';

const here = 'laptop/1a2b/10';
const hash = 'ab'.repeat(32);

function chain(name: string, length: number, more: Partial<JournalRecord> = {}): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (let at = 0; at < length; at += 1) {
    const record = {kind: 'intent', time: '2026-05-01T10:00:00Z', user: 'u', host: 'elsewhere/9/9', pid: 1} as const;
    entries.push(seal({...record, command: 'up', action: String(at), ...more}, name, entries.at(-1)));
  }
  return entries;
}

const ours = chain('aa', 4, {host: here});
const theirs = chain('bb', 3);
const known = (change: Partial<JournalContent> = {}): JournalContent => ({
  present: true,
  entries: [...ours, ...theirs],
  own: 'aa',
  host: here,
  archived: [],
  ...change,
});
const archives = (...files: (readonly JournalEntry[])[]): readonly ArchivedJournal[] =>
  files.map((entries, at) => ({file: `journal.broken-${String(at)}.jsonl`, entries, faults: []}));
const headOf = (entries: readonly JournalEntry[], at: number): ChainHead => {
  const {chain: name, seq, hash: its} = entries[at] ?? {chain: '', seq: 0, hash: ''};
  return {chain: name, seq, hash: its};
};

describe('a recorded head', () => {
  it('is formatted and parsed back', () => {
    const head = {chain: '0123456789abcdef', seq: 12, hash};
    expect(formatHead(head)).toBe(`0123456789abcdef/12:${hash}`);
    expect(parseHead(formatHead(head))).toEqual(head);
  });

  it.each([
    '',
    'x',
    `aa/1:${hash}0`,
    `aa/01:${hash}`,
    `aa/-1:${hash}`,
    `aa/1.5:${hash}`,
    `AA/1:${hash}`,
    `aa/1:${hash}\n`,
    `../aa/1:${hash}`,
    `aa/9999999999999999:${hash}`,
  ])('cannot be parsed from %j', (text) => {
    expect(parseHead(text)).toBeUndefined();
  });
});

describe('a journal', () => {
  const [first] = ours;
  if (!first) throw new Error('no entry');
  it.each<[string, Partial<JournalContent>, ChainHead, HeadResult]>([
    ['with the entry', {}, headOf(ours, 1), 'agrees'],
    ['with the newest entry', {}, headOf(ours, 3), 'agrees'],
    ["with another user's entry", {}, headOf(theirs, 2), 'agrees'],
    ['whose chain was resealed', {entries: chain('aa', 4, {user: 'x'})}, headOf(ours, 1), 'rewritten'],
    [
      'whose entry was edited without its hash',
      {entries: ours.map((entry) => ({...entry, user: 'x'}))},
      headOf(ours, 1),
      'rewritten',
    ],
    ['whose entry was removed from the middle', {entries: ours.toSpliced(1, 1)}, headOf(ours, 1), 'cut'],
    ['of this copy, truncated', {entries: ours.slice(0, 2)}, headOf(ours, 3), 'cut'],
    ['of this copy, deleted', {present: false, entries: []}, headOf(ours, 3), 'cut'],
    ['that is empty, without .journal-head.json', {entries: [], own: undefined}, headOf(ours, 3), 'cut'],
    [
      'of this machine, truncated, without .journal-head.json',
      {entries: ours.slice(0, 2), own: undefined},
      headOf(ours, 3),
      'cut',
    ],
    [
      'of another container on this machine, truncated, without .journal-head.json',
      {entries: ours.slice(0, 2), own: undefined, host: 'laptop/1a2b/77'},
      headOf(ours, 3),
      'cut',
    ],
    ['of another user, not merged', {entries: ours}, headOf(theirs, 2), 'not-known-here'],
    ['of another user, partly merged', {entries: theirs.slice(0, 1)}, headOf(theirs, 2), 'not-known-here'],
    [
      'of another user, partly merged into a fresh clone',
      {entries: theirs.slice(0, 1), own: undefined},
      headOf(theirs, 2),
      'not-known-here',
    ],
    ['of another user, with a line removed', {entries: theirs.toSpliced(1, 1)}, headOf(theirs, 1), 'cut'],
    [
      'that does not exist, without .journal-head.json',
      {present: false, entries: [], own: undefined},
      headOf(ours, 3),
      'not-known-here',
    ],
    [
      'that was archived',
      {entries: [], own: 'cc', archived: archives(theirs, [...theirs, ...ours])},
      headOf(ours, 3),
      'agrees',
    ],
    [
      'that was archived, broken after the entry',
      {entries: [], archived: archives(ours.toSpliced(2, 1))},
      headOf(ours, 1),
      'agrees',
    ],
    [
      'that was archived intact, without a current journal',
      {present: false, entries: [], own: undefined, archived: archives(ours)},
      headOf(ours, 3),
      'not-known-here',
    ],
    [
      'that was archived, broken before the entry',
      {archived: archives(ours.toSpliced(1, 1)), entries: []},
      headOf(ours, 3),
      'put-aside',
    ],
    ['of which one line was archived', {entries: [], archived: archives(ours.slice(3))}, headOf(ours, 3), 'put-aside'],
    [
      'that was archived with an earlier entry resealed',
      {entries: [], archived: archives([...chain('aa', 3, {user: 'x'}), ...ours.slice(3)])},
      headOf(ours, 3),
      'put-aside',
    ],
    [
      'that was rewritten, with the original archived',
      {entries: chain('aa', 4, {user: 'x'}), archived: archives(ours)},
      headOf(ours, 3),
      'rewritten',
    ],
    [
      'that was archived and then edited',
      {entries: [first], own: 'cc', archived: archives(ours.map((entry) => ({...entry, user: 'x'})))},
      headOf(ours, 3),
      'not-known-here',
    ],
    ['with a duplicate line, as after a merge', {entries: [...ours, ...ours]}, headOf(ours, 1), 'agrees'],
  ])('%s', (_, change, head, result) => {
    expect(headComparer(known(change))(head).result).toBe(result);
  });
});

describe('the heads that a cluster records', () => {
  const note = (name: string, text?: string) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'istio-system',
      ...(text !== undefined && {annotations: {'kubectl-mesh/journal-head': text}}),
    },
  });

  it('are read from each object with one', () => {
    const objects = [
      {where: 'Secret istio-system/cacerts', annotations: {'kubectl-mesh/journal-head': formatHead(headOf(ours, 1))}},
      ...installRecords([note('kubectl-mesh-install'), note('kubectl-mesh-install-canary', 'rubbish\u001b')]),
    ];
    expect(compareHeads(objects, headComparer(known()))).toMatchObject([
      {where: 'Secret istio-system/cacerts', entry: 'aa/1', result: 'agrees'},
      {where: 'ConfigMap istio-system/kubectl-mesh-install-canary', result: 'unreadable'},
    ]);
  });

  it.each([
    ['kubectl-mesh-install', true],
    ['kubectl-mesh-install-canary', true],
    ['kubectl-mesh-installer', false],
    ['istio', false],
  ])('are read from ConfigMap %s: %s', (name, expected) => {
    expect(installRecords([note(name)]).length === 1).toBe(expected);
  });
});
