import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {writeOutputFile} from '../../src/workspace/output-file.js';
import {temporaryRoot} from './temporary-root.js';

describe('the output file', () => {
  it.each(['create', 'write', 'sync', 'rename'])(
    'keeps what it had when there is no space at "%s", and leaves nothing beside it',
    async (point) => {
      const own = join(await temporaryRoot(), point);
      await mkdir(own, {recursive: true});
      const path = join(own, 'mesh.prom');
      await writeFile(path, 'before\n');
      const full = (at: string): void => {
        if (at === point) throw Object.assign(new Error('no space'), {code: 'ENOSPC'});
      };
      await expect(writeOutputFile(path, 'after\n', {faults: full})).rejects.toMatchObject({code: 'OUTPUT_FAILED'});
      expect(await readFile(path, 'utf8')).toBe('before\n');
      expect(await readdir(own)).toEqual(['mesh.prom']);
    },
  );

  it('has the content of one writer if two write at the same time', async () => {
    const path = join(await temporaryRoot(), 'mesh.prom');
    const texts = ['a', 'b'].map((letter) => `${letter.repeat(100_000)}\n`);
    await Promise.allSettled(texts.map((text) => writeOutputFile(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
  });
});
