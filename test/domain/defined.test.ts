import {expect, it} from 'vitest';
import {defined} from '../../src/domain/defined.js';

interface Place {
  readonly name: string;
  readonly zone?: string;
  readonly rank?: number;
}

it('leaves out what is undefined, and nothing else that is falsy', () => {
  const zone: string | undefined = undefined;
  const place: Place = defined({name: '', zone, rank: 0});
  expect(Object.entries(place)).toEqual([
    ['name', ''],
    ['rank', 0],
  ]);
});

it('takes only properties that the expected type has', () => {
  // @ts-expect-error -- misspelled
  const misspelled: Place = defined({name: 'a', zome: 'b'});
  // @ts-expect-error -- a required property may not be undefined
  const incomplete: Place = defined({name: undefined, zone: 'b'});
  expect([misspelled, incomplete]).toEqual([{name: 'a', zome: 'b'}, {zone: 'b'}]);
});
