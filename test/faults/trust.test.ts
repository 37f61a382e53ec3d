import {trustFaults} from './seeded/trust.js';
import {testFaults} from './harness/suite.js';

testFaults(trustFaults);
