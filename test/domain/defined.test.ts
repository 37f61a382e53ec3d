import {expect, it} from 'vitest';
import {defined} from '../../src/domain/defined.js';

interface Place {
  readonly name: string;
  readonly zone?: string;
  readonly rank?: number;
}

it('removes undefined properties, but no other falsy ones', () => {
  const zone: string | undefined = undefined;
  const place: Place = defined({name: '', zone, rank: 0});
  expect(Object.entries(place)).toEqual([
    ['name', ''],
    ['rank', 0],
  ]);
});

it('accepts only properties of the expected type', () => {
  // @ts-expect-error -- misspelled
  const misspelled: Place = defined({name: 'a', zome: 'b'});
  // @ts-expect-error -- a required property may not be undefined
  const incomplete: Place = defined({name: undefined, zone: 'b'});
  expect([misspelled, incomplete]).toEqual([{name: 'a', zome: 'b'}, {zone: 'b'}]);
});
