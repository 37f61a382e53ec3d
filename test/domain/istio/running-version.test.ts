import {describe, expect, it} from 'vitest';
import {resolveRunning, runningVersion} from '../../../src/domain/istio/running-version.js';

describe('runningVersion', () => {
  const deployment = (image: string | undefined, label?: string) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: 'istiod', ...(label === undefined ? {} : {labels: {'operator.istio.io/version': label}})},
    spec: {
      selector: {},
      template: {
        spec: {
          containers: [
            {name: 'sidecar', image: 'x:9.9.9'},
            {name: 'discovery', ...(image !== undefined && {image})},
          ],
        },
      },
    },
  });

  it.each([
    ['docker.io/istio/pilot:1.30.3', undefined, '1.30.3'],
    ['docker.io/istio/pilot:1.30.3-distroless', '1.30.2', '1.30.3-distroless'],
    ['localhost:5000/pilot:1.30.3@sha256:00', undefined, '1.30.3'],
    ['localhost:5000/pilot', '1.31.0', '1.31.0'],
    ['registry/pilot:latest', '1.31.0', '1.31.0'],
    ['registry/pilot:latest', 'unknown', 'unknown'],
    ['registry/pilot:latest', undefined, 'latest'],
    [undefined, undefined, 'unknown'],
  ])('of image %s and label %s is %s', (image, label, expected) => {
    expect(runningVersion(deployment(image, label)).text).toBe(expected);
  });

  it('of a Deployment without a spec is unknown', () => {
    expect(runningVersion({metadata: {name: 'istiod'}})).toEqual({
      text: 'unknown',
    });
  });
});

it.each([
  ['registry/pilot@sha256:00', {'app.kubernetes.io/version': '1.31.0'}, '1.31.0', 'known'],
  ['registry/pilot:ours', {'operator.istio.io/version': '1.20.8'}, '1.20.8', 'known'],
  ['registry/pilot:1.99.0', {'operator.istio.io/version': '1.20.8'}, '1.99.0', 'newer'],
  ['registry/pilot:ours', {}, 'ours', 'unparsed'],
  ['registry/pilot', {}, '', 'unparsed'],
])('image %s with labels %j is resolved as %s: %s', (image, labels, text, status) => {
  const spec = {selector: {}, template: {spec: {containers: [{name: 'discovery', image}]}}};
  expect(resolveRunning({metadata: {name: 'istiod', labels}, spec})).toMatchObject({text, status});
});
