/** What must hold of a work directory at any moment, whatever was killed or refused in it. */
import {existsSync} from 'node:fs';
import {lstat, readdir, readFile} from 'node:fs/promises';
import {X509Certificate, createPrivateKey} from 'node:crypto';
import {join} from 'node:path';
import {expect} from 'vitest';
import {readJournal} from '../../../src/domain/journal/chain.js';
import {passphrase} from './box.js';

const names = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];

/**
 * Key files are closed to others and whole, wherever they are on their way; each cluster has all four files or none,
 * counting a committed set as there; what is there fits together.
 */
export async function expectWholeWorkDir(work: string, clusters: readonly string[]): Promise<void> {
  for (const entry of await readdir(work, {recursive: true, withFileTypes: true})) {
    const path = join(entry.parentPath, entry.name);
    const facts = await lstat(path);
    if (!entry.isFile()) continue;
    const text = await readFile(path, 'utf8');
    if (text.includes('PRIVATE KEY') || entry.name.endsWith('key.pem')) expect(facts.mode & 0o777, path).toBe(0o600);
    if (entry.name.endsWith('key.pem')) expectKey(text, path);
  }
  const hasKey = existsSync(join(work, 'root-key.pem'));
  const hasRoot = existsSync(join(work, 'root-cert.pem'));
  const rootSetUnderway = existsSync(join(work, '.pending/commit'));
  if (!rootSetUnderway) expect(hasKey, 'root key and certificate come together').toBe(hasRoot);
  for (const cluster of clusters) {
    const folder = join(work, cluster);
    if (!existsSync(folder) || existsSync(join(folder, '.pending/commit'))) continue;
    const there = (await readdir(folder)).filter((name) => name.endsWith('.pem')).sort();
    if (there.length === 0) continue;
    expect(there, cluster).toEqual(names);
    const [ca, key, chain, root] = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const certificate = new X509Certificate(ca ?? '');
    expect(certificate.checkPrivateKey(createPrivateKey(key ?? '')), cluster).toBe(true);
    expect(chain, cluster).toContain(ca?.trim());
    expect(certificate.verify(new X509Certificate(root ?? '').publicKey), cluster).toBe(true);
  }
}

function expectKey(text: string, path: string): void {
  expect(() => createPrivateKey({key: text, passphrase}), path).not.toThrow();
}

/** What is wrong with the journal; an unfinished last line is none, the next run closes it. */
export async function journalFaults(work: string): Promise<readonly unknown[]> {
  const path = join(work, 'journal.jsonl');
  return existsSync(path) ? readJournal(await readFile(path, 'utf8')).faults : [];
}
