import {workdirFaults} from './seeded/workdir.js';
import {testFaults} from './harness/suite.js';

testFaults(workdirFaults);
