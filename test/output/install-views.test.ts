import {describe, expect, it} from 'vitest';
import type {ApplyResult} from '../../src/operations/install/report-apply.js';
import type {RenderResult} from '../../src/operations/install/render.js';
import {applyView, printView, renderView} from '../../src/output/views/install.js';
import {printed, textOf} from '../helpers/suggestions.js';

const context = {request: undefined, color: false, now: new Date('2026-01-01T00:00:00Z'), command: textOf};
const form = {
  istioVersion: '1.30.3',
  versionFrom: 'istioctl',
  dialect: '1.24 and later',
  dialectWhy: 'because',
} as const;
const golden = (name: string): string => `../fixtures/golden/install/${name}.txt`;

const rendered: RenderResult = {
  clusters: [
    {name: 'new', outcome: 'done', path: 'new/install.yaml', change: 'written', ...form},
    {name: 'same', outcome: 'unchanged', path: 'same/install.yaml', change: 'unchanged', ...form},
    {
      name: 'edited',
      outcome: 'done',
      path: 'edited/install.yaml',
      change: 'written',
      kept: 'edited/install.edited-01234567.yaml',
      diff: ['- hub: mine', '+ tag: yours'],
      ...form,
    },
    {
      name: 'broken',
      outcome: 'failed',
      path: 'broken/install.yaml',
      error: {code: 'MISSING_VALUE', message: 'cluster broken has no network', hints: ['say it with --network']},
    },
  ],
  warnings: [],
};

const applied: ApplyResult = {
  istioctl: '1.31.0',
  warnings: [],
  clusters: [
    {name: 'new', outcome: 'done', path: 'new/install.yaml', change: 'install', context: 'c'},
    {name: 'same', outcome: 'unchanged', path: 'same/install.yaml', change: 'unchanged', running: '1.31.0'},
    {name: 'old', outcome: 'done', path: 'old/install.yaml', change: 'upgrade', running: '1.30.3'},
    {
      name: 'bad',
      outcome: 'refused',
      path: 'bad/install.yaml',
      error: {code: 'NO_CACERTS', message: 'bad has no Secret', hints: ['kubectl mesh trust push bad']},
    },
    {name: 'later', outcome: 'skipped', path: 'later/install.yaml', change: 'replace', running: '1.31.0'},
    {
      name: 'waited',
      outcome: 'done',
      path: 'waited/install.yaml',
      change: 'unchanged',
      running: '1.31.0',
      gateway: {outcome: 'done', applied: [], removed: [], addresses: ['nodes', '192.0.2.1']},
    },
    {
      name: 'stopped',
      outcome: 'done',
      path: 'stopped/install.yaml',
      change: 'install',
      gateway: {outcome: 'skipped', applied: [], removed: [], addresses: []},
    },
  ],
};

describe('install render', () => {
  it('prints for each cluster the file, its version, and manual edits', async () => {
    await expect(`${renderView.text(printed(rendered), context)}\n`).toMatchFileSnapshot(golden('render'));
    await expect(`${renderView.text(printed({...rendered, dryRun: 'client'}), context)}\n`).toMatchFileSnapshot(
      golden('render-dry-run'),
    );
  });

  it('prints names for scripts', () => {
    expect(renderView.name?.(printed(rendered), context).split('\n')).toHaveLength(4);
  });

  it('prints only the document', () => {
    expect(printView.text({cluster: 'c', document: 'kind: IstioOperator\n', ...form}, context)).toBe(
      'kind: IstioOperator\n',
    );
  });
});

describe('install apply', () => {
  it('prints for each cluster the outcome, or the error with its hints', async () => {
    await expect(`${applyView.text(printed(applied), context)}\n`).toMatchFileSnapshot(golden('apply'));
    await expect(`${applyView.text(printed({...applied, dryRun: 'client'}), context)}\n`).toMatchFileSnapshot(
      golden('apply-dry-run'),
    );
  });
});
