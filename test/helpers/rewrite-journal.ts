/** Rewrites a journal as an attacker would: every hash is valid, so the file alone does not show it. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {entryLine, seal, type ChainHead} from '../../src/domain/journal/chain.js';
import type {JournalEntry} from '../../src/domain/journal/entry.js';

/**
 * Changes (or, with undefined, leaves out) entries of `dir`/journal.jsonl, seals all of them again, and sets the memory of
 * the newest entry beside it right, too.
 */
export async function rewriteJournal(
  dir: string,
  change: (entry: JournalEntry) => JournalEntry | undefined,
): Promise<void> {
  const heads = new Map<string, ChainHead>();
  let text = '';
  for (const line of (await readFile(join(dir, 'journal.jsonl'), 'utf8')).split('\n').filter((one) => one !== '')) {
    const changed = change(JSON.parse(line) as JournalEntry);
    if (!changed) continue;
    const {chain, ...record} = Object.fromEntries(
      Object.entries(changed).filter(([field]) => !['seq', 'previous', 'hash'].includes(field)),
    ) as unknown as JournalEntry;
    const sealed = seal(record, chain, heads.get(chain));
    heads.set(chain, {chain, seq: sealed.seq, hash: sealed.hash});
    text += entryLine(sealed);
  }
  await writeFile(join(dir, 'journal.jsonl'), text);
  const path = join(dir, '.journal-head.json');
  const memory = JSON.parse(await readFile(path, 'utf8')) as {chain: string};
  await writeFile(path, JSON.stringify({...memory, head: heads.get(memory.chain)}));
}
