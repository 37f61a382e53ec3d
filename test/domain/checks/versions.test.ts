import {describe, expect, it} from 'vitest';
import type {Finding} from '../../../src/domain/checks/check.js';
import {skewCheck} from '../../../src/domain/checks/control-plane/skew.js';
import {type AsJson, judgedText, textOf} from '../../helpers/suggestions.js';
import {PerPod, type ControlPlaneFacts} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {Row} from '../../../src/domain/checks/report.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import {known} from '../../../src/domain/observed.js';
import {clusters, controlPlane, evidence, istiodMetrics, pod, workload, type Spoilt} from './healthy.js';
import type {Mesh} from '../../../src/domain/mesh/mesh.js';

/** The rows of one check about cluster1, or about the mesh. */
function rowsOf(id: string, spoilt: Spoilt): readonly AsJson<Row>[] {
  const selected = checks.filter((check) => check.id === id);
  return judgedText(selected, evidence(spoilt)).checks.filter(({cluster}) => cluster !== 'cluster2');
}
const results = (id: string, spoilt: Spoilt): readonly string[] => rowsOf(id, spoilt).map(({result}) => result);
const fixes = (id: string, spoilt: Spoilt): readonly string[] => rowsOf(id, spoilt).map(({fix}) => fix);

function istiod(tag: string, change: Partial<ControlPlaneFacts> = {}): ControlPlaneFacts {
  return controlPlane('cluster1', {tag, version: resolveVersion(tag).version, ...change});
}
const revision = (name: string, tag: string): ControlPlaneFacts =>
  istiod(tag, {revision: name, workload: workload(`istiod-${name}`)});
const declaring = (istio: Partial<Mesh['istio']>): NonNullable<Spoilt['mesh']> => ({
  istio: {namespace: 'istio-system', profile: 'default', ...istio},
});
const metrics = (...versions: readonly string[]) =>
  new PerPod(
    versions.map((version, index) => ({
      name: `istiod-${String(index + 1)}`,
      observed: known(istiodMetrics('cluster1', {version})),
    })),
  );
const twoPods = workload('istiod', {desired: 2, pods: [pod('istiod-1'), pod('istiod-2')]});

describe('the Kubernetes version', () => {
  const kubernetes = (minor: number) => ({gitVersion: `v1.${String(minor)}.0`, major: 1, minor});
  it.each([
    ['1.31.0', 31, ['warning']],
    ['1.31.0', 32, ['ok']],
    ['1.31.0', 99, ['ok']],
    ['1.9.9', 16, ['warning']],
    ['1.9.9', 21, ['ok']],
    ['1.9.9', 22, ['error']],
    ['1.6.14', 34, ['error']],
    ['1.10.0', 34, ['ok']],
  ])('under a running Istio %s, 1.%i: %j', (tag, minor, expected) => {
    const spoilt = {cluster1: {apiVersion: kubernetes(minor), controlPlanes: [istiod(tag)]}};
    expect(results('MESH205', spoilt)).toEqual(expected);
  });

  it('is judged by what runs, not by what is declared', () => {
    const cluster1 = {apiVersion: kubernetes(31), controlPlanes: [istiod('1.29.6')]};
    expect(results('MESH205', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['ok']);
  });

  it.each([
    ['1.31', ['warning']],
    ['1.29.6', ['ok']],
    [undefined, ['skipped']],
  ])('is judged by a declared %s where nothing runs yet: %j', (version, expected) => {
    const cluster1 = {apiVersion: kubernetes(31), controlPlanes: []};
    expect(results('MESH205', {mesh: declaring(version === undefined ? {} : {version}), cluster1})).toEqual(expected);
  });

  it('is judged by the declared version where the image names no release, and by nothing where none is declared', () => {
    const cluster1 = {apiVersion: kubernetes(31), controlPlanes: [istiod('latest')]};
    expect(results('MESH205', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['warning']);
    expect(results('MESH205', {mesh: declaring({}), cluster1})).toEqual(['skipped']);
  });

  it('is said once for two istiods of one version, and for each of two', () => {
    const versions = (...tags: readonly string[]) => ({
      cluster1: {
        apiVersion: kubernetes(28),
        controlPlanes: tags.map((tag, index) => revision(`r${String(index)}`, tag)),
      },
    });
    expect(results('MESH205', versions('1.31.0', '1.31.0'))).toEqual(['warning']);
    expect(results('MESH205', versions('1.30.0', '1.31.0'))).toEqual(['warning', 'warning']);
  });
});

describe('the running version', () => {
  it.each([
    ['1.30', '1.30.3', ['ok']],
    ['1.30', '1.30.0-rc.1', ['ok']],
    ['1.30', '1.30.3-distroless', ['ok']],
    ['1.30', '1.31.0', ['error']],
    ['1.30.3', '1.30.3-acme.7', ['ok']],
    ['1.30.3', '1.30.4', ['error']],
    ['1.30.3', '1.3.0', ['error']],
  ])('declared %s, tag %s: %j', (version, tag, expected) => {
    const spoilt = {mesh: declaring({version}), cluster1: {controlPlanes: [istiod(tag)], istiodMetrics: metrics(tag)}};
    expect(results('MESH408', spoilt)).toEqual(expected);
  });

  it.each([
    ['1.30.3', '1.31', '--upgrade'],
    ['1.31.0', '1.30', '--force-version'],
    ['1.28.6', '1.31', '--force-version'],
  ])('of %s is changed to %s with %s', (tag, version, flag) => {
    const spoilt = {mesh: declaring({version}), cluster1: {controlPlanes: [istiod(tag)]}};
    expect(fixes('MESH408', spoilt)).toEqual([
      `kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 ${flag} --yes`,
    ]);
  });

  it.each(['latest', '', 'main-2026', 'sha-5c1e'])('that the tag %j does not name is never called ok', (tag) => {
    const cluster1 = {controlPlanes: [istiod(tag)], istiodMetrics: metrics()};
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['warning']);
  });

  it.each([
    ['1.31.0', ['ok']],
    ['1.30.3', ['error']],
    ['unknown', ['warning']],
  ])('that the tag does not name is what the process says: %s is %j', (version, expected) => {
    const cluster1 = {controlPlanes: [istiod('latest')], istiodMetrics: metrics(version)};
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(expected);
  });

  it('is judged by the tag alone with --no-live', () => {
    const omitted = {istiodMetrics: {omitted: '--no-live: istiod was not asked'}};
    const judged = (tag: string) =>
      results('MESH408', {
        mesh: declaring({version: '1.31'}),
        cluster1: {controlPlanes: [istiod(tag)]},
        facts1: omitted,
      });
    expect([judged('1.31.0'), judged('1.30.0'), judged('latest')]).toEqual([['ok'], ['error'], ['warning']]);
  });

  it('is another one where every process says so whatever the tag says', () => {
    const cluster1 = {
      controlPlanes: [istiod('1.31.0', {workload: twoPods})],
      istiodMetrics: metrics('1.29.6', '1.29.6'),
    };
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['error', 'error']);
  });

  it('is the declared one while a Deployment rolls', () => {
    const cluster1 = {
      controlPlanes: [istiod('1.31.0', {workload: twoPods})],
      istiodMetrics: metrics('1.30.3', '1.31.0'),
    };
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['ok']);
  });

  it('of a declared tag is that tag, whatever it is', () => {
    const cluster1 = {controlPlanes: [istiod('acme')], istiodMetrics: metrics()};
    expect(results('MESH408', {mesh: declaring({version: '1.31', tag: 'acme'}), cluster1})).toEqual(['ok']);
  });

  it('is not judged where mesh.yaml is silent or nothing runs', () => {
    expect(results('MESH408', {mesh: declaring({})})).toEqual(['skipped']);
    expect(results('MESH408', {cluster1: {controlPlanes: []}})).toEqual(['skipped']);
  });
});

describe('a revision', () => {
  const canary = (...controlPlanes: readonly ControlPlaneFacts[]) => ({controlPlanes, istiodMetrics: metrics()});
  it.each([
    ['both are declared', ['default', 'canary'], [istiod('1.30.3'), revision('canary', '1.31.0')], ['ok']],
    [
      'the last has not the version',
      ['default', 'canary'],
      [istiod('1.31.0'), revision('canary', '1.30.3')],
      ['error'],
    ],
    ['another is too far away', ['default', 'canary'], [istiod('1.29.6'), revision('canary', '1.31.0')], ['error']],
    ['one is not declared', ['default'], [istiod('1.31.0'), revision('canary', '1.31.0')], ['warning']],
    ['a declared one is missing', ['default', 'canary'], [istiod('1.31.0')], ['warning']],
  ] as const)('%s', (_, revisions, controlPlanes, expected) => {
    const spoilt = {mesh: declaring({version: '1.31', revisions}), cluster1: canary(...controlPlanes)};
    expect(results('MESH408', spoilt)).toEqual(expected);
  });

  it('of any name is fine where mesh.yaml declares none', () => {
    expect(results('MESH408', {cluster1: canary(revision('any', '1.31.0'))})).toEqual(['ok']);
  });
});

describe('skew', () => {
  const pair = (one: readonly ControlPlaneFacts[], two: readonly ControlPlaneFacts[]): Spoilt => ({
    cluster1: {controlPlanes: one},
    cluster2: {controlPlanes: two},
  });
  it.each([
    ['a patch', pair([istiod('1.31.0')], [istiod('1.31.9')]), ['ok']],
    ['one minor', pair([istiod('1.30.3')], [istiod('1.31.0')]), ['ok']],
    ['two minors', pair([istiod('1.29.6')], [istiod('1.31.0')]), ['warning']],
    ['two minors the other way round', pair([istiod('1.31.0')], [istiod('1.29.6')]), ['warning']],
    [
      'two revisions in both',
      pair([istiod('1.29.6'), revision('new', '1.31.0')], [istiod('1.29.6'), revision('new', '1.31.0')]),
      ['ok'],
    ],
    [
      'a shared revision, whatever else runs',
      pair([istiod('1.29.6'), revision('new', '1.31.0')], [istiod('1.31.0')]),
      ['warning'],
    ],
    ['revisions that are not shared: far', pair([revision('a', '1.29.6')], [revision('b', '1.31.0')]), ['warning']],
    [
      'revisions that are not shared: one is near',
      pair([revision('a', '1.29.6'), revision('c', '1.30.0')], [revision('b', '1.31.0')]),
      ['ok'],
    ],
    ['no istiod in one', pair([istiod('1.29.6')], []), ['skipped']],
    ['an image that names no release', pair([istiod('1.29.6')], [istiod('latest')]), ['skipped']],
  ])('between clusters with %s', (_, spoilt, expected) => {
    expect(results('MESH409', spoilt)).toEqual(expected);
  });

  it('is said once for each older cluster, however many are newer', () => {
    const controlPlanes = Array.from({length: 50}, (_, index) => ({
      cluster: {...clusters[0], name: `c${String(index)}`, role: 'primary' as const},
      value: [istiod(index < 25 ? '1.28.6' : '1.30.3')],
    }));
    const answer = skewCheck.judge({controlPlanes}, evidence());
    const findings = Array.isArray(answer) ? (answer as readonly Finding[]) : [];
    expect(findings.map(({fix}) => /apply (\S+)/.exec(textOf(fix))?.[1])).toEqual(
      Array.from({length: 25}, (_, index) => `c${String(index)}`),
    );
    expect(findings.map(({observed}) => observed.split(', ').slice(0, 2))[0]).toEqual([
      'c0 runs 1.28.6',
      'c25 runs 1.30.3',
    ]);
  });

  it('is mended in the older cluster', () => {
    expect(fixes('MESH409', pair([istiod('1.31.0')], [istiod('1.29.6')]))).toEqual([
      'kubectl mesh install render cluster2 && kubectl mesh install apply cluster2 --force-version --yes',
    ]);
  });
});
