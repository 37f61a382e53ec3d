import {expect, it} from 'vitest';
import {belowRoots} from '../../../src/domain/ca/inspect-parts.js';
import type {Certificate} from '../../../src/domain/x509/certificate.js';
import {tinyClusterCa, tinyLeaf, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';

it('finds the certificates below a root, at any depth and in any order', async () => {
  const [root, other] = [await tinyRoot(), await tinyRoot()];
  const ca = await tinyClusterCa(root, 'c1');
  const leaf = await tinyLeaf(ca);
  const foreign = await tinyClusterCa(other, 'c2');
  const all = [leaf, foreign, ca, root, other].map(({certificate}) => certificate);
  const below = belowRoots(all, [root.certificate]);
  expect(all.map(({fingerprint}) => below.has(fingerprint))).toEqual([true, false, true, true, false]);
});

it('checks one signature for each certificate of a deep chain', async () => {
  const root = await tinyRoot();
  const chain: TinyCa[] = [root];
  for (let level = 1; level <= 40; level++) chain.push(await tinyClusterCa(chain.at(-1) ?? root, `c${String(level)}`));
  let checks = 0;
  const counted = chain.map(({certificate}): Certificate => ({
    ...certificate,
    signedBy(key) {
      checks += 1;
      return certificate.signedBy(key);
    },
  }));
  expect(belowRoots(counted, [root.certificate]).size).toBe(41);
  expect(checks).toBeLessThanOrEqual(41);
});
