/** What mesh.yaml, istiod and its proxies call a cluster: MESH118, MESH404, MESH412, MESH418. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Init from '../../src/commands/init.js';
import Verify from '../../src/commands/verify.js';
import type {Row} from '../../src/domain/checks/report.js';
import {runCommand} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {istiod} from '../helpers/trust-mesh.js';
import {controlPlane, findingsIn, verifyJson, verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const verify = (...argv: string[]) => verifyJson(mesh, 'c1', '--only', 'MESH118,MESH404,MESH412,MESH418', ...argv);
const failuresOf = (rows: readonly AsJson<Row>[]): readonly string[] =>
  findingsIn(rows).map(({id, result}) => `${id} ${result}`);

/** istiod and its proxies in c1 run under this name. */
function runAs(name: string): void {
  const {kube, says} = mesh.one('c1');
  for (const object of controlPlane(name)) kube.put(object);
  says.clusters = [{id: name, secretName: '', syncStatus: 'synced'}];
}

describe('a cluster that runs under a name that mesh.yaml does not declare', () => {
  it.each(['Kubernetes', 'Prod_EU.2', 'us-east'])(
    'is an error, and ok after the suggested command: %s',
    async (name) => {
      runAs(name);
      const {code, rows} = await verify();
      expect([code, failuresOf(rows)]).toEqual([3, ['MESH404 error']]);
      const fix = rows.find(({id}) => id === 'MESH404')?.fix;
      expect(fix).toBe(`kubectl mesh init c1 --istio-name c1=${name}`);
      expect((await runCommand(Init, ['c1', '--istio-name', `c1=${name}`], mesh.env)).code).toBe(0);
      const after = await verify();
      expect([after.code, failuresOf(after.rows)]).toEqual([0, []]);
    },
  );

  it('is a warning if no remote secret can have the name, also without the cluster', async () => {
    runAs('team/a');
    expect((await runCommand(Init, ['--istio-name', 'c1=team/a'], mesh.env)).code).toBe(0);
    expect(failuresOf((await verify()).rows)).toEqual(['MESH118 warning']);
    const {code, rows} = await verify('--offline', '--fail-on', 'warning');
    expect([code, failuresOf(rows)]).toEqual([3, ['MESH118 warning']]);
    const explained = await runCommand(Verify, ['--explain', 'MESH118'], mesh.env);
    expect([explained.code, rows.find(({id}) => id === 'MESH118')?.fix]).toEqual([
      0,
      'kubectl mesh verify --explain MESH118',
    ]);
  });
});

it('an istiod that was renamed without its proxies is an error whose fix restores its name', async () => {
  mesh.one('c1').kube.put(istiod('1.31.0', {CLUSTER_ID: 'Kubernetes'}));
  const {code, rows} = await verify();
  expect([code, failuresOf(rows)]).toEqual([3, ['MESH418 error']]);
  const fixes = rows.filter(({id}) => id === 'MESH418' || id === 'MESH404').map(({fix}) => fix);
  const restore = 'kubectl --context ctx-c1 -n istio-system set env deployment/istiod CLUSTER_ID=c1';
  expect(fixes).toEqual([restore, restore]);
});
