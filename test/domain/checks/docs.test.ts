import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {renderChecks} from '../../../scripts/checks-doc.js';

describe('docs/checks.md', () => {
  it('matches the registry; after a deliberate change of a check, run `npm run docs`', async () => {
    const committed = await readFile(new URL('../../../docs/checks.md', import.meta.url), 'utf8');
    expect(committed).toBe(renderChecks());
  });
});
