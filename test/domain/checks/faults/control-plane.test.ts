import {describe, expect, it} from 'vitest';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import {controlPlane, evidence, pod, workload} from '../healthy.js';

describe('an unhealthy Deployment', () => {
  it.each([
    ['is scaled to 0', {desired: 0, pods: []}, 'scale deployment/istiod --replicas 1'],
    ['gets no pod', {pods: []}, 'get events --field-selector type=Warning'],
    [
      'has a pending pod',
      {pods: [pod('istiod-1', {ready: false, phase: 'Pending', reason: 'Unschedulable: no node'})]},
      'describe pod istiod-1',
    ],
    [
      'has a crashing pod',
      {pods: [pod('istiod-1', {ready: false, reason: 'CrashLoopBackOff: back-off 40s', crashing: true})]},
      'logs istiod-1 --previous --tail=20',
    ],
  ])('that %s has a command that fixes it or shows the cause', (_, change, words) => {
    const overrides = {controlPlanes: [controlPlane('cluster1', {workload: workload('istiod', change)})]};
    const row = judgedText(checks, evidence({cluster1: overrides})).checks.find(
      ({id, result}) => id === 'MESH402' && result === 'error',
    );
    expect(row?.fix).toBe(`kubectl --context kind-cluster1 -n istio-system ${words}`);
  });
});
