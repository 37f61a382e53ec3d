import {readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import {shortFingerprint} from '../../src/domain/keys/keys.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import {configMap, namespace, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import {
  injected,
  istiod,
  pod,
  putCacerts,
  runIstiod,
  textsOf,
  trustMesh,
  type FakeIstiod,
  type TrustMesh,
} from '../helpers/trust-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: TrustMesh;
const running: FakeIstiod[] = [];

beforeEach(async () => {
  mesh = await trustMesh(['c1', 'c2']);
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await mesh.stop();
});

/** Another mesh, with c1 only and additional content in mesh.yaml. */
async function startOver(more: Parameters<typeof trustMesh>[1]): Promise<void> {
  await mesh.stop();
  mesh = await trustMesh(['c1'], more);
}

const push = (...argv: string[]): Promise<CommandRun> => runCommand(TrustPush, argv, mesh.env);

async function pushJson(...argv: string[]): Promise<{code: number; result: AsJson<PushResult>}> {
  const run = await push(...argv, '-o', 'json');
  return {code: run.code, result: answerOf(run) as AsJson<PushResult>};
}

const outcomes = (result: AsJson<PushResult>): string[] =>
  result.clusters.map(({name, outcome}) => `${name} ${outcome}`);

describe('a new cluster', () => {
  it('receives namespace and Secret, and a second run changes nothing', async () => {
    const first = await pushJson();
    expect(first.code).toBe(0);
    expect(outcomes(first.result)).toEqual(['c1 done', 'c2 done']);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    expect(mesh.cluster('c1').writes.map(({verb, resource}) => `${verb} ${resource}`)).toEqual([
      'create namespaces',
      'create secrets',
    ]);
    const yaml = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    const second = await pushJson();
    expect(second.code).toBe(0);
    expect(outcomes(second.result)).toEqual(['c1 unchanged', 'c2 unchanged']);
    expect(mesh.cluster('c1').writes).toHaveLength(2);
    expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toBe(yaml);
  });

  it('is accessed with one kubectl, with the field manager kubectl-mesh', async () => {
    await push('c1');
    expect(mesh.kube.calls).toHaveLength(1);
    const written = mesh.cluster('c1').get('Secret', 'istio-system/cacerts');
    expect(written?.metadata.managedFields).toMatchObject([{manager: 'kubectl-mesh'}]);
    expect(written?.metadata.labels).toMatchObject({'app.kubernetes.io/managed-by': 'kubectl-mesh'});
    expect(written?.metadata.annotations).toMatchObject({
      'kubectl-mesh/cluster': 'c1',
      'kubectl-mesh/root-sha256': mesh.root.certificate.fingerprint,
    });
  });

  it.each<[string, Record<string, object>]>([
    ['Argo CD', {annotations: {'argocd.argoproj.io/tracking-id': 'app:/Secret:istio-system/cacerts'}}],
    ['Flux', {labels: {'kustomize.toolkit.fluxcd.io/name': 'mesh', 'kustomize.toolkit.fluxcd.io/namespace': 'flux'}}],
    ['External Secrets', {labels: {'reconcile.external-secrets.io/managed': 'true'}}],
    [
      'Helm',
      {
        labels: {'app.kubernetes.io/managed-by': 'Helm'},
        annotations: {'meta.helm.sh/release-name': 'ca', 'meta.helm.sh/release-namespace': 'istio-system'},
      },
    ],
  ])('is replaced with a warning that names %s, whose labels and annotations are kept', async (tool, metadata) => {
    const cluster = mesh.cluster('c1');
    await push('c1');
    await mesh.renew('c1');
    const before = cluster.get('Secret', 'istio-system/cacerts');
    if (!before) throw new Error('no Secret');
    cluster.put({...before, metadata: {...before.metadata, ...metadata}});
    const {code, result} = await pushJson('c1', '-y');
    expect(code).toBe(0);
    expect(result.warnings.filter(({message}) => message.includes(tool))).toHaveLength(1);
    expect(cluster.get('Secret', 'istio-system/cacerts')?.metadata).toMatchObject(metadata);
  });

  it('has its UID recorded, and a different one is refused before anything is written', async () => {
    await push('c1');
    expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toContain(mesh.cluster('c1').uid);
    await mesh.renew('c1');
    const other = await pushJson('c1', '--context', 'ctx-c2');
    expect(other.code).toBe(2);
    await writeFile(join(mesh.dir, 'contexts.yaml'), 'c1: ctx-c2\nc2: ctx-c1\n');
    const swapped = await pushJson('c1');
    expect(swapped.code).toBe(5);
    expect(swapped.result.clusters[0]?.error?.code).toBe('UID_MISMATCH');
    expect(mesh.cluster('c2').writes).toEqual([]);
    const accepted = await pushJson('c1', '--accept-uid');
    expect(accepted.code).toBe(0);
  });

  it('is distinguished from one without CA files', async () => {
    await rm(join(mesh.dir, 'c1'), {recursive: true});
    const {code, result} = await pushJson('c1');
    expect(code).toBe(2);
    expect(result.clusters[0]?.error?.code).toBe('FILE_MISSING');
  });
});

describe('the namespace', () => {
  it('is labelled only if the network is declared, and before the Secret', async () => {
    await startOver({clusterYaml: '    network: network1\n'});
    mesh.cluster('c1').put(namespace('istio-system', {team: 'mesh'}));
    expect((await push('c1')).code).toBe(0);
    expect(mesh.cluster('c1').get('Namespace', 'istio-system')?.metadata.labels).toMatchObject({
      team: 'mesh',
      'topology.istio.io/network': 'network1',
    });
    expect(mesh.cluster('c1').writes.map(({resource}) => resource)).toEqual(['namespaces', 'secrets']);
  });

  it('is not written without a change, so no permission is required', async () => {
    mesh.cluster('c1').put(namespace('istio-system'));
    for (const verb of ['create', 'patch', 'update']) mesh.cluster('c1').deny({verb, resource: 'namespaces'});
    expect((await push('c1')).code).toBe(0);
  });

  it('with another network requires confirmation', async () => {
    await startOver({clusterYaml: '    network: network1\n'});
    mesh.cluster('c1').put(namespace('istio-system', {'topology.istio.io/network': 'other'}));
    expect((await push('c1')).code).toBe(5);
    expect(mesh.cluster('c1').writes).toEqual([]);
    expect((await push('c1', '-y')).code).toBe(0);
  });

  it('that is being deleted is an error', async () => {
    const gone = namespace('istio-system');
    mesh.cluster('c1').put({...gone, metadata: {...gone.metadata, deletionTimestamp: '2026-01-01T00:00:00Z'}});
    const {code, result} = await pushJson('c1');
    expect(code).toBe(1);
    expect(result.clusters[0]?.error?.code).toBe('NOT_READY');
  });
});

describe('an existing Secret', () => {
  it('is replaced at its version after confirmation, and kept as cacerts-previous', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    await mesh.renew('c1');
    const refused = await push('c1');
    expect(refused.code).toBe(5);
    expect(mesh.cluster('c1').writes).toEqual([]);
    const {code, result} = await pushJson('c1', '-y');
    expect(code).toBe(0);
    expect(result.clusters[0]).toMatchObject({plan: 'update', keepsPrevious: true});
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')).toEqual(before);
  });

  it('loses tls.crt, which would take precedence', async () => {
    const other = bundleOf(await tinyClusterCa(mesh.root, 'x'), [mesh.root]);
    const tls = {'tls.crt': other.caCert, 'tls.key': other.caKey.reveal(), 'ca.crt': other.rootCert};
    putCacerts(mesh.cluster('c1'), {...textsOf(mesh.bundle('c1')), ...tls});
    expect((await push('c1', '-y')).code).toBe(0);
    expect(Object.keys(mesh.cluster('c1').secretText('istio-system/cacerts'))).toEqual([
      'ca-cert.pem',
      'ca-key.pem',
      'root-cert.pem',
      'cert-chain.pem',
    ]);
  });

  it('of another type that is also immutable is deleted and created', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')), {type: 'kubernetes.io/tls', immutable: true});
    await mesh.renew('c1');
    const {code, result} = await pushJson('c1', '-y');
    expect(code).toBe(0);
    expect(result.clusters[0]?.plan).toBe('replace');
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts')).toMatchObject({type: 'Opaque'});
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')).toHaveProperty('ca-key.pem');
  });

  describe('that must be deleted and created', () => {
    const created = {verb: 'create', resource: 'secrets', name: 'cacerts'};
    const kept = async (): Promise<Record<string, string>> => {
      const before = textsOf(mesh.bundle('c1'));
      putCacerts(mesh.cluster('c1'), before, {immutable: true});
      await mesh.renew('c1');
      return before;
    };

    it('stays if the API server would reject the new one', async () => {
      const before = await kept();
      // The first create keeps the current CA; the second one validates the new Secret.
      mesh.cluster('c1').before({verb: 'create', name: 'cacerts-previous'}, () => {
        mesh.cluster('c1').fault({verb: 'create', name: 'cacerts-dry-run'}, {status: 422, message: 'policy'}, 2);
      });
      const {code, result} = await pushJson('c1', '-y');
      expect([code, result.clusters[0]?.error?.code]).toEqual([1, 'REJECTED']);
      expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(before);
      expect(mesh.cluster('c1').writes.map(({verb}) => verb)).not.toContain('delete');
    });

    it('is created even if Ctrl-C is pressed in between', async () => {
      await kept();
      mesh.cluster('c1').before({verb: 'delete', name: 'cacerts'}, () => {
        process.emit('SIGINT');
      });
      await push('c1', '-y');
      expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    });

    it('stays if Ctrl-C is pressed before the deletion', async () => {
      const before = await kept();
      mesh.cluster('c1').before({verb: 'create', name: 'cacerts-dry-run'}, () => {
        process.emit('SIGINT');
      });
      expect((await push('c1', '-y')).code).toBe(130);
      expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(before);
    });

    it('is restored by rollback if it was deleted but not created, and the key is missing', async () => {
      const before = await kept();
      mesh.cluster('c1').before({verb: 'delete', name: 'cacerts'}, () => {
        mesh.cluster('c1').fault(created, {status: 422, message: 'no'});
      });
      const lost = await pushJson('c1', '-y');
      expect(lost.code).toBe(1);
      expect(lost.result.clusters[0]?.error?.hints.join()).toContain('kubectl mesh trust rollback c1');
      expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts')).toBeUndefined();
      await rm(join(mesh.dir, 'c1', 'ca-key.pem'));
      const {result} = await pushJson('c1', '-y');
      expect(result.clusters[0]?.error?.code).toBe('FILE_MISSING');
      expect(result.clusters[0]?.error?.hints[0]).toContain('kubectl mesh trust rollback c1');
      expect((await runCommand(TrustRollback, ['c1', '-y'], mesh.env)).code).toBe(0);
      expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(before);
    });
  });

  it('keeps other labels and annotations, except the copy of kubectl apply', async () => {
    const metadata = {
      name: 'cacerts',
      namespace: 'istio-system',
      labels: {team: 'mesh'},
      annotations: {note: 'ours', 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{}}'},
    };
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')), {metadata});
    await mesh.renew('c1');
    await push('c1', '-y');
    const {labels, annotations} = mesh.cluster('c1').get('Secret', 'istio-system/cacerts')?.metadata ?? {};
    expect(labels).toMatchObject({team: 'mesh'});
    expect(annotations).toMatchObject({note: 'ours'});
    expect(annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration');
  });

  it('that changes between plan and write is read and planned again', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    const foreign = bundleOf(await tinyClusterCa(mesh.root, 'foreign'), [mesh.root]);
    await mesh.renew('c1');
    mesh.cluster('c1').before({verb: 'update', name: 'cacerts'}, () => {
      putCacerts(mesh.cluster('c1'), {...textsOf(foreign), 'tls.crt': 'x'});
    });
    const {code} = await pushJson('c1', '-y');
    expect(code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle('c1')));
    expect(mesh.cluster('c1').secretText('istio-system/cacerts-previous')).toMatchObject({'tls.crt': 'x'});
  });

  it('receives other certificates and keeps its key if the work directory no longer has the key', async () => {
    const texts = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), {...texts, 'other.pem': 'x'});
    const second = await tinyRoot();
    const both = `${texts['root-cert.pem'] ?? ''}${second.certificate.pem}`;
    await mesh.writeCa('c1', {...texts, 'ca-key.pem': undefined, 'root-cert.pem': both});
    const {code} = await pushJson('c1', '-y');
    expect(code).toBe(0);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')).toEqual({...texts, 'root-cert.pem': both});
    const patch = mesh.cluster('c1').writes.find(({verb}) => verb === 'patch');
    expect(patch?.body).toMatchObject([{op: 'test', path: '/metadata/resourceVersion'}, {}, {}, {}, {}, {}, {}]);
  });
});

describe('an up-to-date Secret, under an istiod that runs with another CA', () => {
  let own: Record<string, string>;

  beforeEach(async () => {
    const root = await tinyRoot();
    own = textsOf(bundleOf(await tinyClusterCa(root, 'own'), [root]));
    const c1 = mesh.cluster('c1');
    putCacerts(c1, textsOf(mesh.bundle('c1')));
    c1.put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': root.certificate.pem}));
    const istiodPods = await runIstiod(mesh.kube, c1, own, {byItself: false});
    running.push(istiodPods);
    c1.before({verb: 'patch', resource: 'deployments'}, () => {
      istiodPods.load();
    });
  });

  it('is not ok: it results from a run that ended before its restart', async () => {
    const {code, result} = await pushJson('c1');
    expect(code).toBe(5);
    expect(result.clusters[0]?.refusals.map((refusal) => refusal.code)).toEqual(['RESTART_NEEDED']);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it('triggers restart and verification on request, and is unchanged afterwards', async () => {
    const first = await pushJson('c1', '--restart-istiod');
    expect([first.code, ...outcomes(first.result)]).toEqual([0, 'c1 done']);
    expect(first.result.clusters[0]).toMatchObject({plan: 'unchanged', restarts: ['istiod'], keepsPrevious: false});
    expect(mesh.cluster('c1').writes.map(({resource}) => resource)).toEqual(['deployments']);
    const second = await pushJson('c1');
    expect([second.code, ...outcomes(second.result)]).toEqual([0, 'c1 unchanged']);
  });

  it('is not restarted if workloads trust the other root', async () => {
    mesh.cluster('c1').put(injected('shop/cart'));
    const {code, result} = await pushJson('c1', '--restart-istiod');
    expect(code).toBe(5);
    expect(result.clusters[0]?.refusals.map((refusal) => refusal.code)).toEqual(['ROOT_CHANGE']);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });
});

describe('a renewed CA from a run that ended before its restart', () => {
  it('is loaded by the next run with --restart-istiod, even if the root is the same', async () => {
    const c1 = mesh.cluster('c1');
    const istiodPods = await runIstiod(mesh.kube, c1, textsOf(mesh.bundle('c1')), {version: '1.11.8', byItself: false});
    running.push(istiodPods);
    putCacerts(c1, textsOf(await mesh.renew('c1')));
    c1.before({verb: 'patch', resource: 'deployments'}, () => {
      istiodPods.load();
    });
    const {code, result} = await pushJson('c1', '--restart-istiod');
    expect([code, ...outcomes(result)]).toEqual([0, 'c1 done']);
    expect(result.clusters[0]?.restarts).toEqual(['istiod']);
    expect(outcomes((await pushJson('c1', '--restart-istiod')).result)).toEqual(['c1 unchanged']);
  });
});

describe('refusals, each with its override flag', () => {
  it('a bundle without a live root, while workloads trust it', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    mesh.cluster('c1').put(injected('shop/cart'));
    await mesh.renew('c1', await tinyRoot());
    const {code, result} = await pushJson('c1', '-y');
    expect(code).toBe(5);
    expect(result.clusters[0]?.error?.code).toBe('ROOT_CHANGE');
    expect(mesh.cluster('c1').writes).toEqual([]);
    expect((await push('c1', '-y', '--allow-root-change')).code).toBe(0);
  });

  it('nothing, if no workload trusts the other root; the replaced root is reported', async () => {
    const other = await tinyRoot();
    putCacerts(mesh.cluster('c1'), textsOf(bundleOf(await tinyClusterCa(other, 'c1'), [other])));
    const {code, result} = await pushJson('c1', '-y', '--dry-run');
    expect(code).toBe(0);
    const output = result.warnings.map(({message}) => message).join();
    for (const {certificate} of [other, mesh.root]) expect(output).toContain(shortFingerprint(certificate.fingerprint));
    const text = (await push('c1', '-y', '--dry-run')).stdout;
    for (const {certificate} of [other, mesh.root]) expect(text).toContain(shortFingerprint(certificate.fingerprint));
  });

  it('a bundle without a live root, while a workload in ambient mode trusts it', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    mesh.cluster('c1').put(namespace('ambient', {'istio.io/dataplane-mode': 'ambient'}));
    mesh.cluster('c1').put(pod('ambient/a'));
    await mesh.renew('c1', await tinyRoot());
    expect((await push('c1', '-y')).code).toBe(5);
  });

  it('the first CA under a self-signed istiod that workloads trust', async () => {
    const own = await tinyRoot();
    mesh.cluster('c1').put(namespace('istio-system'));
    mesh.cluster('c1').put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': own.certificate.pem}));
    mesh.cluster('c1').put(configMap('istio-system/istio-ca-root-cert', {'root-cert.pem': own.certificate.pem}));
    mesh.cluster('c1').put(istiod());
    mesh.cluster('c1').put(injected('shop/cart'));
    const {code, result} = await pushJson('c1', '-y');
    expect(code).toBe(5);
    expect(result.clusters[0]?.refusals.map((refusal) => refusal.code)).toEqual(['ROOT_CHANGE', 'RESTART_NEEDED']);
  });

  it('nothing, if a running istiod loads a bundle with one more root', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    const env = {ISTIO_MULTIROOT_MESH: 'true'};
    running.push(await runIstiod(mesh.kube, mesh.cluster('c1'), before, {version: '1.30.1', env}));
    const both = `${before['root-cert.pem'] ?? ''}${(await tinyRoot()).certificate.pem}`;
    await mesh.writeCa('c1', {...before, 'root-cert.pem': both});
    const {code, result} = await pushJson('c1', '-y');
    expect([code, result.clusters[0]?.error?.code]).toEqual([0, undefined]);
  });

  it('nothing, if --restart-istiod restarts it in the same run', async () => {
    const before = textsOf(mesh.bundle('c1'));
    putCacerts(mesh.cluster('c1'), before);
    running.push(await runIstiod(mesh.kube, mesh.cluster('c1'), before, {version: '1.11.8'}));
    await mesh.renew('c1');
    const {code, result} = await pushJson('c1', '-y', '--restart-istiod');
    expect(code).toBe(0);
    expect(result.clusters[0]?.restarts).toEqual(['istiod']);
    expect(mesh.cluster('c1').get('Deployment', 'istio-system/istiod')).toMatchObject({
      spec: {template: {metadata: {annotations: {'kubectl.kubernetes.io/restartedAt': expect.any(String) as string}}}},
    });
  });

  it('a bundle that fails validation', async () => {
    const texts = textsOf(mesh.bundle('c1'));
    await mesh.writeCa('c1', {...texts, 'ca-key.pem': textsOf(mesh.bundle('c2'))['ca-key.pem']});
    const {code, result} = await pushJson('c1');
    expect(code).toBe(5);
    expect(result.clusters[0]?.error?.code).toBe('PUSH_REFUSED_INVALID_CA');
    const again = await pushJson('c1', '--allow-invalid-bundle');
    expect([again.code, again.result.clusters[0]?.error?.code]).toEqual([5, 'PUSH_REFUSED_INVALID_CA']);
    await mesh.writeCa('c1', {...texts, 'cert-chain.pem': texts['root-cert.pem'] ?? ''});
    expect((await pushJson('c1')).result.clusters[0]?.error?.code).toBe('PUSH_REFUSED_INVALID_CA');
    expect((await push('c1', '--allow-invalid-bundle')).code).toBe(0);
  });

  it('no fix of CAs that were pushed to the wrong clusters', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c2')));
    putCacerts(mesh.cluster('c2'), textsOf(mesh.bundle('c1')));
    expect((await push('-y')).code).toBe(0);
    for (const name of ['c1', 'c2'])
      expect(mesh.cluster(name).secretText('istio-system/cacerts')).toEqual(textsOf(mesh.bundle(name)));
  });

  it('the root key in the payload, regardless of flags', async () => {
    const root = await tinyRoot();
    const self = bundleOf(root, [root]);
    await writeFile(join(mesh.dir, 'root-cert.pem'), root.certificate.pem);
    await mesh.writeCa('c1', textsOf(self));
    const {code, result} = await pushJson('c1', '-y', '--allow-invalid-bundle', '--allow-root-change');
    expect(code).toBe(5);
    expect(result.clusters[0]?.error?.code).toBe('ROOT_KEY_IN_PAYLOAD');
    expect(mesh.cluster('c1').get('Secret', 'istio-system/cacerts')).toBeUndefined();
  });
});

describe('several clusters', () => {
  it('a change goes to one cluster first, is verified there, and only then goes to the rest', async () => {
    for (const name of ['c1', 'c2']) {
      putCacerts(mesh.cluster(name), textsOf(mesh.bundle(name)));
      running.push(await runIstiod(mesh.kube, mesh.cluster(name), textsOf(mesh.bundle(name))));
      await mesh.renew(name);
    }
    let provenBefore: boolean | undefined;
    mesh.cluster('c2').before({verb: 'update', name: 'cacerts'}, () => {
      const requests = mesh.cluster('c1').requests.map(({verb, resource}) => `${verb} ${resource}`);
      provenBefore = requests.lastIndexOf('list pods') > requests.lastIndexOf('update secrets');
    });
    const {code, result} = await pushJson('-y');
    expect(code).toBe(0);
    expect(outcomes(result)).toEqual(['c1 done', 'c2 done']);
    expect(provenBefore).toBe(true);
  });

  it('a failure stops further changes, and --keep-going continues', async () => {
    for (const name of ['c1', 'c2']) {
      putCacerts(mesh.cluster(name), textsOf(mesh.bundle(name)));
      await mesh.renew(name);
    }
    mesh.cluster('c1').fault({verb: 'update', name: 'cacerts'}, {status: 422, message: 'no'}, 2);
    const first = await pushJson('-y');
    expect(first.code).toBe(1);
    expect(outcomes(first.result)).toEqual(['c1 failed', 'c2 skipped']);
    expect(mesh.cluster('c2').writes).toEqual([]);
    const second = await pushJson('-y', '--keep-going');
    expect(outcomes(second.result)).toEqual(['c1 failed', 'c2 done']);
    const third = await pushJson('-y');
    expect(outcomes(third.result)).toEqual(['c1 done', 'c2 unchanged']);
  });
});

describe('lost responses', () => {
  it.each(['create', 'update'])('to a %s that was applied is a success', async (verb) => {
    if (verb === 'update') {
      putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
      await mesh.renew('c1');
    }
    mesh.cluster('c1').fault({verb, resource: 'secrets', name: 'cacerts'}, 'apply-and-drop');
    expect((await push('c1', '-y')).code).toBe(0);
    expect(mesh.cluster('c1').requests.filter((one) => one.verb === verb && one.name === 'cacerts')).toHaveLength(1);
  });

  it.each([
    [
      'that did not reach the API server is reported as such',
      'dial tcp 10.0.0.1:6443: connect: refused',
      'UNREACHABLE',
    ],
    ['without a visible effect is reported as uncertain', 'context deadline exceeded', 'WRITE_UNCERTAIN'],
  ])('a write %s, and done by the next run', async (_, text, code) => {
    mesh.cluster('c1').fault({verb: 'create', resource: 'secrets'}, {status: 502, text});
    const {result} = await pushJson('c1');
    expect(result.clusters[0]?.error?.code).toBe(code);
    expect(outcomes((await pushJson('c1')).result)).toEqual(['c1 done']);
  });

  it('a write with an unknown result is reported as uncertain', async () => {
    mesh.cluster('c1').fault({verb: 'create', resource: 'secrets'}, 'apply-and-drop');
    mesh.cluster('c1').before({verb: 'create', resource: 'secrets'}, () => {
      mesh.cluster('c1').fault({verb: 'get', name: 'cacerts'}, {status: 500, text: 'dial tcp: refused'}, 9);
    });
    const {code, result} = await pushJson('c1');
    expect(code).toBe(1);
    expect(result.clusters[0]?.error?.code).toBe('WRITE_UNCERTAIN');
  });
});

describe('permissions', () => {
  it.each([
    [{verb: 'get', resource: 'namespaces', name: 'kube-system'}, 'new'],
    [{verb: 'get', resource: 'secrets', name: 'cacerts'}, 'new'],
    [{verb: 'create', resource: 'namespaces'}, 'new'],
    [{verb: 'create', resource: 'secrets'}, 'new'],
    [{verb: 'list', resource: 'deployments'}, 'new'],
    [{verb: 'get', resource: 'configmaps'}, 'new'],
    [{verb: 'get', resource: 'secrets', name: 'istio-ca-secret'}, 'new'],
    [{verb: 'get', resource: 'secrets', name: 'cacerts-previous'}, 'renewed'],
    [{verb: 'update', resource: 'secrets'}, 'renewed'],
    [{verb: 'create', resource: 'secrets'}, 'renewed'],
    [{verb: 'list', resource: 'pods'}, 'other root'],
    [{verb: 'list', resource: 'namespaces'}, 'other root'],
    [{verb: 'delete', resource: 'secrets'}, 'immutable'],
  ])('without %j (%s) are named in the error', async (right, state) => {
    const cluster = mesh.cluster('c1');
    if (state !== 'new') {
      putCacerts(cluster, textsOf(mesh.bundle('c1')), state === 'immutable' ? {immutable: true} : {});
      await mesh.renew('c1', state === 'other root' ? await tinyRoot() : mesh.root);
    }
    cluster.deny(right);
    const {code, result} = await pushJson('c1', '-y');
    const [error] = result.clusters.map((one) => one.error);
    expect(error?.code).toBe('FORBIDDEN');
    expect(error?.message).toContain(right.verb);
    expect(error?.message).toContain(right.resource);
    // Without a write the result is unknown, after a write it is failed.
    expect(code).toBe(cluster.writes.length > 1 ? 1 : 4);
  });

  it('of an unreachable cluster are reported as such, and the other cluster is unchanged', async () => {
    mesh
      .cluster('c1')
      .fault({resource: '/version'}, {status: 500, text: 'dial tcp 127.0.0.1:1: connection refused'}, 9);
    const {code, result} = await pushJson();
    expect(code).toBe(4);
    expect(result.clusters[0]?.error?.code).toBe('UNREACHABLE');
    expect(mesh.cluster('c2').writes).toEqual([]);
  });
});

describe('dry run', () => {
  it('by the client writes nothing anywhere', async () => {
    const files = await readdir(mesh.dir);
    const {code, result} = await pushJson('--dry-run=client');
    expect(code).toBe(0);
    expect(result.dryRun).toBe('client');
    expect(result.clusters.map(({outcome, plan}) => `${outcome} ${plan ?? ''}`)).toEqual([
      'skipped create',
      'skipped create',
    ]);
    expect(mesh.cluster('c1').requests.filter(({method}) => method !== 'GET')).toEqual([]);
    expect(await readdir(mesh.dir)).toEqual(files);
  });

  it('of the server reports what cannot be validated while the namespace does not exist', async () => {
    const {code, result} = await pushJson('c1', '--dry-run=server');
    expect(code).toBe(0);
    expect(result.clusters[0]?.notValidated).toHaveLength(1);
    expect(mesh.cluster('c1').writes).toEqual([]);
    expect(
      mesh
        .cluster('c1')
        .requests.filter(({dryRun}) => dryRun)
        .map(({resource}) => resource),
    ).toEqual(['namespaces', 'secrets']);
  });

  it('of the server shows the message of an admission policy', async () => {
    mesh.cluster('c1').put(namespace('istio-system'));
    mesh
      .cluster('c1')
      .fault({verb: 'create', resource: 'secrets'}, {status: 400, message: 'admission webhook denied the request'});
    const {code, result} = await pushJson('c1', '--dry-run=server');
    expect(code).toBe(1);
    expect(result.clusters[0]?.error?.code).toBe('REJECTED');
  });

  it('with a refusal in its plan is refused', async () => {
    putCacerts(mesh.cluster('c1'), textsOf(mesh.bundle('c1')));
    mesh.cluster('c1').put(injected('shop/cart'));
    await mesh.renew('c1', await tinyRoot());
    expect((await push('c1', '--dry-run=client')).code).toBe(5);
  });
});

describe('the key in the work directory', () => {
  it('is deleted once the cluster has it, if mesh.yaml requires that', async () => {
    await startOver({yaml: 'trust:\n  keepClusterKeys: false\n'});
    expect((await push('c1')).code).toBe(0);
    expect(await readdir(join(mesh.dir, 'c1'))).not.toContain('ca-key.pem');
    const {code, result} = await pushJson('c1');
    expect([code, ...outcomes(result)]).toEqual([0, 'c1 unchanged']);
  });

  it('exists only in the Secret afterwards', async () => {
    const run = await push('-o', 'json');
    const body = textsOf(mesh.bundle('c1'))['ca-key.pem']?.split('\n')[1] ?? 'no key';
    const journal = await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8');
    const calls = JSON.stringify(mesh.kube.calls);
    for (const text of [run.stdout, run.stderr, journal, calls]) expect(text).not.toContain(body);
    expect(mesh.cluster('c1').secretText('istio-system/cacerts')['ca-key.pem']).toContain(body);
  });
});
