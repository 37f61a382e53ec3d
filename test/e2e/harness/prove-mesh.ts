/** Proves that a mesh of two clusters works, for any signer: verify passes, and workloads complete mutual TLS handshakes. */
import {expect} from 'vitest';
import {meet} from './meet.js';
import {at, type Setting} from './mesh.js';
import {findings, type MeshCli, type Verdict} from './mesh-cli.js';

/**
 * Takes a work directory whose clusters have their CAs to a running mesh (push, render, apply, link), and proves it: every
 * check of verify is green, and workloads of the two clusters accept each other. The setting's clusters are new.
 */
export async function proveMesh({clusters}: Setting, cli: MeshCli): Promise<Verdict> {
  const [one, two] = [at(clusters, 0), at(clusters, 1)];
  await cli.must('trust', 'push');
  await cli.must('install', 'render', '--mesh-id', 'mesh1', '--network', 'network1');
  await cli.must('install', 'apply', '--yes');
  await cli.must('link');
  const verdict = await cli.verify('--wait', '--timeout', '2m');
  expect(findings(verdict)).toEqual([]);
  expect(verdict.code).toBe(0);
  expect(await meet(one, two)).toEqual({there: {ok: true}, back: {ok: true}});
  return verdict;
}
