import {hazardFaults} from './seeded/hazards.js';
import {testFaults} from './harness/suite.js';

testFaults(hazardFaults);
