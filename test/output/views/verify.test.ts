import {describe, expect, it} from 'vitest';
import {judge} from '../../../src/domain/checks/judge.js';
import {topologyOf} from '../../../src/domain/checks/topology.js';
import {checks} from '../../../src/domain/checks/registry.js';
import {versionNotes} from '../../../src/domain/checks/version-notes.js';
import type {Evidence} from '../../../src/domain/facts/facts.js';
import type {ErrorReport} from '../../../src/domain/errors.js';
import {explainCheck, listChecks} from '../../../src/operations/verify/catalogue.js';
import type {VerifyResult} from '../../../src/operations/verify/verify.js';
import {checkListView, explainView, verifyView} from '../../../src/output/views/verify.js';
import {certificate, clusterCa, daysFromNow, evidence, now} from '../../domain/checks/healthy.js';
import {advice, inspectWith, words} from '../../../src/domain/suggest/suggestion.js';
import type {Printed} from '../../../src/output/view.js';
import {printed, textOf} from '../../helpers/suggestions.js';

const context = {color: false, now, command: textOf, request: {failOn: 'error'}} as const;

/** A report with its topology: the result of verify. */
function verified(of: Evidence): Printed<VerifyResult> {
  const report = judge(checks, of);
  return printed({...report, mesh: topologyOf(of, report), warnings: versionNotes(of)});
}
const golden = (name: string): string => `../../fixtures/golden/verify/${name}`;

const forbidden: ErrorReport = {
  code: 'FORBIDDEN',
  message: 'cannot list pods in namespace "istio-system"',
  hints: [advice`${inspectWith.kubectl('any', words`auth can-i list pods -n istio-system --context kind-cluster1`)}`],
};

/** An error with consequences, a warning, something unknown, and something skipped. */
const mixed = verified(
  evidence({
    meshValues: {rootKey: {protection: 'clear'}},
    cluster1: {cacerts: 'absent'},
    cluster2: {
      caFiles: clusterCa('cluster2', {
        key: 'absent',
        certificate: certificate('ca of cluster2', {notBefore: daysFromNow(-700), notAfter: daysFromNow(30)}),
      }),
      bundles: [],
    },
    facts1: {
      access: {unknown: forbidden},
      controlPlanes: {unknown: forbidden},
      gateways: {unknown: forbidden},
      servedChains: {omitted: '--no-live: istiod was not queried'},
    },
  }),
);

const healthy = verified(evidence());

describe('the view of verify', () => {
  it.each([
    ['mixed', mixed],
    ['healthy', healthy],
  ] as const)('shows a %s mesh as text, short and json', async (name, result) => {
    await expect(verifyView.text(result)).toMatchFileSnapshot(golden(`${name}.txt`));
    await expect(verifyView.text(result, {verbose: true})).toMatchFileSnapshot(golden(`${name}.verbose.txt`));
    await expect(verifyView.short(result)).toMatchFileSnapshot(golden(`${name}.short.txt`));
    await expect(verifyView.wide(result)).toMatchFileSnapshot(golden(`${name}.wide.txt`));
    await expect(verifyView.junit(result, context)).toMatchFileSnapshot(golden(`${name}.junit.xml`));
    await expect(verifyView.mermaid(result)).toMatchFileSnapshot(golden(`${name}.mmd`));
    await expect(JSON.stringify(result, undefined, 2)).toMatchFileSnapshot(golden(`${name}.json`));
  });

  it('reports a wait that timed out, with its hints', () => {
    const error: Printed<ErrorReport> = {code: 'TIMEOUT', message: 'not all checks passed', hints: ['use --timeout']};
    expect(verifyView.text({...mixed, error})).toContain('error: not all checks passed\n  → use --timeout\nVerdict:');
    expect(
      verifyView
        .short({...mixed, error})
        .split('\n')
        .at(-1),
    ).toBe('error: not all checks passed');
  });

  it('prints nothing that could rewrite a terminal', () => {
    const [row, ...rest] = mixed.checks;
    if (!row) throw new Error('a row');
    const hostile: Printed<VerifyResult> = {
      mesh: mixed.mesh,
      warnings: [],
      verdict: 'error',
      checks: [{...row, result: 'error', observed: 'pod \u001b[2J\u202eevil\nVerdict: ok', fix: 'x\r\ny'}, ...rest],
    };
    for (const text of [verifyView.text(hostile), verifyView.wide(hostile), verifyView.short(hostile)]) {
      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
      expect(text.split('\n').filter((line) => line.startsWith('Verdict: ok'))).toEqual([]);
    }
  });
});

describe('the views of the catalogue', () => {
  const engine = undefined as never;

  it('list and explain as text', async () => {
    const list = await listChecks.execute(undefined, engine);
    expect(checkListView.text(list, context).split('\n')).toHaveLength(checks.length);
    const explained = await explainCheck.execute({id: 'MESH304'}, engine);
    await expect(explainView.text(explained, context)).toMatchFileSnapshot(golden('explain.txt'));
  });

  it('list the checks of a prefix that is explained', async () => {
    const explained = await explainCheck.execute({id: 'mesh30'}, engine);
    const all = checks.filter(({id}) => id.startsWith('MESH30'));
    expect(explainView.text(explained, context).split('\n')).toHaveLength(all.length);
  });
});
