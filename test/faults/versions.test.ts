import {versionFaults} from './seeded/versions.js';
import {testFaults} from './harness/suite.js';

testFaults(versionFaults);
