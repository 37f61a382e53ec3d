/** Sets of roots: one, several, the same in other words, and what cannot be read. */
import {beforeAll, describe, expect, it} from 'vitest';
import {
  isReadableBundle,
  isSubsetEitherWay,
  missingRoots,
  firstMismatch,
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

const prints = (roots: readonly Certificate[]): readonly string[] => roots.map(({fingerprint}) => fingerprint);
const textOf = (...roots: readonly Certificate[]): string => roots.map(({pem}) => pem).join('');

describe('a trust store', () => {
  it('has its roots in the order of the text, each once, and keeps the text', () => {
    const text = `# the mesh's roots\n${textOf(current, old, current)}`;
    const store = parseTrustStore(text, 'root-cert.pem');
    expect([store.text, prints(store.roots)]).toEqual([text, prints([current, old])]);
    expect(trustStoreOf([old, current])).toEqual({text: textOf(old, current), roots: [old, current]});
  });

  it('of a text that is no certificate is an error that names it', () => {
    const parse = (): TrustStore => parseTrustStore('hello', 'root-cert.pem');
    expect(parse).toThrow(
      expect.objectContaining({code: 'NOT_PEM', message: expect.stringContaining('root-cert.pem') as string}),
    );
  });

  it('that somebody else wrote has no roots where it cannot be read, and says so', () => {
    expect([readableRoots('hello'), isReadableBundle('hello')]).toEqual([[], false]);
    expect([readableRoots(undefined), isReadableBundle(undefined)]).toEqual([[], true]);
    expect([readableRoots('\n'), isReadableBundle('\n')]).toEqual([[], true]);
    expect([prints(readableRoots(textOf(old, old))), isReadableBundle(textOf(old))]).toEqual([prints([old]), true]);
  });
});

describe('comparing', () => {
  it.each<[string, () => readonly Certificate[], () => readonly Certificate[], boolean, boolean]>([
    ['one root with itself', () => [old], () => [old], true, true],
    ['one root with another', () => [old], () => [current], false, false],
    ['two roots in another order', () => [old, current], () => [current, old], true, true],
    ['a root twice with the root', () => [old, old], () => [old], true, true],
    ['two roots with one of them', () => [old, current], () => [current], false, true],
    ['nothing with nothing', () => [], () => [], false, true],
    ['nothing with a root', () => [], () => [old], false, true],
  ])('%s', (_row, one, other, same, subset) => {
    expect([sameRoots(one(), other()), sameRoots(other(), one())]).toEqual([same, same]);
    expect([isSubsetEitherWay(one(), other()), isSubsetEitherWay(other(), one())]).toEqual([subset, subset]);
  });

  it('tells which roots are missing, each once', () => {
    expect(missingRoots([old, current, old], [current])).toEqual([old]);
    expect(missingRoots([current], [old, current])).toEqual([]);
  });

  it('finds the first store that disagrees with the first', () => {
    const [both, swapped, one] = [trustStoreOf([old, current]), trustStoreOf([current, old]), trustStoreOf([old])];
    const unreadable: TrustStore = {text: 'hello', roots: []};
    expect(firstMismatch([both, swapped, one])).toBe(one);
    expect(firstMismatch([both, swapped])).toBeUndefined();
    expect(firstMismatch([both, unreadable])).toBe(unreadable);
    expect(firstMismatch<TrustStore>([])).toBeUndefined();
  });
});

describe('what signs', () => {
  it('is what the key says, and gives the store its name', () => {
    const store = {...trustStoreOf([current, old]), signing: [clusterCa, old]};
    expect([rootName(store), signingChains(store)]).toEqual([old.subject.text, [[clusterCa, old]]]);
  });

  it('may be each of the roots where the key does not say', () => {
    expect(signingChains(trustStoreOf([expired, current, old]))).toEqual([[expired], [current], [old]]);
    expect(signingChains({text: '', roots: []})).toEqual([]);
    expect([rootName(trustStoreOf([current, old])), rootName({roots: []})]).toEqual([current.subject.text, '']);
  });
});
