/** Sets of roots: one, several, equivalent, and unreadable ones. */
import {beforeAll, describe, expect, it} from 'vitest';
import {
  isReadableBundle,
  isSubsetEitherWay,
  missingRoots,
  mismatch,
  parseTrustStore,
  readableRoots,
  rootName,
  sameRoots,
  signingChains,
  trustStoreOf,
  type TrustStore,
} from '../../../src/domain/ca/trust-store.js';
import type {Certificate} from '../../../src/domain/x509/certificate.js';
import {tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';

let old: Certificate;
let current: Certificate;
let expired: Certificate;
let clusterCa: Certificate;

beforeAll(async () => {
  const at = (date: string) => ({now: new Date(date)});
  const root = await tinyRoot({...at('2026-01-01T00:00:00Z'), meshID: 'old'});
  old = root.certificate;
  current = (await tinyRoot({...at('2026-01-01T00:00:00Z'), meshID: 'new'})).certificate;
  expired = (await tinyRoot({...at('2000-01-01T00:00:00Z'), meshID: 'expired'})).certificate;
  clusterCa = (await tinyClusterCa(root, 'c1', at('2026-01-01T00:00:00Z'))).certificate;
});

const fingerprints = (roots: readonly Certificate[]): readonly string[] => roots.map(({fingerprint}) => fingerprint);
const textOf = (...roots: readonly Certificate[]): string => roots.map(({pem}) => pem).join('');

describe('a trust store', () => {
  it('has the roots in the order of the text, without duplicates, and only them as its text', () => {
    const text = `# the mesh's roots\n${textOf(current, old, current)}`;
    const store = parseTrustStore(text, 'root-cert.pem');
    expect([store.text, fingerprints(store.roots)]).toEqual([
      textOf(current, old, current),
      fingerprints([current, old]),
    ]);
    expect(trustStoreOf([old, current])).toEqual({text: textOf(old, current), roots: [old, current]});
  });

  it('cannot be parsed from a text without certificates, with an error that names the text', () => {
    const parse = (): TrustStore => parseTrustStore('hello', 'root-cert.pem');
    expect(parse).toThrow(
      expect.objectContaining({code: 'NOT_PEM', message: expect.stringContaining('root-cert.pem') as string}),
    );
  });

  it('from a foreign text has no roots if the text is unreadable', () => {
    expect([readableRoots('hello'), isReadableBundle('hello')]).toEqual([[], false]);
    expect([readableRoots(undefined), isReadableBundle(undefined)]).toEqual([[], true]);
    expect([readableRoots('\n'), isReadableBundle('\n')]).toEqual([[], true]);
    expect([fingerprints(readableRoots(textOf(old, old))), isReadableBundle(textOf(old))]).toEqual([
      fingerprints([old]),
      true,
    ]);
  });
});

describe('comparison', () => {
  it.each<[string, () => readonly Certificate[], () => readonly Certificate[], boolean, boolean]>([
    ['one root with itself', () => [old], () => [old], true, true],
    ['one root with another', () => [old], () => [current], false, false],
    ['two roots in another order', () => [old, current], () => [current, old], true, true],
    ['a duplicate root with the root', () => [old, old], () => [old], true, true],
    ['two roots with one of them', () => [old, current], () => [current], false, true],
    ['no roots with no roots', () => [], () => [], false, true],
    ['no roots with a root', () => [], () => [old], false, true],
  ])('%s', (_row, one, other, same, subset) => {
    expect([sameRoots(one(), other()), sameRoots(other(), one())]).toEqual([same, same]);
    expect([isSubsetEitherWay(one(), other()), isSubsetEitherWay(other(), one())]).toEqual([subset, subset]);
  });

  it('finds the missing roots, without duplicates', () => {
    expect(missingRoots([old, current, old], [current])).toEqual([old]);
    expect(missingRoots([current], [old, current])).toEqual([]);
  });

  it('finds the first store that differs from the first one', () => {
    const [both, swapped, one] = [trustStoreOf([old, current]), trustStoreOf([current, old]), trustStoreOf([old])];
    const unreadable: TrustStore = {text: 'hello', roots: []};
    expect(mismatch([both, swapped, one])).toBe(one);
    expect(mismatch([both, swapped])).toBeUndefined();
    expect(mismatch([both, unreadable])).toBe(unreadable);
    expect(mismatch<TrustStore>([])).toBeUndefined();
  });
});

describe('the signing chain', () => {
  it('belongs to the key, and names the store', () => {
    const store = {...trustStoreOf([current, old]), signing: [clusterCa, old]};
    expect([rootName(store), signingChains(store)]).toEqual([old.subject.text, [[clusterCa, old]]]);
  });

  it('can be any of the roots if the key is unknown', () => {
    expect(signingChains(trustStoreOf([expired, current, old]))).toEqual([[expired], [current], [old]]);
    expect(signingChains({text: '', roots: []})).toEqual([]);
    expect([rootName(trustStoreOf([current, old])), rootName({roots: []})]).toEqual([current.subject.text, '']);
  });
});
