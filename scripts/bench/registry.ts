import {manyClusters} from './many-clusters.js';
import {rsaKeys} from './rsa-keys.js';
import type {Scenario} from './scenario.js';
import {startUp} from './start-up.js';

/** Every scenario, in the order they run. */
export const scenarios: readonly Scenario[] = [startUp, rsaKeys, manyClusters];
