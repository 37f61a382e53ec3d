/** Prints, on one line, what `npm run test:data-path` needs and this machine lacks; nothing if it can run. */
import {missingForDataPath} from '../test/e2e/harness/data-path/requirements.js';

const missing = await missingForDataPath();
if (missing.length > 0) console.log(missing.join(', '));
