/** The company's CA signs the clusters' requests, a policy CA between them and the root: a mesh of two clusters. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {opensslCa} from '../helpers/openssl-ca.js';
import {startSetting, type Setting} from './harness/mesh.js';
import {proveMesh} from './harness/prove-mesh.js';

const example = fileURLToPath(new URL('../../examples/corporate-ca.sh', import.meta.url));

let setting: Setting;
beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
});
afterAll(() => setting.sandbox.close());

it('makes a mesh of two clusters with examples/corporate-ca.sh; its chains are three deep, and it verifies green', async () => {
  const {cli, sandbox} = setting;
  const more = ['-days', '3650'];
  const root = opensslCa({subject: '/C=DE/O=Example AG/CN=Example Root CA', more});
  const policy = opensslCa({
    subject: '/O=Example AG/CN=Example Policy CA',
    issuer: root,
    more,
    extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', 'keyUsage=critical,keyCertSign,cRLSign'],
  });
  const company = join(sandbox.dir, 'company');
  mkdirSync(company);
  const file = (name: string, text: string): string => {
    writeFileSync(join(company, name), text, {mode: 0o600});
    return join(company, name);
  };
  const variables = {
    ROOT_CERT: file('root.pem', root.certificate),
    CA_CERT: file('policy.pem', policy.certificate),
    CA_KEY: file('policy-key.pem', policy.key),
  };
  await cli.must('init', 'one=kwok-one', 'two=kwok-two');
  const run = (): Promise<unknown> => cli.shell(`bash ${example} one two`, variables);
  expect(await run()).toMatchObject({code: 0});
  const chain = readFileSync(join(cli.workDir, 'one/cert-chain.pem'), 'utf8');
  expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
  expect(await run()).toMatchObject({code: 0});
  expect(readFileSync(join(cli.workDir, 'one/cert-chain.pem'), 'utf8')).toBe(chain);
  await proveMesh(setting, cli);
  expect((await cli.run(['trust', 'diff'])).code).toBe(0);
});
