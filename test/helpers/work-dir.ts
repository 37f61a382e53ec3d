import {chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';

/** A real work directory below the system's temporary directory. */
export interface TestWorkDir {
  readonly root: string;
  read(path: string): Promise<string>;
  write(path: string, content: string, mode?: number): Promise<void>;
  remove(path: string): Promise<void>;
  /** Permission bits. */
  mode(path: string): Promise<number>;
  /** Every file's path and content, for "nothing changed". */
  snapshot(): Promise<Readonly<Record<string, string>>>;
  dispose(): Promise<void>;
}

export async function createWorkDir(): Promise<TestWorkDir> {
  const root = await mkdtemp(join(tmpdir(), 'kubectl-mesh-'));
  return {
    root,
    read: (path) => readFile(join(root, path), 'utf8'),
    async write(path, content, mode) {
      await mkdir(dirname(join(root, path)), {recursive: true});
      await writeFile(join(root, path), content);
      if (mode !== undefined) await chmod(join(root, path), mode);
    },
    remove: (path) => rm(join(root, path), {recursive: true}),
    mode: async (path) => (await stat(join(root, path))).mode & 0o777,
    async snapshot() {
      const entries = await readdir(root, {recursive: true, withFileTypes: true});
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
      return Object.fromEntries(
        await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)),
      );
    },
    dispose: () => rm(root, {recursive: true, force: true}),
  };
}
