import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {factKeys, isMeshFact, readsOf} from '../../../src/domain/facts/facts.js';
import {verifyRights} from '../../../src/domain/facts/rights.js';
import {withRights} from '../../../scripts/rights-doc.js';

const rights = verifyRights([{name: 'one'}, {name: 'two'}]);

describe('the rights that verify needs', () => {
  it('are listed in docs/verify.md; after a deliberate change of a request, run `npm run docs`', async () => {
    const page = await readFile(new URL('../../../docs/verify.md', import.meta.url), 'utf8');
    expect(withRights(page)).toBe(page);
  });

  it('are unique, and refer to facts of clusters', () => {
    const names = rights.map(({verb, group, resource, name, where}) => [verb, group, resource, name, where].join());
    expect(new Set(names).size).toBe(names.length);
    for (const {facts} of rights) {
      expect(facts.length).toBeGreaterThan(0);
      for (const fact of facts) expect(isMeshFact(fact)).toBe(false);
    }
  });

  it('cover all facts that are read from a cluster', () => {
    const covered = new Set<string>(rights.flatMap(({facts}) => facts));
    const read = factKeys.filter((key) => readsOf(key).length > 0);
    expect(read.filter((fact) => !covered.has(fact))).toEqual([
      // Read only if the work directory holds no CA; /version, which every authenticated user can read; known even if
      // reading is forbidden.
      'caOrigin',
      'apiVersion',
      'restartOnPush',
    ]);
  });
});
