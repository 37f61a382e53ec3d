/** A cluster of mesh.yaml for which no context is recorded: invalid input, which is reported in every format. */
import {appendFile, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import AccessShow from '../../src/commands/access/show.js';
import CertsGenerate from '../../src/commands/certs/generate.js';
import CertsList from '../../src/commands/certs/list.js';
import JournalVerify from '../../src/commands/journal/verify.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import Verify from '../../src/commands/verify.js';
import {runCommand, type CommandClass, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa} from '../helpers/tiny-ca.js';
import {textsOf} from '../helpers/trust-mesh.js';
import {verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
beforeEach(async () => {
  mesh = await verifiedMesh('c1');
  await appendFile(join(mesh.dir, 'mesh.yaml'), '  - name: c2\n    network: network1\n');
});
afterEach(() => mesh.stop());

const run = (command: CommandClass, ...argv: readonly string[]): Promise<CommandRun> =>
  runCommand(command, argv, mesh.env);

describe('a cluster without a recorded context', () => {
  it.each([
    ['verify', Verify, ['--only', 'MESH2']],
    ['certs list --live', CertsList, ['--live']],
    ['access show', AccessShow, []],
    ['journal verify', JournalVerify, []],
  ])('is invalid input of %s, and named in the result', async (_, command: CommandClass, argv) => {
    const {code, stdout} = await run(command, ...argv);
    expect(code).toBe(2);
    expect(stdout).toMatch(/c2.*context/);
  });

  it('is invalid input of trust diff, which needs its CA in the work directory', async () => {
    await mesh.writeCa('c2', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c2'), [mesh.root])));
    expect((await run(TrustDiff, 'c2')).code).toBe(2);
  });

  it('does not hide the findings in other clusters', async () => {
    mesh.one('c1').kube.remove('Secret', 'istio-system/cacerts');
    const {code, stdout} = await run(Verify, '--only', 'MESH2,MESH301');
    expect(code).toBe(2);
    expect(stdout).toContain('MESH301');
  });

  it('is invalid input of a command that changes it, and so is an unknown name everywhere', async () => {
    expect((await run(TrustPush, 'c2')).code).toBe(2);
    expect((await run(Verify, 'c3')).code).toBe(2);
    expect((await run(CertsList, '--live', 'c3')).code).toBe(2);
  });

  it('is an error on standard error where the output has no errors, also with -q', async () => {
    const file = join(mesh.dir, 'metrics.prom');
    const metrics = await run(CertsList, '--live', '-q', '-o', 'prometheus', '--output-file', file);
    expect([metrics.code, metrics.stdout]).toEqual([2, '']);
    expect(metrics.stderr).toMatch(/c2.*context/);
    expect(await readFile(file, 'utf8')).toContain('cluster_reachable{cluster="c2"} 0');
  });

  it('leaves no other failure without a message either', async () => {
    await writeFile(join(mesh.dir, 'c1', 'ca-cert.pem'), 'broken');
    const names = await run(CertsGenerate, 'c1', '-q', '-o', 'name');
    expect([names.code, names.stdout]).toEqual([2, '']);
    expect(names.stderr).toMatch(/c1/);
  });
});
