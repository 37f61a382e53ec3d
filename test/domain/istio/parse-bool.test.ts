import {describe, expect, it} from 'vitest';
import {parseBool} from '../../../src/domain/istio/environment.js';

describe("a boolean in istiod's environment", () => {
  it.each(['1', 't', 'T', 'true', 'TRUE', 'True'])('is true for %s', (value) => {
    expect(parseBool(value, false)).toBe(true);
  });
  it.each(['0', 'f', 'F', 'false', 'FALSE', 'False'])('is false for %s', (value) => {
    expect(parseBool(value, true)).toBe(false);
  });
  it.each([undefined, '', 'yes', 'tRUE', ' true'])('is unset for %s', (value) => {
    expect([parseBool(value, true), parseBool(value, false)]).toEqual([true, false]);
  });
});
