/** A Secret volume on disk changes as a kubelet's does: all keys at once, by one rename. */
import {lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {writeVolume} from './harness/volumes.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'volume-'));
});
afterEach(() => {
  rmSync(directory, {recursive: true});
});

const content = (values: Record<string, string>): Record<string, Buffer> =>
  Object.fromEntries(Object.entries(values).map(([name, text]) => [name, Buffer.from(text)]));
const visible = (): string[] => readdirSync(directory).filter((name) => !name.startsWith('..'));

it('shows each key as a link through ..data', () => {
  expect(writeVolume(directory, content({'a.pem': 'A', 'b.pem': 'B'}))).toBe(true);
  expect(readlinkSync(join(directory, 'a.pem'))).toBe('..data/a.pem');
  expect(lstatSync(join(directory, '..data')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(directory, 'b.pem'), 'utf8')).toBe('B');
});

it('does nothing when nothing changed', () => {
  writeVolume(directory, content({'a.pem': 'A'}));
  const before = lstatSync(join(directory, '..data')).ino;
  expect(writeVolume(directory, content({'a.pem': 'A'}))).toBe(false);
  expect(lstatSync(join(directory, '..data')).ino).toBe(before);
});

it('replaces the content, drops removed keys, and can go back to what was there before', () => {
  writeVolume(directory, content({'a.pem': 'A', 'old.pem': 'O'}));
  writeVolume(directory, content({'a.pem': 'A2', 'new.pem': 'N'}));
  expect(visible().sort()).toEqual(['a.pem', 'new.pem']);
  expect(readFileSync(join(directory, 'a.pem'), 'utf8')).toBe('A2');
  writeVolume(directory, content({'a.pem': 'A', 'old.pem': 'O'}));
  expect(visible().sort()).toEqual(['a.pem', 'old.pem']);
  expect(readFileSync(join(directory, 'a.pem'), 'utf8')).toBe('A');
});

it('is an empty directory for an optional Secret that does not exist', () => {
  writeVolume(directory, {});
  expect(visible()).toEqual([]);
});
