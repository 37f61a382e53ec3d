import {describe, expect, it} from 'vitest';
import {
  kubernetesFit,
  kubernetesMaxima,
  kubernetesMinima,
  kubernetesRange,
} from '../../../src/domain/istio/kubernetes.js';
import {version} from './version.js';

/** The first and last version of each minimum. */
const minima = [
  ['1.6.0', '1.8.6', 16],
  ['1.9.0', '1.12.9', 17],
  ['1.13.0', '1.15.7', 19],
  ['1.16.0', '1.16.7', 22],
  ['1.17.0', '1.17.8', 23],
  ['1.18.0', '1.18.7', 24],
  ['1.19.0', '1.20.8', 25],
  ['1.21.0', '1.23.6', 26],
  ['1.24.0', '1.24.6', 28],
  ['1.25.0', '1.27.9', 29],
  ['1.28.0', '1.29.6', 30],
  ['1.30.0', '1.31.0', 32],
] as const;

describe('the Kubernetes range', () => {
  it.each(minima)('of Istio %s to %s starts at 1.%i', (first, last, min) => {
    expect([first, last].map((text) => kubernetesRange(version(text)).min)).toEqual([min, min]);
  });

  it.each([
    ['1.6.0', 21],
    ['1.9.9', 21],
    ['1.10.0', undefined],
    ['1.31.0', undefined],
  ])('of Istio %s ends at %s', (text, max) => {
    expect(kubernetesRange(version(text)).max).toBe(max);
  });

  it.each([
    ['1.9.9', 16, {fit: 'too old', min: 17}],
    ['1.9.9', 17, {fit: 'fits'}],
    ['1.9.9', 21, {fit: 'fits'}],
    ['1.9.9', 22, {fit: 'too new', max: 21}],
    ['1.10.6', 22, {fit: 'fits'}],
    ['1.31.0', 31, {fit: 'too old', min: 32}],
    ['1.31.0', 99, {fit: 'fits'}],
  ])('of Istio %s and Kubernetes 1.%i: %j', (text, minor, expected) => {
    expect(kubernetesFit(version(text), minor)).toEqual(expected);
  });

  it('has tested boundaries and sources', () => {
    expect(kubernetesMinima.map(({from, value}) => [`${from}.0`, value])).toEqual(
      minima.map(([first, , min]) => [first, min]),
    );
    for (const {source} of [...kubernetesMinima, ...kubernetesMaxima]) expect(source).toMatch(/\//);
  });
});
