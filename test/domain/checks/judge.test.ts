import {describe, expect, it} from 'vitest';
import {apiServerCheck, ok, type Explanation} from '../../../src/domain/checks/check.js';
import {PerPod, type ServedChain} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {codeOfUnknown, isPassing, verdictOf, type Row, type RowResult} from '../../../src/domain/checks/report.js';
import type {ErrorCode, ErrorReport} from '../../../src/domain/errors.js';
import {certificate, cacertsOf, clusterCa, clusterValues, daysFromNow, evidence, type Overrides} from './healthy.js';
import {advice, inspectWith, words} from '../../../src/domain/suggest/suggestion.js';

const reason: ErrorReport = {code: 'UNREACHABLE', message: 'no route', hints: []};
const explanation: Explanation = {meaning: '', breaks: '', byHand: '', fix: '', source: ''};

function rows(...results: readonly RowResult[]): readonly Row[] {
  const [row] = judgedText(checks.slice(0, 1), evidence()).checks;
  if (!row) throw new Error('a row');
  return results.map((result) => ({...row, result}));
}

describe('the verdict', () => {
  it.each([
    ['error over everything', ['ok', 'warning', 'unknown', 'error', 'skipped'], 'error'],
    ['unknown over warning', ['ok', 'warning', 'unknown', 'skipped'], 'unknown'],
    ['warning over ok', ['ok', 'warning', 'skipped'], 'warning'],
    ['ok', ['ok', 'skipped'], 'ok'],
    ['ok without any row', [], 'ok'],
  ] as const)('is %s', (_, results, verdict) => {
    expect(verdictOf(rows(...results))).toBe(verdict);
  });

  it.each([
    [['ok', 'skipped'], 'error', true],
    [['warning'], 'error', true],
    [['warning'], 'warning', false],
    [['unknown'], 'error', false],
    [['error'], 'warning', false],
  ] as const)('of %s with --fail-on %s passes: %s', (results, failOn, passes) => {
    expect(isPassing(rows(...results), failOn)).toBe(passes);
  });
});

describe('the error code of an unknown row', () => {
  it.each([
    ['FORBIDDEN', 'FORBIDDEN'],
    ['NO_CONTEXT', 'NO_CONTEXT'],
    ['MESH_YAML_INVALID', 'MESH_YAML_INVALID'],
    // A failed request is never a failed change.
    ['TOOL_FAILED', 'API_ERROR'],
    ['TIMEOUT', 'API_ERROR'],
  ] as const)('%s counts as %s', (code: ErrorCode, counted) => {
    const [row] = rows('unknown');
    if (!row) throw new Error('a row');
    expect(codeOfUnknown({...row, error: {...reason, code}})).toBe(counted);
  });
});

describe('the fix of an unknown row', () => {
  const canI = inspectWith.kubectl('any', words`auth can-i list pods`);
  const contexts = inspectWith.kubectl('any', words`config get-contexts`);
  it.each([
    [['the user needs a right', advice`ask the cluster: ${canI}, or an administrator`], 'kubectl auth can-i list pods'],
    [[advice`${contexts}`], 'kubectl config get-contexts'],
    [['log in again'], 'log in again'],
    [[], ''],
  ])('is the command in %j', (hints, fix) => {
    const report = judgedText(checks, evidence({facts1: {apiVersion: {unknown: {...reason, hints}}}}));
    expect(report.checks.find(({result}) => result === 'unknown')?.fix).toBe(fix);
  });
});

describe('consequences', () => {
  const everything = Object.fromEntries(
    [
      'apiVersion',
      'access',
      'clusterUid',
      'cacerts',
      'selfSignedRoot',
      'pushedTrust',
      'bundles',
      'namespaces',
      'controlPlanes',
      'gateways',
      'servedChains',
    ].map((key) => [key, {unknown: reason}]),
  );

  it('of an unreachable API server are all other unknown rows of its cluster, and no others', () => {
    const report = judgedText(checks, evidence({facts1: everything}));
    const unknown = report.checks.filter(({result}) => result === 'unknown');
    expect(unknown.filter(({impliedBy}) => impliedBy === undefined).map(({id, cluster}) => [id, cluster])).toEqual([
      ['MESH201', 'cluster1'],
    ]);
    expect(new Set(unknown.map(({impliedBy}) => impliedBy))).toEqual(new Set([undefined, 'MESH201']));
    const elsewhere = report.checks.filter(({cluster, peer}) => cluster === 'cluster2' && peer !== 'cluster1');
    expect(elsewhere.filter(({result}) => result !== 'ok')).toEqual([]);
  });

  it('of an unknown row never include errors', () => {
    const report = judgedText(
      checks,
      evidence({
        facts1: {apiVersion: {unknown: reason}},
        cluster1: {caFiles: clusterCa('cluster1', {key: 'different'}), gateways: [], clusterUid: 'other'},
      }),
    );
    const errors = report.checks.filter(({result}) => result === 'error');
    expect(errors.map(({id, impliedBy}) => [id, impliedBy])).toEqual([
      ['MESH104', undefined],
      ['MESH203', undefined],
    ]);
  });

  it('of a warning include only warnings', () => {
    const expiring = (days: number) => ({
      certificate: certificate(`expires in ${String(days)} days`, {notAfter: daysFromNow(days)}),
    });
    const causesOf = (days: number): unknown =>
      judgedText(
        checks,
        evidence({
          cluster1: {
            caFiles: clusterCa('cluster1', expiring(20)),
            cacerts: cacertsOf(clusterCa('cluster1', expiring(days))),
          },
        }),
      )
        .checks.filter(({result}) => result === 'error' || result === 'warning')
        .map(({id, result, impliedBy}) => [id, result, impliedBy]);
    expect(causesOf(20)).toEqual([
      ['MESH108', 'warning', undefined],
      ['MESH305', 'warning', 'MESH108'],
    ]);
    expect(causesOf(5)).toEqual([
      ['MESH108', 'warning', undefined],
      ['MESH305', 'error', undefined],
    ]);
  });

  /** id, cluster and cause of every row of these checks that is neither ok nor skipped. */
  const causes = (overrides: Overrides, ...ids: readonly string[]): readonly unknown[] =>
    judgedText(checks, evidence(overrides))
      .checks.filter(({id, result}) => ids.includes(id) && result !== 'ok' && result !== 'skipped')
      .map(({id, cluster, impliedBy}) => [id, cluster, impliedBy]);

  it('of a finding about the mesh are limited to the affected clusters', () => {
    const other = certificate('another root');
    const strange = {roots: [other], anchor: other.fingerprint};
    const caFiles = clusterCa('cluster1', strange);
    const absent = {cacerts: 'absent'} as const;
    expect(causes({cluster1: {caFiles, ...absent}, cluster2: absent}, 'MESH105', 'MESH301')).toEqual([
      ['MESH105', undefined, undefined],
      ['MESH301', 'cluster1', 'MESH105'],
      ['MESH301', 'cluster2', undefined],
    ]);
  });

  it('of an unknown row about one cluster do not include other clusters', () => {
    const unknown = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, {unknown: reason}]));
    const cluster2 = {
      servedChains: new PerPod<ServedChain>([{name: 'istiod-1', observed: {unknown: {...reason, message: 'refused'}}}]),
    };
    expect(causes({facts1: unknown(['apiVersion', 'clusterUid']), cluster2}, 'MESH204', 'MESH303')).toEqual([
      ['MESH204', undefined, 'MESH201'],
      ['MESH303', 'cluster2', undefined],
    ]);
  });

  it('do not follow from a missing namespace label alone', () => {
    const {namespaces} = clusterValues('cluster1');
    const unlabelled = namespaces.map((one) => ({...one, labels: {}}));
    const gone = namespaces.filter(({name}) => name !== 'istio-system');
    const broken = {controlPlanes: []};
    expect(causes({cluster1: {...broken, namespaces: unlabelled}}, 'MESH401', 'MESH402')).toEqual([
      ['MESH401', 'cluster1', undefined],
      ['MESH402', 'cluster1', undefined],
    ]);
    expect(causes({cluster1: {...broken, namespaces: gone}}, 'MESH401', 'MESH402')).toEqual([
      ['MESH401', 'cluster1', undefined],
      ['MESH402', 'cluster1', 'MESH401'],
    ]);
  });

  it('keep their own fix', () => {
    const report = judgedText(checks, evidence({cluster1: {cacerts: 'absent', controlPlanes: []}}));
    const istiod = report.checks.find(({id, cluster}) => id === 'MESH402' && cluster === 'cluster1');
    expect(istiod).toMatchObject({result: 'error', fix: expect.stringContaining('install apply') as unknown});
  });
});

describe('scopes', () => {
  const pair = apiServerCheck({
    id: 'MESH399',
    title: 'pair',
    severity: 'warning',
    scope: 'pair',
    requires: ['clusterUid', 'declaration'],
    waitable: true,
    implies: [],
    ...explanation,
    judge: ({clusterUid, declaration}, {cluster, peer}) =>
      ok(`${cluster.name} ${clusterUid.self} ${peer.name} ${clusterUid.peer} ${String(declaration.clusters)}`, ''),
  });

  it('of pairs are judged in both directions', () => {
    expect(judgedText([pair], evidence()).checks.map(({cluster, peer, observed}) => [cluster, peer, observed])).toEqual(
      [
        ['cluster1', 'cluster2', 'cluster1 uid-1 cluster2 uid-2 2'],
        ['cluster2', 'cluster1', 'cluster2 uid-2 cluster1 uid-1 2'],
      ],
    );
  });

  it('of pairs can require a fact of one side only, and cannot read the other', () => {
    const [ofSelf, ofPeer] = (['self', 'peer'] as const).map((side) =>
      apiServerCheck({
        ...pair,
        scope: 'pair',
        sides: {clusterUid: side},
        judge: ({clusterUid}) => ok(clusterUid[side], ''),
      }),
    );
    if (!ofSelf || !ofPeer) throw new Error('two checks');
    const overrides = evidence({facts1: {clusterUid: {unknown: reason}}});
    expect(judgedText([ofSelf], overrides).checks.map(({result}) => result)).toEqual(['unknown', 'ok']);
    expect(judgedText([ofPeer], overrides).checks.map(({result}) => result)).toEqual(['ok', 'unknown']);
    const wrong = apiServerCheck({...ofSelf, scope: 'pair', judge: ({clusterUid}) => ok(clusterUid.peer, '')});
    expect(() => judgedText([wrong], evidence())).toThrow(/does not require/);
  });

  it('of pairs are unknown if either side is', () => {
    const report = judgedText([pair], evidence({facts1: {clusterUid: {unknown: reason}}}));
    expect(report.checks.map(({result}) => result)).toEqual(['unknown', 'unknown']);
    const skipped = judgedText([pair], evidence({facts1: {clusterUid: {omitted: '--offline'}}}));
    expect(skipped.checks.map(({result}) => result)).toEqual(['skipped', 'skipped']);
  });

  it('of the mesh judge the known clusters, and report the unknown ones', () => {
    const report = judgedText(
      checks.filter(({id}) => id === 'MESH204'),
      evidence({facts1: {clusterUid: {unknown: reason}}}),
    );
    expect(report.checks.map(({result, reason: why}) => [result, why])).toEqual([['unknown', 'no route']]);
  });
});
