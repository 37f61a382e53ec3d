/**
 * The programs and servers of mesh.yaml that this user confirmed (domain/mesh/signer-use.ts): trusted.json in the user's
 * state directory, not in the work directory, which others can write to.
 */
import {randomBytes} from 'node:crypto';
import {lstat} from 'node:fs/promises';
import {join} from 'node:path';
import {printableLine} from '../domain/printable.js';
import {makeDirectory, replaceFile, secretMode} from './atomic.js';
import {isBelow} from './guard.js';
import {parseJsonFile, readRegular} from './read.js';

/** A confirmed use. */
interface Entry {
  readonly hash: string;
  /** For a person who reads the file. */
  readonly name: string;
  /** RFC 3339. */
  readonly confirmed: string;
}

interface TrustedFile {
  readonly version: 1;
  readonly trusted: readonly Entry[];
}

/** What the user confirmed in earlier runs. */
export type ConfirmedUses = ReturnType<typeof createConfirmedUses>;

/** The oldest entries beyond this are dropped, and confirmed again. */
const maxEntries = 1000;

/** Larger than a file with {@link maxEntries} entries. Bytes. */
const maxFileBytes = 4 * 1024 * 1024;

/** How often an entry is added again that a concurrent run, which read the file earlier, has overwritten. */
const maxAttempts = 5;

/** `directory`: of the file; `workDir`: a file there is ignored, because a repository could contain it. */
export function createConfirmedUses(directory: string, workDir: string) {
  const path = join(directory, 'trusted.json');
  return {
    /** Whether a use was confirmed. A file that is missing, invalid or accessible to others contains nothing. */
    has: async (hash: string): Promise<boolean> =>
      !(await isBelow(directory, workDir)) && (await readEntries(path)).some((entry) => entry.hash === hash),
    /** Remembers a use. Returns why that failed; undefined if it is remembered. */
    async add(hash: string, name: string, now: Date): Promise<string | undefined> {
      try {
        await makeDirectory(directory);
        if (await isBelow(directory, workDir)) return `${directory} is in the work directory`;
        const entry: Entry = {hash, name, confirmed: now.toISOString()};
        for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
          const others = (await readEntries(path)).filter((other) => other.hash !== hash);
          const file: TrustedFile = {version: 1, trusted: [...others, entry].slice(-maxEntries)};
          const temporary = join(directory, `.trusted-${randomBytes(6).toString('hex')}.tmp`);
          await replaceFile(path, temporary, `${JSON.stringify(file, undefined, 2)}\n`, {mode: secretMode});
          if ((await readEntries(path)).some((other) => other.hash === hash)) return undefined;
        }
        return `${path} was replaced by another program`;
      } catch (error) {
        return printableLine(error instanceof Error ? error.message : String(error));
      }
    },
  };
}

async function readEntries(path: string): Promise<readonly Entry[]> {
  try {
    const facts = await lstat(path);
    // 0o077: accessible to the group or others. git creates no such file: one from a clone in the home directory is ignored.
    if (!facts.isFile() || facts.uid !== process.getuid?.() || (facts.mode & 0o077) !== 0) return [];
    const text = await readRegular(path, maxFileBytes);
    const file = parseJsonFile<TrustedFile>(text, ({version, trusted}) => version === 1 && Array.isArray(trusted));
    return file?.trusted.filter(isEntry) ?? [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  const {hash, name, confirmed} = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  return [hash, name, confirmed].every((field) => typeof field === 'string');
}
