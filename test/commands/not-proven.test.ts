/** A certificate that istiod may or may not accept is unknown, and never used. */
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import CertsImport from '../../src/commands/certs/import.js';
import CertsInspect from '../../src/commands/certs/inspect.js';
import Verify from '../../src/commands/verify.js';
import {integer} from '../../src/domain/asn1/der.js';
import {encodePem} from '../../src/domain/asn1/pem.js';
import {mutatedCertificate} from '../helpers/mutated-certificate.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
let odd: string;
beforeEach(async () => {
  dir = await createWorkDir();
  const root = await tinyRoot();
  const ca = await tinyClusterCa(root, 'c1');
  const der = await mutatedCertificate(ca, root, (fields) => {
    fields.serial = integer(Buffer.alloc(40, 1));
  });
  odd = encodePem('CERTIFICATE', der);
  const {caKey, rootCert} = bundleOf(ca, [root]);
  await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1\n');
  await dir.write('root-cert.pem', rootCert);
  await dir.write('c1/ca-cert.pem', odd);
  await dir.write('c1/ca-key.pem', caKey.reveal());
  await dir.write('c1/root-cert.pem', rootCert);
  await dir.write('c1/cert-chain.pem', `${odd}${rootCert}`);
});
afterEach(() => dir.dispose());

it('certs inspect exits with 4', async () => {
  const run = await runCommand(CertsInspect, ['c1', '-o', 'json', '-w', dir.root]);
  expect(run.code).toBe(4);
  expect(answerOf(run)).toMatchObject({
    istiod: {loads: false, findings: expect.arrayContaining([expect.objectContaining({id: 'unproven'})]) as unknown},
    problems: expect.arrayContaining([expect.objectContaining({code: 'NOT_PROVEN'})]) as unknown,
  });
});

it('verify reports it as unknown, and exits with 4', async () => {
  const run = await runCommand(Verify, ['--offline', '--only', 'MESH103', '-o', 'json', '-w', dir.root]);
  expect(run.code).toBe(4);
  expect(answerOf(run)).toMatchObject({
    verdict: 'unknown',
    checks: expect.arrayContaining([
      expect.objectContaining({result: 'unknown', error: expect.objectContaining({code: 'NOT_PROVEN'}) as unknown}),
    ]) as unknown,
  });
});

it('certs import refuses it, and exits with 2', async () => {
  await dir.write('answer.pem', odd);
  const run = await runCommand(CertsImport, ['c1', join(dir.root, 'answer.pem'), '-o', 'json', '-w', dir.root]);
  expect(run.code).toBe(2);
  expect(JSON.stringify(answerOf(run))).toContain('CERTIFICATE_REFUSED');
});
