/**
 * `npm run faults`: seeds every fault in real meshes, looks at healthy ones, and prints what verify made of them.
 * `-- --only MESH3,healthy-ours` measures some of them, `-- --docs` writes docs/faults.md after a whole run.
 *
 * Exits 0 only when everything was caught, nothing was missed and there was no false alarm.
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

const usage = `npm run faults                        seed every fault, look at every healthy mesh: about 20 minutes on two cores
npm run faults -- --only MESH3,MESH2  only faults and meshes whose id begins so
npm run faults -- --docs              write docs/faults.md, too; only a whole run does`;

interface Options {
  readonly only: readonly string[];
  readonly docs: boolean;
}

const checkout = fileURLToPath(new URL('../', import.meta.url));

const options = readOptions();
process.exitCode = options === undefined ? 2 : await faults(options);

/** The options on the command line; undefined, with an error on standard error, if they are invalid. */
function readOptions(): Options | undefined {
  try {
    const {values} = parseArgs({
      options: {only: {type: 'string', multiple: true, default: []}, docs: {type: 'boolean', default: false}},
    });
    const only = values.only.flatMap((words) => words.split(',')).filter((word) => word !== '');
    if (values.docs && only.length > 0) throw new TypeError('--docs is about all faults, --only about some');
    return {only, docs: values.docs};
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    return undefined;
  }
}

/** Measures, prints, and says whether all is well as an exit code. */
async function faults({only, docs}: Options): Promise<number> {
  const run = spawnSync(
    process.execPath,
    [join(checkout, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--project', 'faults'],
    {cwd: checkout, stdio: 'inherit', env: {...process.env, [onlyVariable]: only.join(',')}},
  );
  const summary = summarize(readResults());
  console.log(`\n${tableText(summary)}`);
  if (!docs) return run.status === 0 && summary.perfect ? 0 : 1;
  // A page of half a run would say of what was not measured that all is well.
  if (run.status === null || summary.faults.length === 0 || !summary.complete) {
    console.error('docs/faults.md was not written: not everything was measured');
    return 1;
  }
  const page = join(checkout, 'docs', 'faults.md');
  const style = await resolveConfig(page);
  await writeFile(page, await format(faultsPage(summary, new Date()), {...style, filepath: page}));
  return run.status === 0 && summary.perfect ? 0 : 1;
}
