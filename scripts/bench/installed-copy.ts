import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** The files of the package that a command needs (`files` in package.json). */
const shipped = ['bin', 'dist', 'package.json', 'oclif.manifest.json'];

/** Copies the built program out of the checkout, so that a build in the meantime does not change what is measured. */
export function installCopy(): {readonly program: string; remove(): void} {
  const directory = mkdtempSync(join(tmpdir(), 'kubectl-mesh-bench-program-'));
  for (const name of shipped) cpSync(join(checkout, name), join(directory, name), {recursive: true});
  return {
    program: join(directory, 'bin', 'run.js'),
    remove: () => {
      rmSync(directory, {recursive: true, force: true});
    },
  };
}
