import {describe, expect, it} from 'vitest';
import {printable, printableJson, printableLine} from '../../src/domain/printable.js';

describe('printable', () => {
  it.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007text', 'text'],
    ['\u001b]8;;http://example.com\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['over\rwritten', 'overwritten'],
    ['back\b\bspace', 'backspace'],
    ['right\u202eleft', 'rightleft'],
    ['zero\u200bwidth', 'zerowidth'],
    ['lines\nand\ttabs stay', 'lines\nand\ttabs stay'],
    ['\u009b31mC1', 'C1'],
    ['\u009d0;title\u009ctext', 'text'],
    ['arabic\u061cmark', 'arabicmark'],
    ['tag\u{e0041}\u{e007f}characters', 'tagcharacters'],
    ['soft\u00adhyphen', 'softhyphen'],
    ['isolate\u2066d\u2069', 'isolated'],
    ['Ünïcödé 猫', 'Ünïcödé 猫'],
  ])('%j becomes %j', (raw, clean) => {
    expect(printable(raw)).toBe(clean);
  });

  it('joins several lines into one', () => {
    expect(printableLine(' a\n b\r\n\tc ')).toBe('a b c');
  });

  it('escapes in JSON, and keeps the values', () => {
    const value = {name: 'a\u061cb\u{e0041}c\u009bd\u202ee\u2028f\u007f', list: ['\n\t']};
    const text = printableJson(value);
    expect(JSON.parse(text)).toEqual(value);
    expect(text).toMatch(/^[\n -~]+$/);
  });
});
