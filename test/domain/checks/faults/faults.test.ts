/** All faults that a check must find, by group. Tests specific to one group are in separate files. */
import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {memoizePerObject} from '../../../../src/domain/memoize.js';
import {evidence} from '../healthy.js';
import {failures, type Fault} from './builders.js';
import {accessFaults} from './rows/access.js';
import {controlPlaneFaults} from './rows/control-plane.js';
import {discoveryFaults} from './rows/discovery.js';
import {trafficFaults} from './rows/traffic.js';
import {gatewayFaults} from './rows/gateways.js';
import {trustFaults} from './rows/trust.js';
import {workdirFaults} from './rows/workdir.js';

const faults: readonly Fault[] = [
  ...workdirFaults,
  ...accessFaults,
  ...trustFaults,
  ...controlPlaneFaults,
  ...gatewayFaults,
  ...discoveryFaults,
  ...trafficFaults,
];

/** What the checks find with a fault. */
const findingsOf = memoizePerObject((overrides: Fault[1]) =>
  judgedText(checks, evidence(overrides)).checks.filter(({result}) => result === 'error' || result === 'warning'),
);

describe('a fault', () => {
  it.each(faults)('is the only finding: %s', (_, overrides, expected) => {
    expect(failures(overrides)).toEqual(expected);
  });

  it.each(faults)('has an observed and an expected state and a command: %s', (_, overrides) => {
    const rows = findingsOf(overrides);
    expect(rows.length).toBeGreaterThan(0);
    for (const {observed, expected, fix} of rows) {
      expect([observed, expected].every((text) => text !== '')).toBe(true);
      expect(fix).toMatch(/^(?:kubectl|istioctl|chmod|openssl|mv|git|echo|: \||\$\{EDITOR|"\$ISTIO")/);
    }
  });

  it('has a command that a shell can parse', () => {
    const fixes = [...new Set(faults.flatMap(([, overrides]) => findingsOf(overrides).map(({fix}) => fix)))];
    // One shell starts the others: a process with little memory starts one faster.
    const script = 'for fix; do sh -n -c "$fix" || printf "%s\\0" "$fix"; done';
    expect(execFileSync('sh', ['-c', script, 'sh', ...fixes], {encoding: 'utf8'})).toBe('');
  });

  it('exists for every check that can fail', () => {
    const found = new Set(faults.flatMap(([, , ids]) => ids.map((id) => id.slice(0, 7))));
    // These checks have no wrong result, only a missing one, which is unknown.
    const cannotFail = ['MESH201', 'MESH202', 'MESH310'];
    expect(checks.map(({id}) => id).filter((id) => !found.has(id))).toEqual(cannotFail);
  });
});
