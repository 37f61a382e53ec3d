import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {factKeys, isMeshFact, readsOf} from '../../../src/domain/facts/facts.js';
import {verifyRights} from '../../../src/domain/facts/rights.js';
import {withRights} from '../../../scripts/rights-doc.js';

describe('the rights that verify needs', () => {
  it('stand in docs/verify.md; if a request was meant to change, run `npm run docs`', async () => {
    const page = await readFile(new URL('../../../docs/verify.md', import.meta.url), 'utf8');
    expect(withRights(page)).toBe(page);
  });

  it('are there once each, and tell of facts of clusters', () => {
    const names = verifyRights.map(({verb, group, resource, name, where}) =>
      [verb, group, resource, name, where].join(),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const {facts} of verifyRights) {
      expect(facts.length).toBeGreaterThan(0);
      for (const fact of facts) expect(isMeshFact(fact)).toBe(false);
    }
  });

  it('cover every fact that is read from a cluster', () => {
    const told = new Set<string>(verifyRights.flatMap(({facts}) => facts));
    const read = factKeys.filter((key) => readsOf(key).length > 0);
    expect(read.filter((fact) => !told.has(fact))).toEqual([
      // Read only where the work directory has nothing; every authenticated user may read /version; known even where
      // reading is refused.
      'caOrigin',
      'apiVersion',
      'restartOnPush',
    ]);
  });
});
