// Bundles the program: one file for each command, shared chunks, and all libraries. The installed package has no
// dependencies. A test reads `dist/meta.json`, which lists the contents of each file.
import {readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const commands = (await readdir(join(root, 'src/commands'), {recursive: true}))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src/commands', name));

// Built beside dist and then swapped in, so that a running program misses its files only briefly.
const fresh = `dist-${process.pid}`;
const {metafile} = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/complete.ts', 'src/supervise.ts', ...commands],
  outbase: 'src',
  outdir: fresh,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'none',
  // oclif imports a TypeScript compiler if there is one; there is none at run time.
  external: ['typescript'],
  // Bundled CommonJS libraries call require, which is not defined in ES modules.
  banner: {
    js: "import {createRequire as __createRequire} from 'node:module';const require = __createRequire(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});
await writeFile(join(root, fresh, 'meta.json'), JSON.stringify(metafile));
await writeFile(join(root, fresh, 'THIRD-PARTY-LICENSES.txt'), await licenses(Object.keys(metafile.inputs)));
await rm(join(root, 'dist'), {recursive: true, force: true});
await rename(join(root, fresh), join(root, 'dist'));

/** The license texts of all packages in the bundle, as their terms require. */
async function licenses(inputs) {
  const folders = new Set(inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []));
  const texts = await Promise.all(
    [...folders].sort().map(async (folder) => {
      const {name, version, license} = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
      const file = (await readdir(join(root, folder))).find((entry) => /^licen[cs]e/i.test(entry));
      const text = file === undefined ? `${String(license)}\n` : await readFile(join(root, folder, file), 'utf8');
      return `${name} ${version}\n\n${text.trim()}\n`;
    }),
  );
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}
