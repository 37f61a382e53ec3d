import {discoveryFaults} from './seeded/discovery.js';
import {testFaults} from './harness/suite.js';

testFaults(discoveryFaults);
