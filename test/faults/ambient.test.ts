import {ambientFaults} from './seeded/ambient.js';
import {testFaults} from './harness/suite.js';

testFaults(ambientFaults);
