import {readFile} from 'node:fs/promises';
import {describe, expect, it} from 'vitest';
import {renderChecks} from '../../../scripts/checks-doc.js';

describe('docs/checks.md', () => {
  it('is what the registry says; if a check was meant to change, run `npm run docs`', async () => {
    const committed = await readFile(new URL('../../../docs/checks.md', import.meta.url), 'utf8');
    expect(committed).toBe(renderChecks());
  });
});
