import {describe, expect, it} from 'vitest';
import {hubOf, isRetired, replacementHub, withHost} from '../../../src/domain/istio/hubs.js';
import {version} from './version.js';

describe('an image hub', () => {
  it.each([
    ['docker.io/istio/pilot:1.30.3', 'docker.io/istio'],
    ['istio/pilot:1.30.3', 'docker.io/istio'],
    ['registry:5000/istio/pilot:1.30.3-distroless@sha256:00', 'registry:5000/istio'],
    ['localhost/istio/pilot', 'localhost/istio'],
    ['gcr.io/istio-release/proxyv2:1.28.0', 'gcr.io/istio-release'],
    ['auto', undefined],
    ['busybox:1.28', undefined],
    ['', undefined],
  ])('of %s is %s', (image, hub) => {
    expect(hubOf(image)).toBe(hub);
  });

  it.each([
    ['registry.istio.io/release', true],
    ['registry.istio.io/testing', true],
    ['registry.istio.io', true],
    ['gcr.io/istio-release', true],
    ['gcr.io/istio-testing', false],
    ['gcr.io/istio-release-mirror', false],
    ['mirror.example/registry.istio.io/release', false],
    ['docker.io/istio', false],
  ])('%s is shut down: %s', (hub, retired) => {
    expect(isRetired(hub)).toBe(retired);
  });

  it('is replaced only where the default of istioctl is shut down', () => {
    const hubs = ['1.6', '1.29.8', '1.30.0', '1.30', '1.31.0', '1.32'].map((text) => replacementHub(version(text)));
    expect(hubs).toEqual([undefined, undefined, 'docker.io/istio', 'docker.io/istio', undefined, undefined]);
  });

  it.each([
    ['1.30.3-distroless', undefined, 'docker.io/istio'],
    ['1.30.3', '1.30.2-debug', 'docker.io/istio'],
    ['1.30.3-acme.1', undefined, undefined],
    ['1.30.0-rc.1', undefined, undefined],
    ['1.30', '1.30.3-acme.1', undefined],
    ['1.30', 'ours', undefined],
  ])('for %s with the tag %s is replaced by %s: only of a release', (text, tag, expected) => {
    expect(replacementHub(version(text), tag)).toBe(expected);
  });

  it('is on Docker Hub without a host', () => {
    expect(['istio', 'a/b', 'host.io/a'].map(withHost)).toEqual(['docker.io/istio', 'docker.io/a/b', 'host.io/a']);
  });
});
