/** `install apply` again, on what istioctl left: nothing is done, for the default revision and for another one beside it. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {ApplyResult} from '../../src/operations/install/report-apply.js';
import type {Resource} from './harness/api.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings} from './harness/mesh-cli.js';

let setting: Setting;

beforeAll(async () => {
  setting = await startSetting({name: 'c1'});
  await setting.cli.must('init', 'c1=kwok-c1');
  await setting.cli.must('up', '--key-algorithm', 'ecdsa-p256');
});
afterAll(() => setting.sandbox.close());

async function apply(): Promise<Pick<ApplyResult['clusters'][number], 'outcome' | 'change'>> {
  const {clusters} = JSON.parse(await setting.cli.must('install', 'apply', '--yes', '-o', 'json')) as ApplyResult;
  const {outcome, change} = at(clusters, 0);
  return {outcome, ...(change && {change})};
}

/** Istio's Deployments and install records, with what changes as soon as one is written. */
async function written(): Promise<Record<string, unknown>> {
  const {api} = at(setting.clusters, 0);
  const deployments = await api.list<Resource & {metadata: {generation: number}}>(
    '/apis/apps/v1/namespaces/istio-system/deployments',
  );
  const configMaps = await api.list<Resource>('/api/v1/namespaces/istio-system/configmaps');
  // istiods write other ConfigMaps all the time: their locks.
  const records = configMaps.filter(({metadata}) => metadata.name.startsWith('kubectl-mesh-install'));
  return {
    ...Object.fromEntries(deployments.map(({metadata}) => [metadata.name, metadata.generation])),
    ...Object.fromEntries(records.map(({metadata}) => [metadata.name, metadata.resourceVersion])),
  };
}

async function expectUnchanged(): Promise<void> {
  const before = await written();
  expect(await apply()).toEqual({outcome: 'unchanged', change: 'unchanged'});
  expect(await written()).toEqual(before);
}

it('is unchanged in the default revision', expectUnchanged);

it('is unchanged in a named revision beside it', async () => {
  const file = join(setting.cli.workDir, 'mesh.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}istio:\n  revisions: [default, canary]\n`);
  await setting.cli.must('install', 'render');
  expect(await apply()).toEqual({outcome: 'done', change: 'install'});
  expect(Object.keys(await written())).toEqual(
    expect.arrayContaining(['istiod', 'istiod-canary', 'kubectl-mesh-install', 'kubectl-mesh-install-canary']),
  );
  await expectUnchanged();
});

it('leaves a mesh in which nothing is wrong', async () => {
  const verdict = await setting.cli.verify('--wait', '--timeout', '2m');
  expect(findings(verdict)).toEqual([]);
});
