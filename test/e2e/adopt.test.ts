/** A mesh that people made by Istio's guide, with make, kubectl and istioctl, becomes a work directory. */
import {existsSync, mkdirSync, readFileSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {installByGuide, linkByGuide} from '../faults/healthy/by-guide.js';
import {makeCas} from '../faults/healthy/makefile.js';
import {builtMinor} from './harness/control-planes.js';
import {at, changeTimes, startSetting, type Setting} from './harness/mesh.js';
import {findings, MeshCli} from './harness/mesh-cli.js';

let setting: Setting;
let made: string;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  made = join(setting.sandbox.dir, 'made');
  mkdirSync(made);
  const cas = await makeCas(setting, made);
  await Promise.all(
    setting.clusters.map((cluster) =>
      installByGuide(cluster, {meshID: 'guide-mesh', network: 'net-7'}, cas.get(cluster.name) ?? {}),
    ),
  );
  await linkByGuide(setting.clusters);
});
afterAll(() => setting.sandbox.close());

/** Another engineer, with a home and a work directory of their own. */
function engineer(name: string): MeshCli {
  const contexts = Object.fromEntries(setting.clusters.map((cluster) => [cluster.context, cluster]));
  return new MeshCli(setting.sandbox, at(setting.clusters, 0).planes, contexts, name);
}

describe('certs adopt', () => {
  it('writes down what runs, without keys, and finds nothing more to write when it is run again', async () => {
    const {cli} = setting;
    await cli.must('certs', 'adopt', 'kwok-one', 'kwok-two');
    for (const name of ['one', 'two']) {
      expect(readdirSync(join(cli.workDir, name)).sort()).toEqual(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']);
      for (const file of ['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']) {
        expect(readFileSync(join(cli.workDir, name, file), 'utf8')).toBe(readFileSync(join(made, name, file), 'utf8'));
      }
    }
    expect(existsSync(join(cli.workDir, 'root-key.pem'))).toBe(false);
    const yaml = readFileSync(join(cli.workDir, 'mesh.yaml'), 'utf8');
    for (const line of ['meshID: guide-mesh', 'network: net-7', 'name: one', 'name: two', `version: "${builtMinor}"`])
      expect(yaml).toContain(line);
    const before = changeTimes(cli.workDir);
    await cli.must('certs', 'adopt', 'one=kwok-one', 'two=kwok-two');
    expect(changeTimes(cli.workDir)).toEqual(before);
  });

  it('makes a work directory with which list, diff and verify work: all is green', async () => {
    const {cli} = setting;
    expect(await cli.must('certs', 'list')).toContain('one');
    expect((await cli.run(['trust', 'diff'])).code).toBe(0);
    const verdict = await cli.verify('--wait', '--timeout', '2m');
    expect(findings(verdict)).toEqual([]);
    expect(verdict.code).toBe(0);
  });

  it('copies the keys of cluster CAs only when that is agreed to, 0600, and renewal works with the root at hand', async () => {
    const cli = engineer('keys');
    const adopt = ['certs', 'adopt', 'kwok-one', 'kwok-two', '--with-keys'];
    expect((await cli.run(adopt)).code).toBe(5);
    expect(existsSync(join(cli.workDir, 'one'))).toBe(false);
    await cli.must(...adopt, '--yes');
    for (const name of ['one', 'two']) {
      const key = join(cli.workDir, name, 'ca-key.pem');
      expect(readFileSync(key, 'utf8')).toBe(readFileSync(join(made, name, 'ca-key.pem'), 'utf8'));
      expect(statSync(key).mode & 0o777).toBe(0o600);
    }
    expect((await cli.run(['trust', 'diff'])).code).toBe(0);
    expect((await cli.run(['trust', 'push', '--dry-run'])).stdout).toContain('unchanged');
    // The root is where it always was: with the one who made it. The kind of key is the Makefile's, as it was adopted.
    await cli.must('certs', 'generate', 'one', '--renew', '--yes', '--root-dir', made);
    await cli.must('trust', 'push', 'one', '--yes', '--restart-istiod');
    expect((await cli.run(['trust', 'diff'])).code).toBe(0);
  });

  it('adopts the others when one cluster does not answer, and says 4', async () => {
    const cli = engineer('unlucky');
    await at(setting.clusters, 1).stop();
    const run = await cli.run(['certs', 'adopt', 'kwok-one', 'kwok-two', '--request-timeout', '5s', '-o', 'json']);
    expect(run.code).toBe(4);
    const {clusters} = JSON.parse(run.stdout) as {clusters: {outcome: string; error?: {code: string}}[]};
    expect(clusters.map(({outcome, error}) => [outcome, error?.code])).toEqual([
      ['done', undefined],
      ['unknown', 'UNREACHABLE'],
    ]);
    expect(existsSync(join(cli.workDir, 'one', 'ca-cert.pem'))).toBe(true);
  });
});
