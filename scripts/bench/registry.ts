import {kubectlProcesses} from './kubectl-processes.js';
import {linkFakes} from './link-fakes.js';
import {linkReal} from './link-real.js';
import {manyClusters} from './many-clusters.js';
import {memory} from './memory.js';
import {rsaKeys} from './rsa-keys.js';
import type {Scenario} from './scenario.js';
import {scale} from './scale.js';
import {slowApi} from './slow-api.js';
import {startUp} from './start-up.js';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  startUp,
  rsaKeys,
  manyClusters,
  kubectlProcesses,
  slowApi,
  memory,
  scale,
  linkFakes,
  linkReal,
];
