/** A bench that could not measure something must fail: CI relies on its exit code. */
import {existsSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {countedPrograms} from '../../scripts/bench/counted-programs.js';
import {documentedPairs, evenly, timeOfAllPairs} from '../../scripts/bench/documented-link.js';
import {interleave} from '../../scripts/bench/interleave.js';
import {exitCodeOf} from '../../scripts/bench/result.js';
import {runScenario} from '../../scripts/bench/run-scenario.js';
import type {BenchContext, Report, Row} from '../../scripts/bench/scenario.js';
import {exactly, ratioOfMedians, spread} from '../../scripts/bench/statistics.js';

const {signal} = new AbortController();
const options = {program: 'run.js', signal, progress: () => undefined};

/** The result of a scenario that measures like this. */
const resultOf = (measure: (context: BenchContext) => Promise<Report>) =>
  runScenario({name: 'one', title: 'One', measure}, options);
const resultOfRows = (...rows: readonly Row[]) => resultOf(() => Promise.resolve({rows, notes: []}));

const ratio = ratioOfMedians('ours', 'theirs', spread([2, 1, 3]), exactly(4));

describe('a scenario', () => {
  it('that reports figures is measured', async () => {
    const count: Row = {kind: 'count', what: 'processes', count: 3, target: 1};
    const result = await resultOfRows(ratio, count, {kind: 'figure', what: 'all', value: spread([1]), unit: 'ms'});
    expect(result).toMatchObject({name: 'one', title: 'One', rows: [{ratio: 0.5}, {count: 3}, {}]});
    expect(exitCodeOf([result])).toBe(0);
  });

  it.each<[string, readonly Row[]]>([
    ['no row', []],
    ['a ratio to nothing', [ratio, ratioOfMedians('ours', 'theirs', spread([1]), exactly(0))]],
    ['no measurement', [{kind: 'figure', what: 'all', value: spread([]), unit: 'ms'}]],
    ['an infinite measurement', [{...ratio, ours: spread([1, Number.POSITIVE_INFINITY])}]],
    ['a negative ratio', [{...ratio, ratio: -1}]],
    ['a count of zero', [{kind: 'count', what: 'processes', count: 0}]],
  ])('with %s fails', async (_, rows) => {
    const result = await resultOfRows(...rows);
    expect(result).toMatchObject({rows: [], error: expect.any(String) as string});
    expect(exitCodeOf([result])).toBe(1);
  });

  it('that throws fails with the reason', async () => {
    const result = await resultOf(() => {
      throw new TypeError('no openssl');
    });
    expect(result).toMatchObject({rows: [], error: 'no openssl'});
    expect(exitCodeOf([result])).toBe(1);
  });

  it('whose child process fails shows its output', async () => {
    const args = ['-e', 'console.error("broken"); process.exit(3)'];
    const result = await resultOf(async ({sandbox}) => {
      await sandbox.run({file: process.execPath, args});
      return {rows: [ratio], notes: []};
    });
    expect(result.error).toContain('exited with 3:\nbroken');
  });

  it('that leaves something running fails, and its directory is removed', async () => {
    let directory = '';
    const result = await resultOf(({sandbox}) => {
      directory = sandbox.dir;
      sandbox.onClose(() => Promise.reject(new Error('a server is still open')));
      return Promise.resolve({rows: [ratio], notes: []});
    });
    expect(result.error).toBe('a server is still open');
    expect(existsSync(directory)).toBe(false);
  });
});

describe('the exit code', () => {
  it('is 1 when nothing was measured', () => {
    expect(exitCodeOf([])).toBe(1);
  });

  it('is 1 when one scenario of several failed', async () => {
    const [measured, failed] = [await resultOfRows(ratio), await resultOfRows()];
    expect(exitCodeOf([measured, failed, measured])).toBe(1);
  });
});

describe('contenders', () => {
  it.each([
    [{runs: 1, warmUp: false}, 'BA', [1]],
    [{runs: 2, warmUp: true}, 'ABBAAB', [1, 2]],
  ])('take turns, and the warm-up does not count: %j', async (size, order, counted) => {
    let ran = '';
    const contender = (name: string) => (round: number) => {
      ran += name;
      return Promise.resolve(round);
    };
    const measured = await interleave({a: contender('A'), b: contender('B')}, size);
    expect(measured).toEqual({a: counted, b: counted});
    expect(ran).toBe(order);
  });
});

describe("Istio's guide", () => {
  const clusters = ['a', 'b', 'c'].map((name) => ({name, context: `ctx-${name}`}));

  it('links every ordered pair, the secrets of one cluster after those of another', () => {
    const pairs = documentedPairs(clusters).map(({peer, reader}) => `${peer.name}${reader.name}`);
    expect(pairs).toEqual(['ab', 'ac', 'ba', 'bc', 'ca', 'cb']);
  });

  it('takes for all pairs as long as was measured, if all were', () => {
    expect(timeOfAllPairs({first: [5, 6, 7], later: [1, 2, 3]}, 3)).toBe(24);
  });

  it('is extrapolated with one first pair for each cluster', () => {
    expect(timeOfAllPairs({first: [10], later: [1, 3]}, 50)).toBe(50 * 10 + 50 * 48 * 2);
    expect(timeOfAllPairs({first: [5, 6], later: []}, 2)).toBe(11);
  });

  it.each([
    [1, [0]],
    [4, [0, 3, 5, 8]],
    [10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    [11, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
  ])('is measured for %d clusters that are evenly spread', (count, expected) => {
    expect(
      evenly(
        Array.from({length: 10}, (_, index) => index),
        count,
      ),
    ).toEqual(expected);
  });
});

it('counts the starts of programs, however they end', async () => {
  const result = await resultOf(async ({sandbox}) => {
    const {directory, during} = await countedPrograms(sandbox, {one: '/bin/echo', two: '/bin/false'});
    const env = {PATH: `${directory}:${process.env.PATH ?? ''}`};
    let stdout = '';
    const count = await during(async () => {
      ({stdout} = await sandbox.run({file: 'sh', args: ['-c', 'two; one "$1" 2; one "$1" 2 | cat', 'sh', 'a b'], env}));
    });
    expect(stdout).toBe('a b 2\na b 2\n');
    return {rows: [{kind: 'count', what: 'starts', count}], notes: []};
  });
  expect(result).toMatchObject({rows: [{count: 3}]});
});
