import {describe, expect, it} from 'vitest';
import {istiodTag} from '../../../src/domain/istio/image.js';

describe("the tag of istiod's image", () => {
  it.each([
    ['docker.io/istio/pilot:1.30.3', '1.30.3'],
    ['registry:5000/istio/pilot:1.30.3-distroless', '1.30.3-distroless'],
    ['registry:5000/istio/pilot:1.30.3@sha256:5c1e', '1.30.3'],
    ['registry:5000/istio/pilot@sha256:5c1e', ''],
    ['registry:5000/istio/pilot', ''],
    ['pilot:latest', 'latest'],
    ['', ''],
  ])('of %s is %j', (image, expected) => {
    expect(istiodTag([{name: 'discovery', image}])).toBe(expected);
  });

  it('is that of container discovery in any position, or else that of the first container', () => {
    const proxy = {name: 'istio-proxy', image: 'proxyv2:1.29.0'};
    expect(istiodTag([proxy, {name: 'discovery', image: 'pilot:1.30.3'}])).toBe('1.30.3');
    expect(istiodTag([{name: 'pilot', image: 'pilot:1.30.3'}, proxy])).toBe('1.30.3');
    expect(istiodTag([])).toBe('');
  });
});
