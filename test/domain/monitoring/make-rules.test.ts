import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {parseVersion} from '../../../src/domain/istio/version.js';
import {makeRules, prometheusRule, ruleGroups, rulesYaml} from '../../../src/domain/monitoring/make-rules.js';
import {metricFamilies} from '../../../src/domain/monitoring/metrics.js';
import {parseMatchers, type RulesRequest, ruleSources} from '../../../src/domain/monitoring/rule.js';

function request(version: string, change: Partial<RulesRequest> = {}): RulesRequest {
  const istioVersion = parseVersion(version);
  if (!istioVersion) throw new Error(version);
  return {
    expiry: {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}},
    istioVersion,
    istiodIsCa: true,
    sources: ruleSources,
    clusterLabel: 'cluster',
    istiodMatchers: [],
    staleAfterSeconds: 93_600,
    ...change,
  };
}

const namesOf = (generated: ReturnType<typeof makeRules>): readonly string[] =>
  generated.groups.flatMap(({rules}) => rules.map(({alert}) => alert));
const every = ruleGroups.flatMap(({rules}) => rules);

describe('alert rules', () => {
  it('for the newest Istio version match the golden file', async () => {
    const {leftOut, ...rules} = makeRules(request('1.31'));
    expect(leftOut.map(({alert}) => alert)).toEqual(['IstiodRemoteClusterTimesOut']);
    const object = prometheusRule(rules, {name: 'kubectl-mesh', labels: {}});
    await expect(rulesYaml(object, ['a comment'])).toMatchFileSnapshot(
      '../../fixtures/golden/monitoring/prometheus-rule.yaml',
    );
  });

  it.each([
    [
      '1.6',
      [
        'IstiodCaExpiresSoon',
        'IstiodCaExpiresVerySoon',
        'IstiodRemoteClusterLost',
        'IstiodRemoteClusterNotSynced',
        'IstiodRemoteClusterTimesOut',
      ],
    ],
    ['1.9.3', ['IstiodRemoteClusterLost', 'IstiodRemoteClusterNotSynced', 'IstiodRemoteClusterTimesOut']],
    ['1.9.4', ['IstiodRemoteClusterLost', 'IstiodRemoteClusterNotSynced']],
    ['1.28', ['IstiodRemoteClusterNotSynced']],
    ['1.29', ['IstiodRemoteClusterNotSynced']],
    ['1.29.8', ['IstiodRemoteClusterNotSynced']],
    ['1.30.0-rc.0', ['IstiodRemoteClusterNotSynced']],
    ['1.30', ['IstiodRemoteClusterTimesOut']],
  ])('use no metrics that Istio %s does not have', (version, left) => {
    const generated = makeRules(request(version));
    expect(generated.leftOut.map(({alert}) => alert).toSorted()).toEqual(left);
    expect(namesOf(generated)).not.toEqual(expect.arrayContaining(left));
  });

  it('mention before 1.24 that istiod reports the dates from its start', () => {
    const text = (version: string): string => JSON.stringify(makeRules(request(version)));
    expect(text('1.23')).toContain('Before Istio 1.24');
    expect(text('1.24')).not.toContain('Before Istio 1.24');
  });

  it('omit those for the CA if istiod is not a CA', () => {
    const names = namesOf(makeRules(request('1.31', {istiodIsCa: false, sources: ['istiod']})));
    expect(names).toEqual(['IstiodRemoteClusterNotSynced', 'IstiodRemoteClusterLost', 'IstiodMetricsAbsent']);
  });

  it('are from the requested sources', () => {
    const names = namesOf(makeRules(request('1.31', {sources: ['textfile']})));
    expect(names.every((name) => name.startsWith('Mesh'))).toBe(true);
    expect(names.length).toBeGreaterThan(5);
  });

  it('use the thresholds, the label and the matchers in every expression', () => {
    const generated = makeRules(
      request('1.31', {
        expiry: {warn: {share: 0.5, days: 90}, error: {share: 0.25, days: 45}},
        clusterLabel: 'k8s_cluster',
        istiodMatchers: ['job="istiod"'],
        staleAfterSeconds: 7200,
      }),
    );
    const expr = (name: string): string =>
      generated.groups.flatMap(({rules}) => rules).find(({alert}) => alert === name)?.expr ?? '';
    expect(expr('MeshCertificateExpiresSoon')).toMatch(/0\.5 \*[^]*90 \* 86400[^]*unless[^]*0\.25 \*[^]*45 \* 86400/);
    expect(expr('MeshMetricsStale')).toContain('> 7200');
    for (const {alert} of every.filter(({alert}) => alert.startsWith('Istiod'))) {
      const selectors = expr(alert).match(/(?:citadel|istio|remote)[a-z_]+(?:\{[^}]*\})?/g) ?? [];
      if (expr(alert) === '') continue;
      expect(selectors.length).toBeGreaterThan(0);
      for (const selector of selectors) expect(selector).toContain('{job="istiod"');
      if (!['IstiodMetricsAbsent', 'IstiodRootsDiffer'].includes(alert)) expect(expr(alert)).toContain('k8s_cluster');
    }
  });

  it('each have a unique name, a severity, a duration, a summary, a command, and an existing runbook', () => {
    const page = readFileSync(new URL('../../../docs/monitoring.md', import.meta.url), 'utf8');
    const generated = [makeRules(request('1.31')), makeRules(request('1.28'))].flatMap(({groups}) =>
      groups.flatMap(({rules}) => rules),
    );
    expect(new Set(every.map(({alert}) => alert)).size).toBe(every.length);
    expect(new Set(generated.map(({alert}) => alert)).size).toBe(every.length);
    for (const {alert, for: time, labels, annotations} of generated) {
      expect(time).toMatch(/^\d+[mh]$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary?.includes('\n')).toBe(false);
      expect(annotations.description).toMatch(/kubectl|--source|command/);
      expect(annotations.runbook).toBe(`docs/monitoring.md#${alert.toLowerCase()}`);
      expect(page).toContain(`\n### ${alert}\n`);
    }
  });

  it('link to the published page', () => {
    const generated = makeRules(request('1.31', {runbookUrl: 'https://wiki.example/monitoring#old'}));
    expect(generated.groups[0]?.rules[0]?.annotations).toMatchObject({
      runbook_url: 'https://wiki.example/monitoring#meshcertificateexpiressoon',
    });
  });

  it('use no metrics of this program that are not written', () => {
    const written = new Set<string>(Object.values(metricFamilies).map(({name}) => name));
    const requested = JSON.stringify(makeRules(request('1.31'))).match(/kubectl_mesh_[a-z_]+/g) ?? [];
    expect(requested.filter((name) => !written.has(name))).toEqual([]);
    expect(requested.length).toBeGreaterThan(10);
  });
});

describe('matchers', () => {
  it.each([
    ['job="istiod"', ['job="istiod"']],
    ['job="istiod", mesh=~"a|b.*"', ['job="istiod"', 'mesh=~"a|b.*"']],
    ['name!="a,b",x!~"q\\\\."', ['name!="a,b"', 'x!~"q\\\\."']],
  ])('are parsed: %s', (text, matchers) => {
    expect(parseMatchers(text)).toEqual(matchers);
  });

  it.each([
    '',
    'job',
    'job=istiod',
    'job="istiod"} or vector(1) or {x="',
    '1job="x"',
    'job="a" or b="c"',
    'job="a\nb"',
    'job="a",,x="b"',
    '{job="a"}',
  ])('are invalid: %j', (text) => {
    expect(() => parseMatchers(text)).toThrow(expect.objectContaining({code: 'USAGE'}) as Error);
  });
});
