import {describe, expect, it} from 'vitest';
import {
  type ChainHead,
  canonicalJson,
  entryLine,
  formatHead,
  readJournal,
  seal,
  headsToReference,
} from '../../../src/domain/journal/chain.js';
import {sha256Hex} from '../../../src/domain/keys/keys.js';
import type {JournalRecord} from '../../../src/domain/journal/entry.js';
import {Sensitive} from '../../../src/domain/sensitive.js';

function record(number: number): JournalRecord {
  return {
    kind: number % 2 === 0 ? 'intent' : 'outcome',
    time: new Date(1_700_000_000_000 + number * 1000).toISOString(),
    user: 'ada',
    host: 'laptop',
    pid: 42,
    command: 'trust push',
    action: `cluster${String(number)}/cacerts`,
    ...(number % 2 === 0 ? {title: 'create Secret'} : {intent: `one/${String(number - 1)}`, status: 'done' as const}),
  };
}

/** Returns the lines of a complete chain, each with a line feed. */
function chainOf(length: number, name = 'one'): {readonly lines: readonly string[]; readonly head: ChainHead} {
  const lines: string[] = [];
  let head: ChainHead | undefined;
  for (let number = 0; number < length; number++) {
    const entry = seal(record(number), name, head);
    head = {chain: name, seq: entry.seq, hash: entry.hash};
    lines.push(entryLine(entry));
  }
  return {lines, head: head!};
}

describe('canonical JSON', () => {
  it('does not depend on the order in which fields were set', () => {
    expect(canonicalJson({b: [{d: 1, c: 2}], a: undefined, A: 'x'})).toBe('{"A":"x","b":[{"c":2,"d":1}]}');
  });
});

describe('a journal of 10,000 entries', () => {
  const {lines, head} = chainOf(10_000);
  const complete = lines.join('');

  it('is intact if it was not modified', () => {
    const reading = readJournal(complete, head);
    expect(reading.faults).toEqual([]);
    expect(reading.entries).toHaveLength(10_000);
    expect(reading.open).toEqual([]);
    expect(reading.heads.get('one')).toEqual(head);
  });
});

describe('a journal of 1,000 entries', () => {
  const {lines, head} = chainOf(1000);
  const complete = lines.join('');
  const middle = 500;

  it('is intact with CRLF line endings', () => {
    expect(readJournal(complete.replaceAll('\n', '\r\n'), head).faults).toEqual([]);
  });

  const put = (...replacement: readonly string[]): string =>
    [...lines.slice(0, middle), ...replacement, ...lines.slice(middle + 1)].join('');
  const line = lines[middle]!;
  const resealed = (): string => {
    const forged = {...(JSON.parse(line) as Record<string, unknown>), user: 'eve', hash: undefined};
    return `${canonicalJson({...forged, hash: sha256Hex(canonicalJson(forged))})}\n`;
  };

  it.each([
    ['a changed word', put(line.replace('ada', 'eve')), 'changed', middle + 1],
    ['a duplicate field', put(line.replace('{', '{"user":"eve",')), 'changed', middle + 1],
    ['an extra space', put(line.replace('{', '{ ')), 'changed', middle + 1],
    ['an added field', put(line.replace('{', '{"note":"x",')), 'changed', middle + 1],
    ['a removed field', put(line.replace('"host":"laptop",', '')), 'changed', middle + 1],
    ['a changed time', put(line.replace(/"time":"2023/, '"time":"2022')), 'changed', middle + 1],
    ['an entry that was changed and resealed', put(resealed()), 'out-of-place', middle + 2],
    ['a removed entry', put(), 'out-of-place', middle + 1],
    ['a duplicate entry', put(line, line), 'out-of-place', middle + 2],
    [
      'two swapped entries',
      [...lines.slice(0, middle), lines[middle + 1], line, ...lines.slice(middle + 2)].join(''),
      'out-of-place',
      middle + 1,
    ],
    ['a removed first entry', lines.slice(1).join(''), 'out-of-place', 1],
    ['a removed last entry', lines.slice(0, -1).join(''), 'cut-off', 999],
    ['a removed journal', '', 'cut-off', 0],
    ['a line that is not an entry', put('hello\n'), 'unreadable', middle + 1],
    ['an inserted line', put(line, 'hello\n'), 'unreadable', middle + 2],
    ['a truncated last line', complete.slice(0, -10), 'torn', 1000],
  ])('detects %s', (_what, text, kind, at) => {
    expect(readJournal(text, head).faults).toContainEqual(expect.objectContaining({kind, line: at}));
  });
});

describe('a journal', () => {
  it('is checked chain by chain after git merged two', () => {
    const one = chainOf(6, 'one').lines;
    const two = chainOf(6, 'two').lines;
    const mixed = one.flatMap((line, index) => [line, two[index]!]).join('');
    expect(readJournal(mixed).faults).toEqual([]);
    const without = one.flatMap((line, index) => (index === 3 ? [line] : [line, two[index]!])).join('');
    expect(readJournal(without).faults.map(({message}) => message)).toEqual([expect.stringContaining('chain two')]);
  });

  it('shows intents without an outcome as open', () => {
    const {open} = readJournal(chainOf(3).lines.join(''));
    expect(open.map(({seq}) => seq)).toEqual([2]);
  });

  it('accepts a truncated line if a repair entry closes it', () => {
    const {lines, head} = chainOf(2);
    const torn = lines[1]!.slice(0, 30);
    const repair = seal({...record(0), kind: 'repair', detail: {torn: sha256Hex(torn)}}, 'one', {
      ...head,
      seq: 0,
      hash: (JSON.parse(lines[0]!) as {hash: string}).hash,
    });
    const text = `${lines[0]!}${torn}\n${entryLine(repair)}`;
    expect(readJournal(text).faults).toEqual([]);
    expect(readJournal(`${lines[0]!}${torn}\n${lines[1]!}`).faults).toContainEqual(
      expect.objectContaining({kind: 'unreadable', line: 2}),
    );
  });

  it('never contains a sensitive value', () => {
    const detail = {
      key: new Sensitive('BEGIN PRIVATE KEY'),
      nested: [{also: new Sensitive(Buffer.from('BEGIN PRIVATE KEY'))}],
    };
    const text = entryLine(seal({...record(0), detail}, 'one', undefined));
    expect(text).not.toContain('PRIVATE');
    expect(readJournal(text).faults).toEqual([]);
    expect(readJournal(text).entries[0]?.detail).toEqual({key: '[redacted]', nested: [{also: '[redacted]'}]});
  });
});

describe('chains of several copies', () => {
  const theirs = chainOf(4, 'theirs');
  const before = theirs.lines.join('');
  const referencing = seal({...record(0), seen: headsToReference(readJournal(before), 'ours')}, 'ours', undefined);
  const text = `${before}${entryLine(referencing)}`;

  it('are referenced once, by the next entry of another chain', () => {
    expect(referencing.seen).toEqual([formatHead(theirs.head)]);
    const reading = readJournal(text);
    expect(reading.faults).toEqual([]);
    expect(headsToReference(reading, 'ours')).toEqual([]);
    expect(headsToReference(reading, 'theirs')).toEqual([formatHead(referencing)]);
    expect(headsToReference(reading, 'third')).toEqual([formatHead(referencing)]);
  });

  it.each([
    ['removed completely', entryLine(referencing)],
    ['truncated', [...theirs.lines.slice(0, 3), entryLine(referencing)].join('')],
    [
      'rewritten with valid hashes',
      [seal({...record(0), user: 'eve'}, 'theirs', undefined), referencing].map(entryLine).join(''),
    ],
  ])('reveal a chain that was %s', (_, changed) => {
    expect(readJournal(changed).faults).toMatchObject([
      {kind: 'cut-off', message: expect.stringContaining('theirs/3') as unknown},
    ]);
  });

  it('may continue after they were referenced', () => {
    const next = seal(record(4), 'theirs', theirs.head);
    const reading = readJournal(text + entryLine(next));
    expect(reading.faults).toEqual([]);
    expect(headsToReference(reading, 'ours')).toEqual([formatHead(next)]);
  });

  it('are not referenced if they are broken', () => {
    const broken = readJournal(theirs.lines.toSpliced(1, 1).join(''));
    expect(headsToReference(broken, 'ours')).toEqual([]);
  });

  it('are read even if references are invalid', () => {
    const odd = seal({...record(0), seen: [1, null, 'x'] as never}, 'ours', undefined);
    const other = seal({...record(0), seen: 'x' as never}, 'more', undefined);
    expect(readJournal([odd, other].map(entryLine).join('')).faults).toHaveLength(1);
  });
});
