import {keyAccessFaults} from './seeded/access-keys.js';
import {accessFaults} from './seeded/access.js';
import {testFaults} from './harness/suite.js';

testFaults([...accessFaults, ...keyAccessFaults]);
