/** `npm run control-planes`: builds the programs of real control planes and does nothing else. */
import {controlPlanes} from './control-planes.js';
import {HarnessError} from './processes.js';

try {
  const {cache} = await controlPlanes();
  process.stderr.write(`control planes: ready in ${cache}\n`);
} catch (error) {
  if (!(error instanceof HarnessError)) throw error;
  process.stderr.write(`control planes: ${error.message}\n`);
  process.exitCode = 1;
}
