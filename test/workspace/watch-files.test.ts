import {chmod, mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {watchFiles, type FileWatch} from '../../src/workspace/watch-files.js';

let root: string;
let watch: FileWatch | undefined;
const changed = vi.fn();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'km-watch-'));
  await mkdir(join(root, 'c1'));
  await writeFile(join(root, 'c1/ca-cert.pem'), 'one');
  changed.mockClear();
});

afterEach(async () => {
  watch?.close();
  await rm(root, {recursive: true, force: true});
});

const told = (): Promise<void> => vi.waitFor(() => expect(changed).toHaveBeenCalled(), 5000);
const path = (name: string): string => join(root, name);

describe('changes of files', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a file that is written', () => writeFile(path('c1/ca-cert.pem'), 'two')],
    ['another mode', () => chmod(path('c1/ca-cert.pem'), 0o644)],
    ['a file that goes', () => rm(path('c1/ca-cert.pem'))],
    ['a file at the top', () => writeFile(path('mesh.yaml'), '')],
    ['a directory that goes', () => rm(path('c1'), {recursive: true})],
    ['a directory that comes', () => mkdir(path('c2'))],
  ])('are told: %s', async (_, change) => {
    watch = watchFiles(root, ['c1', 'c2'], changed);
    expect(watch.isWhole).toBe(true);
    await change();
    await told();
  });

  it('are told in a directory that came later, or in the place of another', async () => {
    watch = watchFiles(root, ['c1', 'c2'], changed);
    await mkdir(path('c2'));
    await told();
    changed.mockClear();
    await writeFile(path('c2/ca-key.pem'), '');
    await told();
    await mkdir(path('other'));
    await rename(path('c1'), path('old'));
    await rename(path('other'), path('c1'));
    // Each is told of; only a watch of the new directory tells of what happens there later.
    await new Promise((resolve) => setTimeout(resolve, 200));
    changed.mockClear();
    await writeFile(path('c1/ca-cert.pem'), '');
    await told();
  });

  it('that mean nothing are not told, such as the log of the run that watches', async () => {
    watch = watchFiles(root, ['c1'], changed);
    await writeFile(path('verify.log'), '');
    await writeFile(path('c1/.ca-key.pem.swp'), '');
    await writeFile(path('c1/ca-key.pem'), '');
    await told();
    expect(changed.mock.calls.length).toBeLessThan(3);
  });

  it('are no longer told when it is closed', async () => {
    watch = watchFiles(root, ['c1'], changed);
    watch.close();
    const later = vi.fn();
    watch = watchFiles(root, ['c1'], later);
    await writeFile(path('mesh.yaml'), '');
    await vi.waitFor(() => expect(later).toHaveBeenCalled(), 5000);
    expect(changed).not.toHaveBeenCalled();
  });

  it('of a directory that is not there cannot be told', () => {
    watch = watchFiles(path('gone'), [], changed);
    expect(watch.isWhole).toBe(false);
  });
});
