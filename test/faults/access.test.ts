import {accessFaults} from './seeded/access.js';
import {testFaults} from './harness/suite.js';

testFaults(accessFaults);
