import {expect, it} from 'vitest';
import {podsOfSelector} from '../../../../src/domain/facts/read/pods.js';
import type {PodObject} from '../../../../src/domain/kube/objects.js';

type ContainerStatus = NonNullable<NonNullable<PodObject['status']>['containerStatuses']>[number];

function reading(container: Partial<ContainerStatus>) {
  const pod: PodObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'istiod-1', labels: {app: 'istiod'}},
    status: {
      phase: 'Running',
      conditions: [{type: 'Ready', status: 'False', reason: 'ContainersNotReady'}],
      containerStatuses: [{name: 'discovery', ready: false, ...container}],
    },
  };
  return podsOfSelector([pod], {matchLabels: {app: 'istiod'}})[0];
}

const ended = {terminated: {reason: 'Error', exitCode: 255}};

it.each<[string, Partial<ContainerStatus>, string, boolean]>([
  [
    'is in back-off',
    {restartCount: 3, state: {waiting: {reason: 'CrashLoopBackOff', message: 'back-off 40s'}}, lastState: ended},
    'CrashLoopBackOff: back-off 40s',
    true,
  ],
  ['is restarting', {restartCount: 3, state: {}, lastState: ended}, 'exited 3 times, last with exit code 255', true],
  ['has exited once', {restartCount: 1, state: {}, lastState: {terminated: {}}}, 'exited 1 time', true],
  ['starts for the first time', {restartCount: 0, state: {}}, 'ContainersNotReady', false],
  ['has no image', {restartCount: 0, state: {waiting: {reason: 'ImagePullBackOff'}}}, 'ImagePullBackOff', false],
  [
    'has no image any more',
    {restartCount: 2, state: {waiting: {reason: 'ErrImagePull'}}, lastState: ended},
    'ErrImagePull',
    false,
  ],
  ['is ready, unlike another one', {ready: true, restartCount: 2, lastState: ended}, 'ContainersNotReady', false],
])('reads why a pod is not ready and whether it crashes if its container %s', (_, container, reason, crashing) => {
  expect(reading(container)).toMatchObject({ready: false, reason, crashing});
});

it.each<[string, Partial<ContainerStatus>, Date | undefined]>([
  ['runs', {state: {running: {startedAt: '2026-06-01T00:00:00Z'}}}, new Date('2026-06-01T00:00:00Z')],
  ['waits', {state: {waiting: {}}}, undefined],
  ['has no state', {}, undefined],
])('reads when the container started if it %s', (_, container, startedAt) => {
  expect(reading(container)?.startedAt).toEqual(startedAt);
});

it("reads when istiod's container started, not another one of its pod", () => {
  const status = (name: string, startedAt: string) => ({name, ready: true, state: {running: {startedAt}}});
  const [found] = podsOfSelector(
    [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {name: 'istiod-1', labels: {app: 'istiod'}},
        status: {
          phase: 'Running',
          containerStatuses: [status('agent', '2026-06-01T00:00:00Z'), status('discovery', '2026-06-02T00:00:00Z')],
        },
      },
    ],
    {matchLabels: {app: 'istiod'}},
  );
  expect(found?.startedAt).toEqual(new Date('2026-06-02T00:00:00Z'));
});
