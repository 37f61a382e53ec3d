import {controlPlaneFaults} from './seeded/control-plane.js';
import {testFaults} from './harness/suite.js';

testFaults(controlPlaneFaults);
