/** Every seeded fault. */
import type {Fault} from '../harness/fault.js';
import {accessFaults} from './access.js';
import {keyAccessFaults} from './access-keys.js';
import {ambientFaults} from './ambient.js';
import {besideFaults} from './beside.js';
import {controlPlaneFaults} from './control-plane.js';
import {discoveryFaults} from './discovery.js';
import {gatewayFaults} from './gateways.js';
import {hazardFaults} from './hazards.js';
import {liveFaults} from './live.js';
import {trustFaults} from './trust.js';
import {versionFaults} from './versions.js';
import {workdirFaults} from './workdir.js';

export const allFaults: readonly Fault[] = [
  ...workdirFaults,
  ...accessFaults,
  ...keyAccessFaults,
  ...trustFaults,
  ...controlPlaneFaults,
  ...gatewayFaults,
  ...ambientFaults,
  ...versionFaults,
  ...hazardFaults,
  ...liveFaults,
  ...discoveryFaults,
  ...besideFaults,
];
