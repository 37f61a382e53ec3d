// Prints the totals of this run's test reports in one line; fails if there are no reports.
import {readFile, readdir} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../.cache/test-reports');
const reports = (await readdir(folder)).filter((name) => name.endsWith('.json'));
const totals = {numPassedTests: 0, numFailedTests: 0, numPendingTests: 0};
for (const name of reports) {
  const report = JSON.parse(await readFile(join(folder, name), 'utf8'));
  for (const key of Object.keys(totals)) totals[key] += report[key];
}
const {numPassedTests, numFailedTests, numPendingTests} = totals;
process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`);
if (numPassedTests === 0 || numFailedTests > 0) process.exitCode = 1;
