import {describe, expect, it} from 'vitest';
import {
  istioFor,
  kubernetesFit,
  kubernetesMaxima,
  kubernetesMinima,
  kubernetesRange,
} from '../../../src/domain/istio/kubernetes.js';
import {formatMinor} from '../../../src/domain/istio/version.js';
import {newestKnown} from '../../../src/domain/istio/versions.js';
import {version} from './version.js';

/** The first and last version of each minimum. */
const minima = [
  ['1.6.0', '1.6.14', 15],
  ['1.7.0', '1.8.6', 16],
  ['1.9.0', '1.12.9', 17],
  ['1.13.0', '1.16.2', 19],
  ['1.16.3', '1.16.7', 22],
  ['1.17.0', '1.18.0', 23],
  ['1.18.1', '1.18.7', 24],
  ['1.19.0', '1.20.8', 25],
  ['1.21.0', '1.23.6', 26],
  ['1.24.0', '1.25.0', 28],
  ['1.25.1', '1.28.1', 29],
  ['1.28.2', '1.29.6', 30],
  ['1.30.0', '1.32.0', 32],
] as const;

describe('the Kubernetes range', () => {
  it.each(minima)('of Istio %s to %s starts at 1.%i', (first, last, min) => {
    expect([first, last].map((text) => kubernetesRange(version(text)).min)).toEqual([min, min]);
  });

  it.each([
    ['1.6.0', 21],
    ['1.9.9', 21],
    ['1.10.0', 24],
    ['1.13.9', 24],
    ['1.14.0', undefined],
    ['1.31.0', undefined],
  ])('of Istio %s ends at %s', (text, last) => {
    expect(kubernetesRange(version(text)).last?.minor).toBe(last);
  });

  it.each([
    ['1.9.9', 'admissionregistration.k8s.io/v1beta1'],
    ['1.13.9', 'policy/v1beta1 and autoscaling/v2beta1'],
  ])('of Istio %s ends because of %s', (text, apis) => {
    expect(kubernetesRange(version(text)).last?.apis).toBe(apis);
  });

  it.each([
    ['1.9.9', 16, {fit: 'too old', min: 17}],
    ['1.9.9', 17, {fit: 'fits'}],
    ['1.9.9', 21, {fit: 'fits'}],
    ['1.9.9', 22, {fit: 'too new', last: kubernetesRange(version('1.9.9')).last}],
    ['1.10.6', 24, {fit: 'fits'}],
    ['1.10.6', 25, {fit: 'too new', last: kubernetesRange(version('1.10.6')).last}],
    ['1.14.0', 25, {fit: 'fits'}],
    ['1.16.2', 21, {fit: 'fits'}],
    ['1.16', 21, {fit: 'too old', min: 22}],
    ['1.31.0', 31, {fit: 'too old', min: 32}],
    ['1.31.0', 99, {fit: 'fits'}],
  ])('of Istio %s and Kubernetes 1.%i: %j', (text, minor, expected) => {
    expect(kubernetesFit(version(text), minor)).toEqual(expected);
  });

  it.each([
    [14, undefined],
    [15, ['1.6', '1.6']],
    [21, ['1.6', '1.15']],
    [22, ['1.10', '1.16']],
    [24, ['1.10', '1.18']],
    [25, ['1.14', '1.20']],
    [34, ['1.14', formatMinor(newestKnown)]],
  ])('of Kubernetes 1.%i contains Istio %j', (minor, range) => {
    const fitting = istioFor(minor);
    expect(fitting && [fitting.oldest, fitting.newest]).toEqual(range);
  });

  it('has tested boundaries and sources', () => {
    expect(kubernetesMinima.map(({from, value}) => [/\.\d+\./.test(from) ? from : `${from}.0`, value])).toEqual(
      minima.map(([first, , min]) => [first, min]),
    );
    for (const {source} of [...kubernetesMinima, ...kubernetesMaxima]) expect(source).toMatch(/\//);
  });
});
