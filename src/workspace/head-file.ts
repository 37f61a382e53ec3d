/**
 * .journal-head.json: the chain that this copy of a work directory writes, and its newest entry. It is not in git, and a
 * copy of it in another directory is ignored.
 */
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {ChainHead} from '../domain/journal/chain.js';
import {layout} from '../domain/mesh/layout.js';
import {type Faults, replaceFile, secretMode, temporarySuffix} from './atomic.js';
import {fileError, ifExists} from './fs-errors.js';
import {parseJsonFile, readRegular} from './read.js';

/** The content of `.journal-head.json`. */
export interface SavedHead {
  readonly chain: string;
  /** Inode of the work directory: a copy of the directory, including this file, starts a new chain. */
  readonly directory: number;
  /**
   * When the work directory was created, in nanoseconds since 1970, if its file system records it. A clone cannot predict it,
   * as it can an inode. Absent in files of earlier versions.
   */
  readonly born?: string;
  /** 32 random bytes in hex, with which this copy authenticates its {@link FileSet}s. */
  readonly secret?: string;
  readonly head?: ChainHead;
}

/** Identifies a directory: {@link SavedHead} has the fields. */
export async function identityOf(path: string): Promise<Required<Pick<SavedHead, 'directory' | 'born'>>> {
  const {ino, birthtimeNs} = await stat(path, {bigint: true});
  return {directory: Number(ino), born: String(birthtimeNs)};
}

/** The head file of one work directory. */
export class HeadFile {
  readonly #path: string;

  constructor(
    private readonly root: string,
    private readonly faults?: Faults,
  ) {
    this.#path = join(root, layout.journalHead);
  }

  /** Undefined if there is none, or if it was copied from another directory. */
  async read(): Promise<SavedHead | undefined> {
    try {
      const text = await ifExists(readRegular(this.#path));
      if (text === undefined) return undefined;
      const here = await identityOf(this.root);
      return parseJsonFile<SavedHead>(
        text,
        ({chain, directory, born, secret}) =>
          typeof chain === 'string' &&
          directory === here.directory &&
          (born === undefined || born === here.born) &&
          (secret === undefined || (typeof secret === 'string' && /^[0-9a-f]{64}$/.test(secret))),
      );
    } catch (error) {
      throw fileError(error, this.#path, 'read');
    }
  }

  async save(head: SavedHead, isSynced = false): Promise<void> {
    // The next run removes files with this suffix.
    const temporary = `${this.#path}${temporarySuffix}`;
    await this.faults?.('journal-remember', this.#path);
    await replaceFile(this.#path, temporary, `${JSON.stringify(head)}\n`, {mode: secretMode, isSynced});
  }
}

/** Reads the newest entry in a head file that was set aside; undefined if it contains none. */
export async function readArchivedHead(path: string): Promise<ChainHead | undefined> {
  const text = await readRegular(path).catch(() => '');
  return parseJsonFile<{readonly head: ChainHead}>(text, ({head}) => {
    const {chain, seq, hash} = head as Partial<ChainHead>;
    return typeof chain === 'string' && typeof seq === 'number' && typeof hash === 'string';
  })?.head;
}
