import {chmodSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/**
 * Gives a run of tests a directory for temporary files of its own, and removes it at the end: no test has to. Its name is
 * short, since the path of a socket may have 107 bytes (unix(7)).
 */
export default function setup(): () => void {
  const before = process.env.TMPDIR;
  const directory = mkdtempSync(join(tmpdir(), 'km-'));
  // Tests run programs as other users, too.
  chmodSync(directory, 0o755);
  process.env.TMPDIR = directory;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(directory, {recursive: true, force: true});
  };
}
