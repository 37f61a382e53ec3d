/**
 * `npm run test:versions -- DIRECTORY`: installs, verifies, applies again and upgrades every Istio release in a directory on
 * real API servers. Without DIRECTORY, the releases are the Istio that is built here, and the same as another version.
 *
 * Exits 0 only if no step failed and every release was tested.
 */
import {resolve} from 'node:path';
import {builtVersions, controlPlanes} from '../test/e2e/harness/control-planes.js';
import {builtReleases, readReleases} from '../test/e2e/harness/istio-releases.js';
import {HarnessError} from '../test/e2e/harness/processes.js';
import buildOnce from '../test/helpers/build-once.js';
import {testReleases, type StepResult} from './versions/steps.js';
import {isPassed, tableText} from './versions/table.js';

const usage = `npm run test:versions                 the Istio that is built here, as ${builtVersions.earlierIstio} and ${builtVersions.istio}
npm run test:versions -- DIRECTORY    the releases in DIRECTORY: NAME/istioctl, NAME/pilot-discovery and, optionally, NAME/pilot-agent`;

const args = process.argv.slice(2);
if (args.length > 1 || args.some((argument) => argument.startsWith('-'))) {
  console.error(usage);
  process.exitCode = ['--help', '-h'].includes(args[0] ?? '') ? 0 : 2;
} else {
  process.exitCode = await versions(args[0]).catch((error: unknown) => {
    if (!(error instanceof HarnessError)) throw error;
    console.error(`test:versions: ${error.message}`);
    return 1;
  });
}

async function versions(directory: string | undefined): Promise<number> {
  const releases = directory === undefined ? await builtReleases() : await readReleases(resolve(directory));
  console.log(`Istio ${releases.map(({version}) => version).join(', ')} on Kubernetes ${builtVersions.kubernetes}`);
  buildOnce();
  const planes = await controlPlanes();
  const results: StepResult[] = [];
  await testReleases(planes, releases, (result) => {
    results.push(result);
    console.log(`${result.version} ${result.step}: ${result.result}${result.note && `: ${result.note}`}`);
  });
  console.log(`\n${tableText(results)}`);
  return isPassed(results) ? 0 : 1;
}
