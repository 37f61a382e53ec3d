import {liveFaults} from './seeded/live.js';
import {testFaults} from './harness/suite.js';

testFaults(liveFaults);
