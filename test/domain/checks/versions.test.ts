import {describe, expect, it} from 'vitest';
import type {Finding} from '../../../src/domain/checks/check.js';
import {skewCheck} from '../../../src/domain/checks/control-plane/skew.js';
import {type AsJson, judgedText, textOf} from '../../helpers/suggestions.js';
import {PerPod, type ControlPlaneFacts, type IstiodMetrics} from '../../../src/domain/facts/facts.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {Row} from '../../../src/domain/checks/report.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import {known} from '../../../src/domain/observed.js';
import {
  certificate,
  clusters,
  clusterValues,
  controlPlane,
  evidence,
  istiodMetrics,
  pod,
  workload,
  type Overrides,
} from './healthy.js';
import type {Mesh} from '../../../src/domain/mesh/mesh.js';

/** The rows of one check about cluster1, or about the mesh. */
function rowsOf(id: string, overrides: Overrides): readonly AsJson<Row>[] {
  const selected = checks.filter((check) => check.id === id);
  return judgedText(selected, evidence(overrides)).checks.filter(({cluster}) => cluster !== 'cluster2');
}
const results = (id: string, overrides: Overrides): readonly string[] =>
  rowsOf(id, overrides).map(({result}) => result);
const fixes = (id: string, overrides: Overrides): readonly string[] => rowsOf(id, overrides).map(({fix}) => fix);

function istiod(tag: string, change: Partial<ControlPlaneFacts> = {}): ControlPlaneFacts {
  const {version, status: versionStatus} = resolveVersion(tag);
  return controlPlane('cluster1', {tag, version, versionStatus, ...change});
}
const revision = (name: string, tag: string): ControlPlaneFacts =>
  istiod(tag, {revision: name, workload: workload(`istiod-${name}`)});
const declaring = (istio: Partial<Mesh['istio']>): NonNullable<Overrides['mesh']> => ({
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
    ['1.10.0', 24, ['ok']],
    ['1.10.0', 25, ['error']],
    ['1.13.9', 34, ['error']],
    ['1.14.0', 34, ['ok']],
  ])('with Istio %s running on 1.%i: %j', (tag, minor, expected) => {
    const overrides = {cluster1: {apiVersion: kubernetes(minor), controlPlanes: [istiod(tag)]}};
    expect(results('MESH205', overrides)).toEqual(expected);
  });

  it.each([
    ['1.9.9', 34, 'admissionregistration.k8s.io/v1beta1', '--force-version'],
    ['1.9.9', 22, 'admissionregistration.k8s.io/v1beta1', 'Istio 1.10 to 1.16'],
    ['1.12.9', 25, 'policy/v1beta1', 'Istio 1.14 to 1.20'],
    ['1.13.9', 34, 'autoscaling/v2beta1', 'Istio 1.14 to'],
  ])('of Istio %s on 1.%i names %s and %s', (tag, minor, ...texts) => {
    const overrides = {cluster1: {apiVersion: kubernetes(minor), controlPlanes: [istiod(tag)]}};
    const row = JSON.stringify(rowsOf('MESH205', overrides)[0]);
    for (const text of texts) expect(row).toContain(text);
  });

  it('is compared with the running version, not the declared one', () => {
    const cluster1 = {apiVersion: kubernetes(31), controlPlanes: [istiod('1.29.6')]};
    expect(results('MESH205', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['ok']);
  });

  it.each([
    ['1.31', ['warning']],
    ['1.29.6', ['ok']],
    [undefined, ['skipped']],
  ])('is compared with the declared %s if none runs yet: %j', (version, expected) => {
    const cluster1 = {apiVersion: kubernetes(31), controlPlanes: []};
    expect(results('MESH205', {mesh: declaring(version === undefined ? {} : {version}), cluster1})).toEqual(expected);
  });

  it('is compared with the declared version, if any, if nothing that runs names a release', () => {
    const cluster1 = {
      ...{apiVersion: kubernetes(31), controlPlanes: [istiod('latest')]},
      istiodMetrics: metrics('unknown'),
    };
    expect(results('MESH205', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['warning']);
    expect(results('MESH205', {mesh: declaring({}), cluster1})).toEqual(['skipped']);
  });

  it.each<[string, Pick<ControlPlaneFacts, 'labeledVersion'>, string, readonly string[], readonly string[]]>([
    ['of a label', {labeledVersion: '1.20.8'}, '1.20.8', [], ['ok']],
    ['of a label, which is too new to be known', {labeledVersion: '1.99.0'}, '1.99.0', [], ['warning']],
    ['of the process', {}, 'latest', ['1.20.8'], ['ok']],
    ['of the process, which is too old', {}, 'latest', ['1.13.9'], ['error']],
    ['of the image, not the process', {}, '1.20.8', ['1.13.9'], ['ok']],
  ])('is compared with the version %s', (_, change, version, reported, expected) => {
    const pods = {workload: workload('istiod', {pods: [pod('istiod-1')]})};
    const controlPlanes = [istiod(version, {...pods, ...change, ...('labeledVersion' in change && {tag: ''})})];
    const overrides = {
      mesh: declaring({version: '1.31'}),
      cluster1: {apiVersion: kubernetes(29), controlPlanes, istiodMetrics: metrics(...reported)},
    };
    expect(results('MESH205', overrides)).toEqual(expected);
    const named = change.labeledVersion ?? '';
    expect(rowsOf('MESH205', overrides)[0]?.observed).toContain(named);
  });

  it('is reported once per running version', () => {
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

describe('known issues', () => {
  const offline = {istiodMetrics: new PerPod<IstiodMetrics>([])};
  it.each([
    ['of a known version are not unknown', '1.32.0', offline, ['ok']],
    ['of a newer version are unknown, which is a warning', '1.99.0', offline, ['warning']],
    ['are unknown if nothing names a release', 'latest', offline, ['warning']],
    ['are unknown if the process reports no release either', '', {istiodMetrics: metrics('unknown')}, ['warning']],
    ['are those of the release that the process reports', '', {istiodMetrics: metrics('1.31.0')}, ['ok']],
    ['of a newer release that the process reports are unknown', '', {istiodMetrics: metrics('1.99.0')}, ['warning']],
    ['are those of the image if it names a release', '1.31.0', {istiodMetrics: metrics('unknown')}, ['ok']],
  ])('%s', (_, tag, change, expected) => {
    const controlPlanes = [istiod(tag, {workload: workload('istiod', {pods: [pod('istiod-1')]})})];
    expect(results('MESH410', {cluster1: {controlPlanes, ...change}})).toEqual(expected);
  });

  it('of a newer version that only a label names are unknown, and name it', () => {
    const controlPlanes = [istiod('1.99.0', {tag: '', labeledVersion: '1.99.0'})];
    const [found] = rowsOf('MESH410', {cluster1: {controlPlanes, ...offline}});
    expect(found).toMatchObject({result: 'warning', observed: expect.stringContaining('Istio 1.99.0') as string});
  });

  it('are reported for the release that the process reports', () => {
    const [tls] = [clusterValues('cluster1').cacerts];
    if (tls === 'absent') throw new Error('a healthy cluster has Secret cacerts');
    const found = rowsOf('MESH410', {
      cluster1: {
        controlPlanes: [istiod('latest', {workload: twoPods})],
        istiodMetrics: metrics('1.13.9', '1.31.0'),
        cacerts: {...tls, layout: 'tls', keys: ['tls.crt', 'tls.key', 'ca.crt']},
      },
    });
    expect(found.map(({observed}) => observed)).toEqual([expect.stringMatching(/^istiod 1\.13\.9: /)]);
  });
});

describe('a later version that fixes a known issue', () => {
  const [healthy] = [clusterValues('cluster1').cacerts];
  if (healthy === 'absent') throw new Error('a healthy cluster has Secret cacerts');
  const cacerts = {...healthy, roots: [certificate('root'), certificate('next root')]};
  const apply = (flag: string): string =>
    `kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 ${flag} --yes`;
  it.each([
    ['is the declared one', '1.26', apply('--upgrade')],
    ['is the declared one, however far away', '1.31', apply('--force-version')],
    ['is the declared one, even an earlier one', '1.24.3', apply('--force-version')],
    ['has to be declared', undefined, expect.stringMatching(/mesh\.yaml && .* --upgrade --yes$/)],
    ['has to be declared in place of an affected one', '1.24.4', expect.stringMatching(/mesh\.yaml && /)],
    ['has to be declared in place of the running minor version', '1.25', expect.stringMatching(/mesh\.yaml && /)],
  ])('%s', (_, version, expected) => {
    const overrides = {
      mesh: declaring(version === undefined ? {} : {version}),
      cluster1: {controlPlanes: [istiod('1.25.1')], cacerts},
    };
    expect(fixes('MESH410', overrides)).toEqual([expected]);
  });
});

describe('metrics from before a reload', () => {
  const changed = (version: string) => ({
    istiodMetrics: new PerPod([
      {name: 'istiod-1', observed: known(istiodMetrics('cluster1', {version, caExpiry: new Date(0)}))},
    ]),
  });
  it.each([
    ['prove a CA that was not loaded since 1.24', '1.31.0', '1.31.0', ['error']],
    ['prove nothing before 1.24', '1.23.6', '1.31.0', ['skipped']],
    ['of a build without a release are those of the image', 'unknown', '1.31.0', ['error']],
    ['of a build without a release are those of an old image', 'unknown', '1.20.8', ['skipped']],
    ['prove nothing if nothing names a release', 'unknown', 'latest', ['skipped']],
  ])('%s', (_, version, tag, expected) => {
    const controlPlanes = [istiod(tag, {workload: workload('istiod', {pods: [pod('istiod-1')]})})];
    expect(results('MESH308', {cluster1: {controlPlanes, ...changed(version)}})).toEqual(expected);
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
  ])('is compared with the declared one: %s, tag %s: %j', (version, tag, expected) => {
    const overrides = {
      mesh: declaring({version}),
      cluster1: {controlPlanes: [istiod(tag)], istiodMetrics: metrics(tag)},
    };
    expect(results('MESH408', overrides)).toEqual(expected);
  });

  it.each([
    ['1.30.3', '1.31', '--upgrade'],
    ['1.31.0', '1.30', '--force-version'],
    ['1.28.6', '1.31', '--force-version'],
  ])('is changed from %s to %s with %s', (tag, version, flag) => {
    const overrides = {mesh: declaring({version}), cluster1: {controlPlanes: [istiod(tag)]}};
    expect(fixes('MESH408', overrides)).toEqual([
      `kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 ${flag} --yes`,
    ]);
  });

  it.each(['latest', '', 'main-2026', 'sha-5c1e'])(
    'is never ok if the tag %j names no release and no process reports a version',
    (tag) => {
      const cluster1 = {controlPlanes: [istiod(tag)], istiodMetrics: metrics()};
      expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['warning']);
    },
  );

  it.each([
    ['1.31.0', ['ok']],
    ['1.30.3', ['error']],
    ['unknown', ['warning']],
  ])('is the one that the process reports if the tag names no release: %s is %j', (version, expected) => {
    const cluster1 = {controlPlanes: [istiod('latest')], istiodMetrics: metrics(version)};
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(expected);
  });

  it('is taken from the tag alone with --no-live', () => {
    const omitted = {istiodMetrics: {omitted: '--no-live: istiod was not queried'}};
    const judged = (tag: string) =>
      results('MESH408', {
        mesh: declaring({version: '1.31'}),
        cluster1: {controlPlanes: [istiod(tag)]},
        facts1: omitted,
      });
    expect([judged('1.31.0'), judged('1.30.0'), judged('latest')]).toEqual([['ok'], ['error'], ['warning']]);
  });

  it.each([
    ['1.31.0', [], ['ok']],
    ['1.30.3', [], ['error']],
    ['1.30.3', ['1.31.0'], ['ok']],
    ['1.31.0', ['1.30.3'], ['error']],
  ])('is that of a label if the tag names no release, %s, unless processes report one, %j: %j', (...given) => {
    const [labeledVersion, reported, expected] = given;
    const cluster1 = {
      controlPlanes: [istiod(labeledVersion, {tag: '', labeledVersion})],
      istiodMetrics: metrics(...reported),
    };
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(expected);
  });

  it('is the one that every process reports, regardless of the tag', () => {
    const cluster1 = {
      controlPlanes: [istiod('1.31.0', {workload: twoPods})],
      istiodMetrics: metrics('1.29.6', '1.29.6'),
    };
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['error', 'error']);
  });

  it('is ok during a rollout to the declared one', () => {
    const cluster1 = {
      controlPlanes: [istiod('1.31.0', {workload: twoPods})],
      istiodMetrics: metrics('1.30.3', '1.31.0'),
    };
    expect(results('MESH408', {mesh: declaring({version: '1.31'}), cluster1})).toEqual(['ok']);
  });

  it('is ok for any declared tag', () => {
    const cluster1 = {controlPlanes: [istiod('acme')], istiodMetrics: metrics()};
    expect(results('MESH408', {mesh: declaring({version: '1.31', tag: 'acme'}), cluster1})).toEqual(['ok']);
  });

  it('is skipped if mesh.yaml declares none or no istiod runs', () => {
    expect(results('MESH408', {mesh: declaring({})})).toEqual(['skipped']);
    expect(results('MESH408', {cluster1: {controlPlanes: []}})).toEqual(['skipped']);
  });
});

describe('a revision', () => {
  const canary = (...controlPlanes: readonly ControlPlaneFacts[]) => ({controlPlanes, istiodMetrics: metrics()});
  it.each([
    ['is ok if all are declared', ['default', 'canary'], [istiod('1.30.3'), revision('canary', '1.31.0')], ['ok']],
    [
      'fails if the last one does not have the declared version',
      ['default', 'canary'],
      [istiod('1.31.0'), revision('canary', '1.30.3')],
      ['error'],
    ],
    [
      'fails if another one is too far away',
      ['default', 'canary'],
      [istiod('1.29.6'), revision('canary', '1.31.0')],
      ['error'],
    ],
    ['warns about an undeclared one', ['default'], [istiod('1.31.0'), revision('canary', '1.31.0')], ['warning']],
    ['warns about a missing one', ['default', 'canary'], [istiod('1.31.0')], ['warning']],
  ] as const)('%s', (_, revisions, controlPlanes, expected) => {
    const overrides = {mesh: declaring({version: '1.31', revisions}), cluster1: canary(...controlPlanes)};
    expect(results('MESH408', overrides)).toEqual(expected);
  });

  it('is ok under any name if mesh.yaml declares none', () => {
    expect(results('MESH408', {cluster1: canary(revision('any', '1.31.0'))})).toEqual(['ok']);
  });
});

describe('skew', () => {
  const pair = (one: readonly ControlPlaneFacts[], two: readonly ControlPlaneFacts[]): Overrides => ({
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
      'a shared revision, regardless of others',
      pair([istiod('1.29.6'), revision('new', '1.31.0')], [istiod('1.31.0')]),
      ['warning'],
    ],
    ['no shared revision, far apart', pair([revision('a', '1.29.6')], [revision('b', '1.31.0')]), ['warning']],
    [
      'no shared revision, one close',
      pair([revision('a', '1.29.6'), revision('c', '1.30.0')], [revision('b', '1.31.0')]),
      ['ok'],
    ],
    ['no istiod in one', pair([istiod('1.29.6')], []), ['skipped']],
    ['an image that names no release', pair([istiod('1.29.6')], [istiod('latest')]), ['skipped']],
    [
      'a label, two minors apart',
      pair([istiod('1.31.0')], [istiod('1.29.6', {tag: '', labeledVersion: '1.29.6'})]),
      ['warning'],
    ],
  ])('between clusters with %s', (_, overrides, expected) => {
    expect(results('MESH409', overrides)).toEqual(expected);
  });

  it('is reported once per older cluster, regardless of the number of newer ones', () => {
    const controlPlanes = Array.from({length: 50}, (_, index) => ({
      cluster: {...clusters[0], name: `c${String(index)}`, role: 'primary' as const},
      value: [istiod(index < 25 ? '1.28.6' : '1.30.3')],
    }));
    const answer = skewCheck.judge({controlPlanes}, {...evidence(), issuing: {by: 'certs generate', signing: []}});
    const findings = Array.isArray(answer) ? (answer as readonly Finding[]) : [];
    expect(findings.map(({fix}) => /apply (\S+)/.exec(textOf(fix))?.[1])).toEqual(
      Array.from({length: 25}, (_, index) => `c${String(index)}`),
    );
    expect(findings.map(({observed}) => observed.split(', ').slice(0, 2))[0]).toEqual([
      'c0 runs 1.28.6',
      'c25 runs 1.30.3',
    ]);
  });

  it('is fixed in the older cluster', () => {
    expect(fixes('MESH409', pair([istiod('1.31.0')], [istiod('1.29.6')]))).toEqual([
      'kubectl mesh install render cluster2 && kubectl mesh install apply cluster2 --force-version --yes',
    ]);
  });
});
