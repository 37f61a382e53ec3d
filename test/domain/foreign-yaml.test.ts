import {describe, expect, it} from 'vitest';
import {parseForeignYaml} from '../../src/domain/foreign-yaml.js';

describe('YAML of a cluster', () => {
  it.each(['[', '{a: ', '- a: ', '? a: ', 'a: - ', '- '])('that repeats %j is rejected at once', (part) => {
    expect(() => parseForeignYaml(part.repeat(100_000))).toThrow('too many');
  });

  it('that is indented without end is rejected', () => {
    const lines = Array.from({length: 1000}, (_, depth) => `${' '.repeat(depth)}a:`);
    expect(() => parseForeignYaml(lines.join('\n'))).toThrow('indentation');
  });

  it('that contains an alias is rejected', () => {
    expect(() => parseForeignYaml('a: &a [1]\nb: *a')).toThrow();
  });

  it('that is nested as usual is read, also with long lines', () => {
    const long = 'x'.repeat(5000);
    expect(parseForeignYaml(`a: {b: [{c: ${long}}]}\nd:\n  - e: 1\n`)).toEqual({a: {b: [{c: long}]}, d: [{e: 1}]});
  });
});
