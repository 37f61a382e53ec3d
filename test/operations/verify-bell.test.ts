import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {Bell} from '../../src/operations/verify/wait/bell.js';
import {MeshError} from '../../src/domain/errors.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = new AbortController().signal;

/** How many bursts there are in a time through which it rings every so often. Milliseconds. */
async function burstsIn(milliseconds: number, everyMs: number): Promise<number> {
  const bell = new Bell();
  let bursts = 0;
  const stop = new AbortController();
  const listening = (async () => {
    while (await bell.burst(stop.signal)) bursts += 1;
  })();
  for (let at = 0; at < milliseconds; at += everyMs) {
    bell.ring();
    await vi.advanceTimersByTimeAsync(everyMs);
  }
  stop.abort();
  await listening;
  return bursts;
}

describe('the bell', () => {
  it('counts what rings together as one', async () => {
    const bell = new Bell();
    const burst = bell.burst(never);
    for (let times = 0; times < 5; times++) {
      bell.ring();
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(1000);
    expect(await burst).toBe(true);
  });

  it('remembers what rang while nobody listened', async () => {
    const bell = new Bell();
    bell.ring();
    const burst = bell.burst(never);
    await vi.advanceTimersByTimeAsync(1000);
    expect(await burst).toBe(true);
  });

  it('tells of changes that never end, and ever less often', async () => {
    const [first, second] = [await burstsIn(10_000, 100), await burstsIn(60_000, 100)];
    expect(first).toBeGreaterThan(0);
    expect(second).toBeLessThan(first * 4);
  });

  it('tells of each of changes that come one by one', async () => {
    expect(await burstsIn(10_000, 1000)).toBe(10);
  });

  it('ends quietly at an abort, and loudly at a bug', async () => {
    const stop = new AbortController();
    const bell = new Bell();
    const burst = bell.burst(stop.signal);
    stop.abort();
    expect(await burst).toBe(false);
    bell.fail(new TypeError('x is undefined'));
    await expect(bell.burst(never)).rejects.toBeInstanceOf(MeshError);
  });
});
