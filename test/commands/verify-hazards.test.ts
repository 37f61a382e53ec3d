/** How verify handles hazards and versions in a cluster. */
import {readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Verify from '../../src/commands/verify.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {configMap, type FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {crlOf} from '../helpers/crl.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa} from '../helpers/tiny-ca.js';
import {istiod, pod, putCacerts, textsOf} from '../helpers/trust-mesh.js';
import {verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1');
});

afterEach(() => mesh.stop());

async function row(id: string, ...argv: readonly string[]): Promise<VerifyResult['checks'][number]> {
  const run = await runCommand(Verify, ['c1', '--only', id, '-o', 'json', ...argv], mesh.env);
  const [first] = (answerOf(run) as VerifyResult).checks;
  if (!first) throw new Error(`no row of ${id}`);
  return first;
}

const runs = (version: string, env: Record<string, string> = {}): void => {
  mesh.one('c1').kube.put(istiod(version, {CLUSTER_ID: 'c1', ...env}));
};

describe('a hazard', () => {
  const files = (): Record<string, string> => textsOf(bundleOf(mesh.one('c1').ca, [mesh.root]));

  it('does not exist in a plain cluster', async () => {
    expect((await row('MESH410')).result).toBe('ok');
  });

  it('is a revocation list without some of the CAs, in versions that read it', async () => {
    const {ca, kube} = mesh.one('c1');
    putCacerts(kube, {...files(), 'ca-crl.pem': crlOf(ca)});
    expect(await row('MESH410')).toMatchObject({
      result: 'error',
      observed: expect.stringContaining(mesh.root.certificate.subject.text) as string,
      fix: expect.stringMatching(
        /^: > \S*c1\/ca-crl\.pem && kubectl mesh trust push c1 --restart-istiod --yes/,
      ) as string,
    });
    expect((await row('MESH301')).result).toBe('ok');
  });

  it('is not a revocation list that covers the chain, in versions that read it', async () => {
    const {ca, kube} = mesh.one('c1');
    const lists = crlOf(ca) + crlOf(mesh.root);
    putCacerts(kube, {...files(), 'ca-crl.pem': lists});
    expect((await row('MESH410')).result).toBe('ok');
    runs('1.26.8');
    expect((await row('MESH410')).result).toBe('warning');
    runs('1.27.0', {PILOT_ENABLE_CA_CRL: 'false'});
    expect((await row('MESH410')).result).toBe('warning');
    expect((await row('MESH301')).result).toBe('ok');
    await writeFile(join(mesh.dir, 'c1', 'ca-crl.pem'), lists);
    expect((await row('MESH301')).result).toBe('ok');
    // It may exist only there: it is not overwritten.
    expect((await row('MESH410')).fix).toMatch(/^mv \S*c1\/ca-crl\.pem \S*c1\/ca-crl\.pem\.old && : > /);
    await writeFile(join(mesh.dir, 'c1', 'ca-crl.pem'), crlOf(ca));
    expect(await row('MESH301')).toMatchObject({
      result: 'error',
      observed: expect.stringContaining('revocation lists') as string,
    });
  });

  it('is a revocation list beside a CA from cert-manager: it is removed at its source', async () => {
    const {ca, kube} = mesh.one('c1');
    const {caCert, caKey, rootCert} = bundleOf(ca, [mesh.root]);
    const tls = {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert, 'ca-crl.pem': crlOf(ca)};
    putCacerts(kube, tls, {type: 'kubernetes.io/tls'});
    expect((await row('MESH301')).result).toBe('ok');
    expect((await row('MESH410')).result).toBe('warning');
    await rm(join(mesh.dir, 'c1'), {recursive: true});
    expect(await row('MESH410')).toMatchObject({
      fix: `kubectl --context ctx-c1 -n istio-system patch secret cacerts --type=json -p '[{"op":"remove","path":"/data/ca-crl.pem"}]'`,
    });
  });

  /** istiod has loaded lists. */
  const published = (): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'istio-ca-crl', namespace: 'istio-system'},
    data: {'ca-crl.pem': crlOf(mesh.root)},
  });

  it.each([
    ['1.31.0', true, true],
    ['1.31.0', false, false],
    ['1.31.1', true, false],
  ])(
    'is a refused list of an external CA, whose removal requires a restart of istiod %s that has lists (%j): %j',
    async (version, isLoaded, isRestarted) => {
      const {ca, kube} = mesh.one('c1');
      runs(version);
      if (isLoaded) kube.put(published() as FakeObject);
      putCacerts(kube, {...files(), 'ca-crl.pem': crlOf(ca)});
      await rm(join(mesh.dir, 'c1'), {recursive: true});
      const {result, fix} = await row('MESH410');
      expect(result).toBe('error');
      expect(fix).toContain('"path":"/data/ca-crl.pem"');
      const restarts = expect.stringMatching(/rollout restart deployment\/istiod$/) as string;
      expect(fix).toEqual(isRestarted ? restarts : expect.not.stringContaining('restart'));
    },
  );

  it('is a removed list that istiod still publishes, in versions that keep it', async () => {
    runs('1.31.0');
    mesh.one('c1').kube.put(published() as FakeObject);
    expect(await row('MESH410')).toMatchObject({
      result: 'warning',
      fix: 'kubectl --context ctx-c1 -n istio-system rollout restart deployment/istiod',
    });
    runs('1.31.1');
    expect((await row('MESH410')).result).toBe('ok');
  });

  it('is a CA from cert-manager for an istiod that does not read it', async () => {
    const {ca, kube} = mesh.one('c1');
    const {caCert, caKey, rootCert} = bundleOf(ca, [mesh.root]);
    const tls = {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert};
    putCacerts(kube, tls, {type: 'kubernetes.io/tls'});
    expect((await row('MESH410')).result).toBe('ok');
    runs('1.14.2');
    expect((await row('MESH410')).result).toBe('ok');
    runs('1.14.1');
    expect((await row('MESH410')).result).toBe('error');
  });

  it('is a chain of several intermediates under ztunnel, until istiod sends the certificates separately', async () => {
    const {kube} = mesh.one('c1');
    const between = await tinyClusterCa(mesh.root, 'between', {
      change: (template) => ({...template, extensions: {...template.extensions, basicConstraints: {ca: true}}}),
    });
    const ca = await tinyClusterCa(between, 'c1');
    putCacerts(kube, textsOf(bundleOf(ca, [between, mesh.root])));
    runs('1.24.3');
    expect((await row('MESH410')).result).toBe('ok');
    kube.put(pod('istio-system/ztunnel-abcde', {}, {app: 'ztunnel'}));
    expect(await row('MESH410')).toMatchObject({
      result: 'error',
      observed: expect.stringContaining('2 intermediate CAs') as string,
    });
    runs('1.24.4');
    expect((await row('MESH410')).result).toBe('ok');
  });

  it('of the environment is fixed by changing the environment', async () => {
    runs('1.18.7', {AUTO_RELOAD_PLUGIN_CERTS: 'false'});
    expect(await row('MESH410')).toMatchObject({
      result: 'warning',
      fix: 'kubectl --context ctx-c1 -n istio-system set env deployment/istiod AUTO_RELOAD_PLUGIN_CERTS-',
    });
  });

  it('is not checked without the Secret', async () => {
    expect((await row('MESH410', '--no-secrets')).result).toBe('skipped');
    mesh.one('c1').kube.deny({resource: 'secrets'});
    expect((await row('MESH410')).result).toBe('unknown');
  });
});

describe('ambient mode', () => {
  const ambient = {PILOT_ENABLE_AMBIENT: 'true'};
  const declare = async (change: (text: string) => string): Promise<void> => {
    const path = join(mesh.dir, 'mesh.yaml');
    await writeFile(path, change(await readFile(path, 'utf8')));
  };
  const twoNetworks = (text: string): string => `${text}  - name: far\n    network: network2\n`;

  it.each(['istio-system', 'kube-system'])(
    'requires its variable on several networks, with ztunnel in %s',
    async (where) => {
      await declare(twoNetworks);
      runs('1.31.0', ambient);
      expect(await row('MESH417')).toMatchObject({result: 'ok', observed: 'no ambient mode here'});
      mesh.one('c1').kube.put(pod(`${where}/ztunnel-abcde`, {}, {app: 'ztunnel'}));
      expect(await row('MESH417')).toMatchObject({
        result: 'error',
        fix: 'kubectl --context ctx-c1 -n istio-system set env deployment/istiod AMBIENT_ENABLE_MULTI_NETWORK=true',
      });
      runs('1.31.0', {...ambient, AMBIENT_ENABLE_MULTI_NETWORK: 'true'});
      expect((await row('MESH417')).result).toBe('ok');
      runs('1.31.0');
      expect(await row('MESH417')).toMatchObject({result: 'ok', observed: 'no ambient mode here'});
    },
  );

  it('is unknown if ztunnel may run in another namespace, whose pods cannot be read', async () => {
    await declare(twoNetworks);
    runs('1.31.0', ambient);
    mesh.one('c1').kube.deny({resource: 'pods', clusterWide: true});
    expect((await row('MESH417')).result).toBe('unknown');
  });

  it('that mesh.yaml declares is rendered again; a setting that turns it off is removed first', async () => {
    await declare((text) => `${twoNetworks(text)}istio:\n  profile: ambient\n`);
    runs('1.31.0', ambient);
    mesh.one('c1').kube.put(pod('istio-system/ztunnel-abcde', {}, {app: 'ztunnel'}));
    const apply = 'kubectl mesh install render c1 && kubectl mesh install apply c1 --yes';
    expect(await row('MESH417')).toMatchObject({
      result: 'error',
      fix: expect.stringMatching(new RegExp(`^${apply}`)) as string,
    });
    runs('1.31.0', {...ambient, AMBIENT_ENABLE_MULTI_NETWORK: 'false'});
    expect(await row('MESH417')).toMatchObject({
      result: 'warning',
      fix: expect.stringMatching(new RegExp(`mesh\\.yaml && ${apply}`)) as string,
    });
  });

  it('affects sidecars, until the mesh config makes every Service global', async () => {
    await declare(twoNetworks);
    const {kube} = mesh.one('c1');
    runs('1.31.0', {...ambient, AMBIENT_ENABLE_MULTI_NETWORK: 'true'});
    kube.put(pod('istio-system/ztunnel-abcde', {}, {app: 'ztunnel'}));
    kube.put({apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'shop', labels: {'istio-injection': 'enabled'}}});
    expect(await row('MESH410')).toMatchObject({
      result: 'warning',
      observed: expect.stringContaining('shop') as string,
    });
    const scopes = (entry: object) =>
      configMap('istio-system/istio', {
        mesh: JSON.stringify({trustDomain: 'cluster.local', serviceScopeConfigs: [entry]}),
      });
    const labeled = {matchExpressions: [{key: 'istio.io/global', operator: 'In', values: ['true']}]};
    kube.put(scopes({scope: 'GLOBAL', servicesSelector: labeled}));
    expect((await row('MESH410')).result).toBe('warning');
    kube.put(scopes({scope: 'LOCAL'}));
    expect((await row('MESH410')).result).toBe('warning');
    kube.put(scopes({scope: 'GLOBAL', namespaceSelector: {}}));
    expect((await row('MESH410')).result).toBe('ok');
  });
});

describe('an image hub that is shut down', () => {
  const put = (image: string, values = 'docker.io/istio'): void => {
    const {kube} = mesh.one('c1');
    const spec = {containers: [{name: 'istio-proxy', image}]};
    kube.put(pod('istio-system/gateway-1', {spec}, {istio: 'ingressgateway'}));
    kube.put(configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify({global: {hub: values}})}));
  };

  it('is found in the injector and in the pods that it changed', async () => {
    expect(await row('MESH419')).toMatchObject({result: 'ok', observed: 'docker.io/istio'});
    put('gcr.io/istio-release/proxyv2:1.28.0');
    const restart = 'kubectl --context ctx-c1 -n istio-system rollout restart deployment/istio-ingressgateway';
    expect(await row('MESH419')).toMatchObject({result: 'warning', fix: restart});
    put('gcr.io/istio-release/proxyv2:1.28.0', 'gcr.io/istio-release');
    expect(await row('MESH419')).toMatchObject({
      result: 'warning',
      fix: expect.stringMatching(
        new RegExp(
          `mesh\\.yaml && kubectl mesh install render c1 && kubectl mesh install apply c1 --yes && ${restart}$`,
        ),
      ) as string,
    });
  });
});

describe('the Kubernetes version', () => {
  it.each([
    ['1.31.0', 'ok'],
    ['1.9.9', 'error'],
    ['latest', 'ok', '1.31.0'],
    ['latest', 'error', '1.9.9'],
    ['latest', 'skipped', 'unknown'],
  ])('under Istio %s is %s if istiod reports version %s', async (version, result, reported = version) => {
    runs(version);
    mesh.one('c1').says.version = reported;
    expect((await row('MESH205')).result).toBe(result);
  });
});
