/** A policy CA whose key is on a stick, its root offline: the mesh of two clusters that it makes, unplugged. */
import {mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {openssl} from '../helpers/openssl.js';
import {opensslCa} from '../helpers/openssl-ca.js';
import {filesWithKeyOf} from './harness/keys-at-rest.js';
import {startSetting, type Setting} from './harness/mesh.js';
import {proveMesh} from './harness/prove-mesh.js';

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
});
afterAll(() => setting.sandbox.close());

it('makes a mesh of two clusters that verifies green with chains of three; push to verify go without the stick', async () => {
  const {cli, sandbox} = setting;
  const stick = join(sandbox.dir, 'stick');
  mkdirSync(stick);
  const root = opensslCa({subject: '/O=Acme/CN=Acme Root CA'});
  const policy = opensslCa({
    subject: '/O=Acme/CN=Acme Mesh CA',
    issuer: root,
    extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', 'keyUsage=critical,keyCertSign,cRLSign'],
  });
  writeFileSync(join(stick, 'root-key.pem'), policy.key, {mode: 0o600});
  writeFileSync(join(cli.workDir, 'mesh-ca.pem'), `${policy.certificate}${root.certificate}`);
  await cli.must('init', 'one=kwok-one', 'two=kwok-two');
  const file = join(cli.workDir, 'mesh.yaml');
  writeFileSync(file, `${readFileSync(file, 'utf8')}trust: {signer: {type: local, certificate: mesh-ca.pem}}\n`);
  await cli.must('certs', 'generate', '--root-dir', stick);
  renameSync(stick, `${stick}-unplugged`);
  expect(filesWithKeyOf(cli.workDir, policy.certificate)).toEqual([]);
  const path = (name: string): string => join(cli.workDir, 'one', name);
  const chain = path('cert-chain.pem');
  expect(readFileSync(chain, 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  const verified = ['verify', '-x509_strict', '-CAfile', path('root-cert.pem'), '-untrusted', chain];
  expect(openssl([...verified, path('ca-cert.pem')])).toContain('OK');
  await proveMesh(setting, cli);
  const late = await cli.run(['certs', 'generate', 'one', '--renew', '--yes', '--root-dir', stick, '-o', 'json']);
  expect([late.code, late.stdout.includes('FILE_MISSING')]).toEqual([2, true]);
});
