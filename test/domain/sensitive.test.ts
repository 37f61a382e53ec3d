import {inspect} from 'node:util';
import {describe, expect, it} from 'vitest';
import {Sensitive} from '../../src/domain/sensitive.js';

const secret = 'do not show this';
const value = new Sensitive(secret);

describe('Sensitive', () => {
  it.each<[string, () => string]>([
    ['a template string', () => `${value.toString()} ${String(value)}`],
    ['JSON', () => JSON.stringify({value, list: [value]})],
    ['inspection, nested and deep', () => inspect({a: {b: {c: [value]}}}, {depth: 10, showHidden: true})],
    ['its enumerable fields', () => JSON.stringify(Object.entries(value))],
    ['an error', () => inspect(new Error('x', {cause: value}))],
    ['the result of map()', () => inspect(value.map((text) => `${text}!`))],
  ])('does not appear in %s', (_, show) => {
    expect(show()).not.toContain(secret);
  });

  it('is returned by reveal()', () => {
    expect(value.map((text) => text.length).reveal()).toBe(secret.length);
  });
});
