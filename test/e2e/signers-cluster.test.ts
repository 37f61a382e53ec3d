/** The root that a self-signed istiod keeps in its cluster becomes the root of a mesh of two. */
import {X509Certificate} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {DataResource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import {filesWithKeyOf} from './harness/keys-at-rest.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {eventually} from './harness/processes.js';
import {proveMesh} from './harness/prove-mesh.js';

let setting: Setting;
let one: Cluster;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  one = at(setting.clusters, 0);
  const file = join(setting.sandbox.dir, 'plain.yaml');
  const install = {apiVersion: 'install.istio.io/v1alpha1', kind: 'IstioOperator', spec: {profile: 'minimal'}};
  writeFileSync(file, JSON.stringify(install));
  await one.istioctl('install', '-f', file, '-y', '--readiness-timeout', '90s');
});
afterAll(() => setting.sandbox.close());

it('makes a mesh of two clusters that verifies green; the root key never is a file, and no root changes', async () => {
  const {cli} = setting;
  const secret = await eventually('the self-signed root', () =>
    one.api.find<DataResource>('/api/v1/namespaces/istio-system/secrets/istio-ca-secret'),
  );
  const live = Buffer.from(secret.data?.['ca-cert.pem'] ?? '', 'base64').toString('utf8');
  // Its istiod and proxies keep the name that Istio gave them.
  await cli.must('init', 'one=kwok-one', 'two=kwok-two', '--istio-name', 'one=Kubernetes');
  await cli.must('certs', 'generate', '--signer', '{type: cluster, context: kwok-one}');
  const root = readFileSync(join(cli.workDir, 'root-cert.pem'), 'utf8');
  expect(new X509Certificate(root).fingerprint256).toBe(new X509Certificate(live).fingerprint256);
  expect(filesWithKeyOf(cli.workDir, root)).toEqual([]);
  // Its istiod has to go over from self-signed to cacerts, under the root it has: a restart, and no change of root.
  await cli.must('trust', 'push', 'one', '--restart-istiod', '--yes');
  await cli.must('install', 'render', 'one', '--mesh-id', 'mesh1', '--network', 'network1');
  await cli.must('install', 'apply', 'one', '--take-over', '--yes');
  await proveMesh(setting, cli);
});
