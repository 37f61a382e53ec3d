/** Generated files under version control: stale ones fail here, with the command that updates them. */
import {cpSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {renderCommands} from '../../scripts/commands-doc.js';
import {root, runProgram} from './program.js';

describe('generated files', () => {
  it('oclif.manifest.json matches the built commands (otherwise run: npm run manifest)', () => {
    const folder = mkdtempSync(join(tmpdir(), 'manifest-'));
    try {
      for (const part of ['package.json', 'bin', 'dist'])
        cpSync(join(root, part), join(folder, part), {recursive: true});
      const {code, stderr} = runProgram(join(root, 'node_modules/.bin/oclif'), ['manifest', folder], {cwd: folder});
      expect(code, stderr).toBe(0);
      const fresh: unknown = JSON.parse(readFileSync(join(folder, 'oclif.manifest.json'), 'utf8'));
      expect(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'))).toEqual(fresh);
    } finally {
      rmSync(folder, {recursive: true});
    }
  });

  it('docs/commands.md matches the manifest (otherwise run: npm run docs)', async () => {
    expect(readFileSync(join(root, 'docs/commands.md'), 'utf8')).toBe(await renderCommands(root));
  });
});
