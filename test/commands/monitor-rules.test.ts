import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import MonitorRules from '../../src/commands/monitor/rules.js';
import type {MonitorRulesResult} from '../../src/operations/monitor/rules.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';
import {formatMinor} from '../../src/domain/istio/version.js';
import {newestKnown} from '../../src/domain/istio/versions.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
  await declare();
});
afterEach(() => dir.dispose());

const rules = (...argv: readonly string[]): Promise<CommandRun> => runCommand(MonitorRules, [...argv, '-w', dir.root]);

function declare(more = 'istio: {version: "1.30"}\n'): Promise<void> {
  return dir.write(
    'mesh.yaml',
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${more}clusters: [{name: c1}, {name: c2}]\n`,
  );
}

interface Groups {
  readonly groups: readonly {readonly rules: readonly {readonly alert: string; readonly expr: string}[]}[];
}

describe('monitor rules', () => {
  it('prints a PrometheusRule that kubectl can apply, and changes nothing', async () => {
    const before = await dir.snapshot();
    const run = await rules(
      '--namespace',
      'monitoring',
      '--labels',
      'release=prometheus,team=mesh',
      '--labels',
      'a/b=c',
    );
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(parse(run.stdout)).toMatchObject({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: {
        name: 'kubectl-mesh',
        namespace: 'monitoring',
        labels: {release: 'prometheus', team: 'mesh', 'a/b': 'c', 'app.kubernetes.io/managed-by': 'kubectl-mesh'},
      },
      spec: {groups: expect.arrayContaining([expect.objectContaining({name: 'kubectl-mesh.certificates'})]) as unknown},
    });
    expect(await dir.snapshot()).toEqual(before);
  });

  it('prints the same groups as a rule file, byte-identical each time', async () => {
    const file = join(dir.root, 'out.yaml');
    expect((await rules('--format', 'rule-file', '--output-file', file)).stdout).toBe('');
    const text = await readFile(file, 'utf8');
    const object = parse((await rules()).stdout) as {readonly spec: Groups};
    expect(parse(text)).toEqual(object.spec);
    expect((await rules('--format', 'rule-file')).stdout).toBe(text);
  });

  it('reads thresholds and version from mesh.yaml', async () => {
    await declare('istio: {version: "1.8"}\ntrust: {expiry: {warn: [50%, 60d], error: [20%, 14d]}}\n');
    const result = answerOf(await rules('-o', 'json')) as MonitorRulesResult;
    expect(result).toMatchObject({schemaVersion: 1, istioVersion: '1.8', warnings: []});
    expect(result.yaml).toMatch(/< 0\.5 \*/);
    expect(result.yaml).toMatch(/< 14 \* 86400/);
    expect(result.leftOut.map(({alert}) => alert)).toContain('IstiodRemoteClusterNotSynced');
    expect(result.yaml).toMatch(/^# Omitted: IstiodRemoteClusterNotSynced: .*1\.30/m);
  });

  it('reports the Istio version that it uses by default, and rejects one that differs from mesh.yaml', async () => {
    await declare('');
    const run = await rules('-o', 'name');
    const used = `declares no Istio version: using ${formatMinor(newestKnown)},`;
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining(used)]);
    expect(run.stdout.split('\n')).toContain('IstiodRemoteClusterNotSynced');
    await declare();
    await expect(rules('--istio-version', '1.20')).resolves.toMatchObject({code: 2});
  });

  it('prints no rules about the CA of an istiod that is not a CA', async () => {
    await declare('istio: {version: "1.30"}\ntrust: {signer: {type: external, issuer: istio-csr}}\n');
    const names = (await rules('-o', 'name', '--source', 'istiod')).stdout.trim().split('\n');
    expect(names).toEqual(['IstiodRemoteClusterNotSynced', 'IstiodRemoteClusterLost', 'IstiodMetricsAbsent']);
  });

  it('inserts the label, the matchers, the age and the runbook URL', async () => {
    const argv = ['--cluster-label', 'k8s', '--istiod-selector', 'job="istiod"', '--stale-after', '3h'];
    const run = await rules(...argv, '--runbook-url', 'https://wiki.example/mesh', '--format', 'rule-file');
    const all = (parse(run.stdout) as Groups).groups.flatMap((group) => group.rules);
    const expr = (name: string): string | undefined => all.find(({alert}) => alert === name)?.expr;
    expect(expr('MeshMetricsStale')).toContain('> 10800');
    expect(expr('IstiodCaExpiresSoon')).toBe(
      'min by (k8s) ((citadel_server_cert_chain_expiry_timestamp{job="istiod"} > 0) - time()) < 30 * 86400 >= 7 * 86400',
    );
    expect(run.stdout).toContain('runbook_url: https://wiki.example/mesh#meshmetricsstale');
  });

  it.each([
    ['--cluster-label', 'k8s-cluster'],
    ['--cluster-label', 'a) or vector(1'],
    ['--istiod-selector', 'job=istiod'],
    ['--istiod-selector', 'a="b"} or {c="d"'],
    ['--namespace', 'Monitoring'],
    ['--name', 'a: b'],
    ['--labels', 'release'],
    ['--labels', 'a=b c'],
    ['--labels', 'a/b/c=d'],
    ['--source', 'proxies'],
    ['--format', 'helm'],
    ['--stale-after', 'tomorrow'],
    ['--runbook-url', 'wiki'],
    ['c1'],
  ])('rejects values that would change a rule: %s %s', async (...argv) => {
    const code = await rules(...argv).then(
      (run) => run.code,
      () => 2,
    );
    expect(code).toBe(2);
  });

  it('requires a valid mesh.yaml', async () => {
    await dir.write('mesh.yaml', 'kind: [');
    expect((await rules()).code).toBe(2);
    await dir.remove('mesh.yaml');
    expect((await rules()).code).toBe(2);
  });
});
