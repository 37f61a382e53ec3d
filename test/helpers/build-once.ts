/** vitest global setup: builds the program once when dist/ is older than what it is made of. */
import {execFileSync} from 'node:child_process';
import {readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** Absolute path of the executable that smoke and end-to-end tests run. */
export const program = join(checkout, 'bin', 'run.js');

export default function buildOnce(): void {
  if (isStale()) {
    execFileSync(process.execPath, [join(checkout, 'scripts', 'build.mjs')], {cwd: checkout, stdio: 'inherit'});
  }
}

/** True when dist/main.js is missing or older than a source. A deleted source is seen by its folder's time. */
export function isStale(): boolean {
  const built = statSync(join(checkout, 'dist', 'main.js'), {throwIfNoEntry: false})?.mtimeMs ?? 0;
  const sources = readdirSync(join(checkout, 'src'), {recursive: true, encoding: 'utf8', withFileTypes: true});
  const paths = sources.flatMap((entry) => [join(entry.parentPath, entry.name), entry.parentPath]);
  const others = ['package.json', 'package-lock.json', 'scripts/build.mjs'].map((file) => join(checkout, file));
  return [...paths, ...others].some((path) => statSync(path).mtimeMs > built);
}
