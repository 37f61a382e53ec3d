/**
 * The harness itself, with nothing of ours in between: Istio's guide done by hand with openssl, kubectl and istioctl, on two
 * clusters. If this fails, the machine or the harness is at fault, not kubectl mesh.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {Cluster} from './harness/cluster.js';
import {builtVersions, controlPlanes} from './harness/control-planes.js';
import {bothWays} from './harness/mtls.js';
import {fetchText, portForward} from './harness/port-forward.js';
import {Sandbox, eventually, output} from './harness/processes.js';
import {listeners} from './harness/listeners.js';
import type {DataResource} from './harness/api.js';
import {requirePrograms} from './harness/requirements.js';
import {startWorkload} from './harness/workload.js';

let sandbox: Sandbox;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  await requirePrograms('kubectl', 'openssl');
  const planes = await controlPlanes();
  sandbox = new Sandbox();
  [one, two] = await Promise.all([
    Cluster.create(sandbox, planes, {name: 'one'}),
    Cluster.create(sandbox, planes, {name: 'two'}),
  ]);
});

afterAll(async () => {
  await sandbox.close();
});

/** A root CA in DIR, as Istio's Makefile makes it but with a small key. */
async function makeRoot(directory: string): Promise<void> {
  mkdirSync(directory, {recursive: true});
  const openssl = (...args: string[]): Promise<string> => output('openssl', args, {cwd: directory});
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'root-key.pem');
  await openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'root-key.pem',
    '-subj',
    '/O=Istio/CN=Root CA',
    '-days',
    '10',
    '-out',
    'root-cert.pem',
  );
}

/** A cluster CA in DIR/CLUSTER and the Secret, as the guide does it. */
async function makeCacerts(directory: string, cluster: Cluster): Promise<void> {
  const folder = join(directory, cluster.name);
  mkdirSync(folder, {recursive: true});
  const openssl = (...args: string[]): Promise<string> => output('openssl', args, {cwd: folder});
  writeFileSync(
    join(folder, 'extensions'),
    'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,digitalSignature\nsubjectKeyIdentifier=hash\n',
  );
  await openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'ca-key.pem');
  await openssl(
    'req',
    '-new',
    '-key',
    'ca-key.pem',
    '-subj',
    `/O=Istio/CN=Intermediate CA/L=${cluster.name}`,
    '-out',
    'ca.csr',
  );
  await openssl(
    ...['x509', '-req', '-in', 'ca.csr', '-CA', '../root-cert.pem', '-CAkey', '../root-key.pem', '-CAcreateserial'],
    ...['-days', '5', '-extfile', 'extensions', '-out', 'ca-cert.pem'],
  );
  await output('sh', ['-c', 'cp ../root-cert.pem . && cat ca-cert.pem root-cert.pem > cert-chain.pem'], {cwd: folder});
  const files = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];
  await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts', '--ignore-not-found');
  await cluster.kubectl(
    ...['-n', 'istio-system', 'create', 'secret', 'generic', 'cacerts'],
    ...files.map((file) => `--from-file=${join(folder, file)}`),
  );
}

async function install(cluster: Cluster): Promise<void> {
  const file = join(sandbox.dir, `${cluster.name}-install.yaml`);
  writeFileSync(
    file,
    JSON.stringify({
      apiVersion: 'install.istio.io/v1alpha1',
      kind: 'IstioOperator',
      metadata: {name: cluster.name, namespace: 'istio-system'},
      spec: {values: {global: {meshID: 'mesh1', network: 'network1', multiCluster: {clusterName: cluster.name}}}},
    }),
  );
  await cluster.istioctl('install', '-f', file, '-y', '--readiness-timeout', '90s');
}

describe('two control planes on loopback', () => {
  it('listen on nothing but loopback', async () => {
    const found = await listeners([...one.pids(), ...two.pids()]);
    expect(found.length).toBeGreaterThanOrEqual(12);
    expect(found.filter(({address}) => !['127.0.0.1', '[::1]'].includes(address))).toEqual([]);
  });

  it('report the version of Kubernetes, which istioctl parses', async () => {
    const version = JSON.parse(await one.kubectl('get', '--raw', '/version')) as Record<string, string>;
    const [major, minor] = builtVersions.kubernetes.split('.');
    expect(version).toMatchObject({gitVersion: `v${builtVersions.kubernetes}`, major, minor});
  });

  it('take the guide done by hand, and istiod signs with the cacerts it was given', async () => {
    const root = join(sandbox.dir, 'hand');
    await makeRoot(root);
    for (const cluster of [one, two]) {
      await cluster.kubectl('create', 'namespace', 'istio-system');
      await makeCacerts(root, cluster);
    }
    await Promise.all([install(one), install(two)]);
    for (const cluster of [one, two]) {
      const phases = await cluster.kubectl(
        '-n',
        'istio-system',
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.phase}',
      );
      expect(new Set(phases.split(' '))).toEqual(new Set(['Running']));
      const expected = await output('cat', [join(root, 'root-cert.pem')]);
      const bundle = await eventually('the bundle', async () => {
        const path = '/api/v1/namespaces/default/configmaps/istio-ca-root-cert';
        return (await cluster.api.find<DataResource>(path))?.data?.['root-cert.pem'];
      });
      expect(bundle.trim()).toBe(expected);
    }
  });

  it('keep istiod on loopback too', async () => {
    const pids = [...one.pids(), ...two.pids(), ...istiods(one), ...istiods(two)];
    const found = await listeners(pids);
    expect(found.filter(({address}) => !['127.0.0.1', '[::1]'].includes(address))).toEqual([]);
    expect(found.filter(({pid}) => istiods(one).includes(pid)).length).toBeGreaterThanOrEqual(5);
  });

  it('let workloads of both clusters meet by mutual TLS, under one root', async () => {
    const a = await startWorkload(one);
    const b = await startWorkload(two);
    expect(await bothWays(await a.identity(), await b.identity())).toEqual({there: {ok: true}, back: {ok: true}});
    await Promise.all([a.stop(), b.stop()]);
  });

  it('make a new istiod when the Deployment is restarted, and no mutual TLS under two roots', async () => {
    const other = join(sandbox.dir, 'other');
    await makeRoot(other);
    await makeCacerts(other, two);
    const before = istiods(two);
    await two.kubectl('-n', 'istio-system', 'rollout', 'restart', 'deployment/istiod');
    await two.kubectl('-n', 'istio-system', 'rollout', 'status', 'deployment/istiod', '--timeout=60s');
    await eventually(
      'another istiod',
      () => (istiods(two).length === 1 && !before.includes(istiods(two)[0] ?? 0)) || undefined,
    );
    const expected = await output('cat', [join(other, 'root-cert.pem')]);
    await eventually('the other bundle', async () => {
      const path = '/api/v1/namespaces/default/configmaps/istio-ca-root-cert';
      return (await two.api.find<DataResource>(path))?.data?.['root-cert.pem']?.trim() === expected || undefined;
    });
    const a = await startWorkload(one);
    const b = await startWorkload(two);
    const {there, back} = await bothWays(await a.identity(), await b.identity());
    expect(there.ok).toBe(false);
    expect(back.ok).toBe(false);
  });

  it('play two replicas by two istiods, each reached by its own pod name', async () => {
    await one.kubectl('-n', 'istio-system', 'delete', 'hpa', 'istiod', '--ignore-not-found');
    await one.kubectl('-n', 'istio-system', 'scale', 'deployment/istiod', '--replicas=2');
    const pods = await eventually('two istiods', () => {
      const ready = one.kubelet?.pods.filter((pod) => pod.ready) ?? [];
      return ready.length === 2 ? ready : undefined;
    });
    expect(new Set(pods.map((pod) => pod.pid)).size).toBe(2);
    for (const pod of pods) {
      const direct = startTime(await fetchText(pod.ports[15014], '/metrics'));
      const forwarded = await portForward(one, pod, 15014, async (port) =>
        startTime(await fetchText(port, '/metrics')),
      );
      expect(forwarded).toBe(direct);
    }
  });

  it('tell the truth about an istiod that cannot start', async () => {
    // Some of the four keys: istiod refuses to start (pilot/pkg/bootstrap/istio_ca.go, since 1.26.1).
    await two.kubectl(
      '-n',
      'istio-system',
      'patch',
      'secret',
      'cacerts',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/data/cert-chain.pem"}]',
    );
    await two.kubectl('-n', 'istio-system', 'delete', 'pod', '-l', 'app=istiod');
    await eventually('a crash loop', async () => {
      const reasons = 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}';
      const found = await two.kubectl('-n', 'istio-system', 'get', 'pods', '-l', 'app=istiod', '-o', reasons);
      return found.includes('CrashLoopBackOff') || undefined;
    });
    const available = 'jsonpath={.status.conditions[?(@.type=="Available")].status}';
    expect(await two.kubectl('-n', 'istio-system', 'get', 'deployment', 'istiod', '-o', available)).toBe('False');
  });
});

/** When the answering istiod was started, from its own metrics: tells two of them apart. */
function startTime(metrics: string): string {
  const found = /^process_start_time_seconds (\S+)$/m.exec(metrics)?.[1];
  if (found === undefined) throw new Error('no process_start_time_seconds in the metrics');
  return found;
}

function istiods(cluster: Cluster): number[] {
  return (cluster.kubelet?.pods ?? []).flatMap((pod) => (pod.pid === undefined ? [] : [pod.pid]));
}
