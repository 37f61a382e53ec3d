import {besideFaults} from './seeded/beside.js';
import {testFaults} from './harness/suite.js';

testFaults(besideFaults);
