import {gatewayFaults} from './seeded/gateways.js';
import {testFaults} from './harness/suite.js';

testFaults(gatewayFaults);
