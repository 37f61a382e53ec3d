import {chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createConfirmedUses} from '../../src/workspace/confirmed-uses.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kubectl-mesh-state-'));
});
afterEach(() => {
  rmSync(home, {recursive: true});
});

const now = new Date('2026-01-01T00:00:00Z');
const directory = () => join(home, 'a/b');
const file = () => join(directory(), 'trusted.json');
const uses = () => createConfirmedUses(directory(), '/work');

describe('the confirmed uses', () => {
  it('are kept in a file that only the user can read, without temporary files', async () => {
    expect(await uses().has('x')).toBe(false);
    expect(await uses().add('x', 'program x', now)).toBeUndefined();
    expect(await uses().add('y', 'program y', now)).toBeUndefined();
    expect([await uses().has('x'), await uses().has('y'), await uses().has('z')]).toEqual([true, true, false]);
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory())).toEqual(['trusted.json']);
  });

  it.each(['', '{', 'null', '[]', '{"version":2,"trusted":[]}', '{"version":1,"trusted":[null,{"hash":"x"},1]}'])(
    'are none in %j, which is then replaced',
    async (text) => {
      mkdirSync(directory(), {recursive: true});
      writeFileSync(file(), text);
      expect(await uses().has('x')).toBe(false);
      expect(await uses().add('x', 'program x', now)).toBeUndefined();
      expect(await uses().has('x')).toBe(true);
    },
  );

  it('are none in a file that others can read or write, as in a clone, or a link', async () => {
    await uses().add('x', 'program x', now);
    for (const mode of [0o620, 0o602, 0o644]) {
      chmodSync(file(), mode);
      expect(await uses().has('x')).toBe(false);
    }
    chmodSync(file(), 0o600);
    const linked = join(home, 'linked');
    mkdirSync(linked);
    symlinkSync(file(), join(linked, 'trusted.json'));
    expect(await createConfirmedUses(linked, '/work').has('x')).toBe(false);
  });

  it('are not kept in the work directory, or where nothing can be written', async () => {
    expect(await createConfirmedUses(directory(), dirname(directory())).add('x', 'x', now)).toBeDefined();
    expect(await createConfirmedUses('/dev/null/a', '/work').add('x', 'x', now)).toBeDefined();
  });

  it('tolerate concurrent runs', async () => {
    const hashes = Array.from({length: 8}, (_, index) => String(index));
    await Promise.all(hashes.map((hash) => uses().add(hash, hash, now)));
    expect(await uses().add('last', 'last', now)).toBeUndefined();
    expect(await uses().has('last')).toBe(true);
  });
});
