/** Every fault that a check must find: the rows of all groups. What is special to one group has a file of its own. */
import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {evidence} from '../healthy.js';
import {bad, type Fault} from './builders.js';
import {accessFaults} from './rows/access.js';
import {controlPlaneFaults} from './rows/control-plane.js';
import {trustFaults} from './rows/trust.js';
import {workdirFaults} from './rows/workdir.js';

const faults: readonly Fault[] = [...workdirFaults, ...accessFaults, ...trustFaults, ...controlPlaneFaults];

describe('a fault', () => {
  it.each(faults)('is found, and nothing else: %s', (_, spoilt, expected) => {
    expect(bad(spoilt)).toEqual(expected);
  });

  it.each(faults)('comes with what was observed, what was expected and a command: %s', (_, spoilt) => {
    const rows = judgedText(checks, evidence(spoilt)).checks.filter(
      ({result}) => result === 'error' || result === 'warning',
    );
    expect(rows.length).toBeGreaterThan(0);
    for (const {observed, expected, fix} of rows) {
      expect([observed, expected].every((text) => text !== '')).toBe(true);
      expect(fix).toMatch(/^(?:kubectl|istioctl|chmod|openssl|mv|git|\$\{EDITOR|"\$ISTIO")/);
      expect(() => execFileSync('sh', ['-n', '-c', fix])).not.toThrow();
    }
  });

  it('is known for every check that can find one', () => {
    const found = new Set(faults.flatMap(([, , ids]) => ids.map((id) => id.slice(0, 7))));
    // Reaching, reading and waiting have no wrong answers, only missing ones: those are unknown.
    const cannotFail = ['MESH201', 'MESH202', 'MESH310'];
    expect(checks.map(({id}) => id).filter((id) => !found.has(id))).toEqual(cannotFail);
  });
});
