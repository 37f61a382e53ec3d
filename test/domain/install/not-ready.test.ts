import {describe, expect, it} from 'vitest';
import {failureMessage, isReadinessFailure, isInformative} from '../../../src/domain/install/istioctl-output.js';
import {explainNotReady} from '../../../src/domain/install/not-ready.js';
import type {EventObject, PodObject} from '../../../src/domain/kube/objects.js';

function pod(name: string, status: NonNullable<PodObject['status']>): PodObject {
  return {apiVersion: 'v1', kind: 'Pod', metadata: {name}, status};
}

function warning(kind: string, name: string, reason: string, message: string, count = 1): EventObject {
  return {apiVersion: 'v1', kind: 'Event', metadata: {name: 'e'}, involvedObject: {kind, name}, reason, message, count};
}

const ready = [{type: 'Ready', status: 'True'}];

describe('explainNotReady', () => {
  it('ignores pods that are ready, finished or evicted', () => {
    expect(
      explainNotReady(
        [
          pod('a', {phase: 'Running', conditions: ready}),
          pod('b', {phase: 'Succeeded'}),
          pod('c', {phase: 'Failed', reason: 'Evicted'}),
        ],
        [],
      ),
    ).toEqual([]);
  });

  it.each<[string, NonNullable<PodObject['status']>, readonly EventObject[], readonly string[]]>([
    [
      'an image that cannot be pulled',
      {
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'discovery',
            ready: false,
            state: {waiting: {reason: 'ImagePullBackOff', message: 'Back-off pulling image'}},
          },
        ],
      },
      [],
      ['container discovery ImagePullBackOff: Back-off pulling image'],
    ],
    [
      'a crash loop',
      {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'discovery',
            ready: false,
            restartCount: 4,
            state: {waiting: {reason: 'CrashLoopBackOff'}},
            lastState: {terminated: {reason: 'Error', exitCode: 255}},
          },
        ],
      },
      [],
      ['CrashLoopBackOff', '4 restarts', 'exit code 255'],
    ],
    [
      'no node',
      {
        phase: 'Pending',
        conditions: [{type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes'}],
      },
      [warning('Pod', 'p', 'FailedScheduling', '0/1 nodes are available', 3)],
      ['not scheduled (Unschedulable): 0/1 nodes', 'FailedScheduling: 0/1 nodes are available (3 times)'],
    ],
    [
      'a failing probe',
      {phase: 'Running', containerStatuses: [{name: 'd', ready: false, state: {}}]},
      [],
      ['container d is running but not ready'],
    ],
    ['no status', {}, [], ['no status yet']],
  ])('explains %s', (_what, status, events, parts) => {
    const [line = ''] = explainNotReady([pod('p', status)], events);
    expect(line).toMatch(/^Pod p: /);
    for (const part of parts) expect(line).toContain(part);
  });

  it('shows warnings of the objects that create pods, without control characters', () => {
    const events = [warning('ReplicaSet', 'istiod-1', 'FailedCreate', 'quota\u001b[31m exceeded\n')];
    expect(explainNotReady([], events)).toEqual(['ReplicaSet istiod-1: FailedCreate: quota exceeded']);
  });
});

describe("istioctl's output", () => {
  it('is shown without its logo', () => {
    const logo = [
      '        |\\',
      '      /||    \\',
      '/______||__________\\',
      '____________________',
      '  \\__       _____/',
      '',
    ];
    expect(logo.filter(isInformative)).toEqual([]);
    expect(isInformative('✔ Istio core installed')).toBe(true);
  });

  it.each([
    ['Error: failed to install manifests: failed to wait for resource: resources not ready after 5s', true],
    ['resources not ready after 5m0s: timed out waiting for the condition', true],
    ['Error: generate config: could not unmarshal: unknown field', false],
  ])('%j means not ready: %s', (output, expected) => {
    expect(isReadinessFailure(output)).toBe(expected);
  });

  it('ends the message with its last lines', () => {
    const output = Array.from({length: 40}, (_, index) => `line ${String(index)}`).join('\n');
    const message = failureMessage(['manifest', 'apply', '--wait', '-y'], {exitCode: 1, output}, ['Pod p: waits']);
    expect(message).toContain('istioctl manifest apply failed (exit code 1)');
    expect(message).toContain('Pod p: waits');
    expect(message).toContain('line 39');
    expect(message).not.toContain('line 20');
    expect(failureMessage(['install', '-y'], {exitCode: 2, output: ''}, [])).toContain('istioctl printed nothing');
  });
});
