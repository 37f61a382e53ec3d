import {describe, expect, it} from 'vitest';
import type {Change} from '../../../src/domain/journal/changes.js';
import {journalShowView} from '../../../src/output/views/journal-show.js';
import {textOf} from '../../helpers/suggestions.js';

const change = (title: string, more: Partial<Change> = {}): Change => ({
  id: 'a/0',
  time: '2026-05-01T10:00:00.000Z',
  user: 'alice',
  host: 'laptop/1/2',
  command: 'trust push',
  action: 'x',
  title,
  status: 'done',
  ...more,
});
const text = (changes: readonly Change[], width?: number): readonly string[] =>
  journalShowView
    .text(
      {changes, total: changes.length, faults: [], warnings: []},
      {
        request: undefined,
        color: false,
        now: new Date(0),
        command: textOf,
        ...(width !== undefined && {width}),
      },
    )
    .split('\n');

describe('journal show as text', () => {
  const changes = [change('short'), change('x'.repeat(200), {reason: 'CHG-1'})];

  it('cuts only the action for a narrow terminal', () => {
    const [, first, second] = text(changes, 120);
    expect(first).toContain('short');
    expect(second).toMatch(/x…  done +CHG-1$/);
    expect(Math.max(...text(changes, 120).map((line) => line.length))).toBeLessThanOrEqual(120);
  });

  it('cuts nothing without a terminal and with -o wide', () => {
    expect(text(changes).join()).toContain('x'.repeat(200));
    const result = {changes, total: 2, faults: [], warnings: []};
    expect(
      journalShowView.wide?.(result, {request: undefined, color: false, now: new Date(0), command: textOf, width: 80}),
    ).toContain('x'.repeat(200));
  });

  it('keeps a minimum width of the action on the narrowest terminal', () => {
    expect(text(changes, 10)[2]).toContain(`${'x'.repeat(23)}…`);
  });
});
