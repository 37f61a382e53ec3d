/** What progress writes while a command waits: at a terminal and without one. */
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import type {Wait} from '../../src/engine/operation.js';
import {createPlainProgress} from '../../src/output/plain-progress.js';
import {createDrawnProgress} from '../../src/output/progress.js';

const wait = (elapsedMs: number, what = 'MESH402 Every istiod pod is ready'): Wait => ({
  where: 'c1',
  what,
  elapsedMs,
  limitMs: 300_000,
});

describe('progress without a terminal', () => {
  let now = 0;
  let text = '';
  const start = (quiet = false) => {
    now = 0;
    text = '';
    return createPlainProgress(
      (more) => (text += more),
      quiet,
      () => now,
    );
  };

  it('prints what is awaited, where, and for how long, at most every 10 s', () => {
    const progress = start();
    for (; now <= 25_000; now += 1000) {
      progress.report({type: 'waiting', wait: wait(now)});
      progress.report({type: 'wait-ended'});
    }
    expect(text.split('\n')).toEqual([
      'c1: waiting: MESH402 Every istiod pod is ready (0 s of 5 min)',
      'c1: waiting: MESH402 Every istiod pod is ready (10 s of 5 min)',
      'c1: waiting: MESH402 Every istiod pod is ready (20 s of 5 min)',
      '',
    ]);
  });

  it('continues without events until the wait ends', () => {
    vi.useFakeTimers();
    const progress = start();
    const pass = (ms: number): void => {
      for (let left = ms; left > 0; left -= 1000) {
        now += 1000;
        vi.advanceTimersByTime(1000);
      }
    };
    progress.report({type: 'waiting', lane: 'c1', wait: wait(0)});
    pass(20_000);
    progress.report({type: 'lane-ended', lane: 'c1', outcomes: []});
    pass(60_000);
    vi.useRealTimers();
    expect(text.match(/\d+ s of/g)).toEqual(['0 s of', '10 s of', '20 s of']);
  });

  it('limits the lines of each lane separately, and prints other lines at once', () => {
    const progress = start();
    for (; now < 3000; now += 1000) {
      for (const lane of ['c1', 'c2']) {
        progress.report({type: 'waiting', lane, wait: {...wait(now, 'no pod yet'), where: lane}});
      }
    }
    progress.report({type: 'lane-line', lane: 'c1', line: 'restart istiod'});
    expect(text.split('\n')).toEqual([
      'c1: waiting: no pod yet (0 s of 5 min)',
      'c2: waiting: no pod yet (0 s of 5 min)',
      'c1: restart istiod',
      '',
    ]);
  });

  it('writes no wait with --quiet, only warnings', () => {
    const progress = start(true);
    progress.report({type: 'waiting', wait: wait(0)});
    progress.report({type: 'warning', warning: {cluster: 'c1', message: 'an old version'}});
    expect(text).toBe('Warning: c1: an old version\n');
  });
});

describe('progress at a terminal', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const erase = '\r\u001b[K';
  const drawn = (columns: number) => {
    const writes: string[] = [];
    const stream = {columns, isTTY: true, write: (text: string) => writes.push(text) > 0};
    return {writes, progress: createDrawnProgress(stream as unknown as NodeJS.WriteStream)};
  };

  it('redraws one line each second, and erases it when the wait ends', async () => {
    const {writes, progress} = drawn(100);
    progress.report({type: 'waiting', wait: wait(7000)});
    await vi.advanceTimersByTimeAsync(2000);
    progress.report({type: 'wait-ended'});
    await progress.rest();
    await vi.advanceTimersByTimeAsync(5000);
    expect(writes).toEqual([
      `${erase}c1: waiting: MESH402 Every istiod pod is ready (7 s of 5 min)`,
      `${erase}c1: waiting: MESH402 Every istiod pod is ready (8 s of 5 min)`,
      `${erase}c1: waiting: MESH402 Every istiod pod is ready (9 s of 5 min)`,
      erase,
    ]);
  });

  it('cuts the line to the width of the terminal, but not the duration', async () => {
    const {writes, progress} = drawn(40);
    progress.report({type: 'waiting', wait: wait(12_000)});
    await progress.rest();
    expect(writes[0]).toBe(`${erase}c1: waiting: MESH402 E… (12 s of 5 min)`);
    expect(writes[0]?.length).toBe(erase.length + 39);
  });

  it('prints other lines above it', async () => {
    const {writes, progress} = drawn(100);
    progress.report({type: 'waiting', wait: wait(0)});
    await vi.advanceTimersByTimeAsync(0);
    progress.report({type: 'warning', warning: {message: 'an old version'}});
    await progress.rest();
    expect(writes.join('')).toContain(`${erase}Warning: an old version\n${erase}c1: waiting: `);
  });
});
