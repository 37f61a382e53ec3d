import {describe, expect, it} from 'vitest';
import {printable, printableLine} from '../../src/domain/printable.js';

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
    ['\u009b31mC1', '31mC1'],
    ['Ünïcödé 猫', 'Ünïcödé 猫'],
  ])('%j becomes %j', (raw, clean) => {
    expect(printable(raw)).toBe(clean);
  });

  it('joins several lines into one', () => {
    expect(printableLine(' a\n b\r\n\tc ')).toBe('a b c');
  });
});
