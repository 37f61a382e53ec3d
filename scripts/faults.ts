/**
 * `npm run faults`: seeds every fault in real meshes, verifies healthy ones as well, and prints the results of verify.
 * `-- --only MESH3,healthy-ours` measures some of them; `-- --docs` writes docs/faults.md after a complete run.
 *
 * Exits 0 only if all faults were caught and there was no false alarm.
 */
import {spawnSync} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {format, resolveConfig} from 'prettier';
import {onlyVariable} from '../test/faults/harness/only.js';
import {readResults} from '../test/faults/harness/results.js';
import {faultsPage, summarize, tableText} from './faults/report.js';

const usage = `npm run faults                        seed every fault and verify every healthy mesh: about 20 minutes on two cores
npm run faults -- --only MESH3,MESH2  only faults and meshes whose ID starts with one of these prefixes
npm run faults -- --docs              also write docs/faults.md; requires a complete run`;

interface Options {
  readonly only: readonly string[];
  readonly docs: boolean;
}

const checkout = fileURLToPath(new URL('../', import.meta.url));

const options = readOptions();
process.exitCode = options === undefined ? 2 : await faults(options);

/** Reads the command line. Prints an error and returns undefined when it is invalid. */
function readOptions(): Options | undefined {
  try {
    const {values} = parseArgs({
      options: {only: {type: 'string', multiple: true, default: []}, docs: {type: 'boolean', default: false}},
    });
    const only = values.only.flatMap((words) => words.split(',')).filter((word) => word !== '');
    if (values.docs && only.length > 0)
      throw new TypeError('--docs requires all faults and cannot be combined with --only');
    return {only, docs: values.docs};
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return undefined;
  }
}

/** Measures and prints the results. Returns the exit code. */
async function faults({only, docs}: Options): Promise<number> {
  const run = spawnSync(
    process.execPath,
    [join(checkout, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'faults'],
    {cwd: checkout, stdio: 'inherit', env: {...process.env, [onlyVariable]: only.join(',')}},
  );
  const summary = summarize(readResults());
  console.log(`\n${tableText(summary)}`);
  if (!docs) return run.status === 0 && summary.perfect ? 0 : 1;
  // The page of an incomplete run would present unmeasured faults as caught.
  if (run.status === null || summary.faults.length === 0 || !summary.complete) {
    console.error('error: docs/faults.md was not written: the run is incomplete');
    return 1;
  }
  const page = join(checkout, 'docs', 'faults.md');
  const style = await resolveConfig(page);
  await writeFile(page, await format(faultsPage(summary, new Date()), {...style, filepath: page}));
  return run.status === 0 && summary.perfect ? 0 : 1;
}
