/** Clusters in which everything is as `verify` wants it, real TLS of istiod included; tests then spoil one thing. */
import {chmod, writeFile} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {createServer} from 'node:tls';
import Verify from '../../src/commands/verify.js';
import type {Row} from '../../src/domain/checks/report.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {createWorkspace} from '../../src/workspace/create.js';
import {configMap, namespace, type FakeCluster, type FakeObject} from './fake-kubectl/fake-cluster.js';
import {seconds, startFakeMonitor, type IstiodWords} from './fake-istiod.js';
import {linkAll} from './remote-secrets.js';
import {answerOf, runCommand} from './run-command.js';
import type {AsJson} from './suggestions.js';
import {bundleOf, tinyClusterCa, tinyLeaf, type TinyCa} from './tiny-ca.js';
import {istiod, pod, putCacerts, textsOf, trustMesh, type TrustMesh} from './trust-mesh.js';

/** Namespaces that must have the trust bundle. */
export const bundleNamespaces = ['default', 'istio-system', 'kube-system', 'shop'] as const;

/** One cluster of the mesh. */
export interface VerifiedCluster {
  readonly name: string;
  readonly kube: FakeCluster;
  readonly ca: TinyCa;
  /** What istiod presents from now on. */
  readonly present: (chain: readonly TinyCa[]) => void;
  /** What istiod says of itself: its metrics and the clusters it knows. */
  readonly says: IstiodWords;
  /** What istiod wrote into every namespace. */
  readonly publish: (bundle: string) => void;
}

/** A healthy mesh. */
export interface VerifiedMesh extends TrustMesh {
  readonly clusters: readonly VerifiedCluster[];
  one(name: string): VerifiedCluster;
}

/** Makes it. Cluster names `c1`, `c2`, …, contexts `ctx-c1`, …, mesh1, network1. */
export async function verifiedMesh(...names: readonly string[]): Promise<VerifiedMesh> {
  const mesh = await trustMesh(names);
  const servers: {close(): void}[] = [];
  const clusters = await Promise.all(
    names.map(async (name): Promise<VerifiedCluster> => {
      const kube = mesh.cluster(name);
      const ca = await tinyClusterCa(mesh.root, name);
      const bundle = bundleOf(ca, [mesh.root]);
      await mesh.writeCa(name, textsOf(bundle));
      await chmod(join(mesh.dir, name), 0o700);
      kube.put(namespace('istio-system', {'topology.istio.io/network': 'network1'}));
      kube.put(namespace('shop'));
      putCacerts(kube, textsOf(bundle));
      for (const object of controlPlane(name)) kube.put(object);
      const publish = (text: string): void => {
        for (const space of bundleNamespaces) kube.put(publishedBundle(space, text, bundleWrittenAt));
        for (const object of webhooksOf(text)) kube.put(object);
      };
      publish(bundle.rootCert);
      const leaf = await tinyLeaf(ca);
      const server = createServer(contextOf([leaf, ca, mesh.root]), (socket) => socket.on('error', () => undefined));
      servers.push(server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const ends = {
        rootEnd: seconds(mesh.root.certificate.notAfter),
        caEnd: seconds(ca.certificate.notAfter),
      };
      const others = names.filter((other) => other !== name);
      const monitor = await startFakeMonitor(name, ends, others);
      servers.push(monitor);
      kube.forwards['istiod-1'] = {'15012': (server.address() as AddressInfo).port, '15014': monitor.port};
      return {
        name,
        kube,
        ca,
        present: (chain) => {
          server.setSecureContext(contextOf(chain));
        },
        publish,
        says: monitor.says,
      };
    }),
  );
  linkAll(clusters);
  await writeFile(join(mesh.dir, 'mesh.yaml'), meshYaml(clusters));
  // The change that recorded the UIDs.
  const {journal} = createWorkspace({root: mesh.dir, now: () => new Date()});
  const intent = await journal.intent({command: 'trust push', action: 'declare', title: 'record the UIDs'});
  await journal.outcome({intent, status: 'done'});
  return {
    ...mesh,
    clusters,
    one(name) {
      const cluster = clusters.find((candidate) => candidate.name === name);
      if (!cluster) throw new Error(`no cluster ${name}`);
      return cluster;
    },
    async stop() {
      for (const server of servers) server.close();
      await mesh.stop();
    },
  };
}

/** What `verify -o json` reports about a mesh. */
export async function verifyJson({env}: Pick<VerifiedMesh, 'env'>, ...argv: readonly string[]): Promise<Verified> {
  const run = await runCommand(Verify, [...argv, '-o', 'json'], env);
  const result = answerOf(run) as AsJson<VerifyResult>;
  return {code: run.code, result, rows: result.checks, output: run.stdout + run.stderr};
}

/** A run of `verify`. */
export interface Verified {
  readonly code: number;
  readonly result: AsJson<VerifyResult>;
  readonly rows: readonly AsJson<Row>[];
  readonly output: string;
}

/** `MESH307 c1 c2 error` */
export function rowName({id, cluster, peer, result}: AsJson<Row>): string {
  return [id, cluster, peer, result].filter((word) => word !== undefined).join(' ');
}

/** The rows that a user has to look at: neither ok nor skipped, and not the consequence of another one. */
export function findingsIn(rows: readonly AsJson<Row>[]): readonly AsJson<Row>[] {
  return rows.filter(({result, impliedBy}) => result !== 'ok' && result !== 'skipped' && impliedBy === undefined);
}

function meshYaml(clusters: readonly VerifiedCluster[]): string {
  const list = clusters.map(
    ({name, kube}) => `  - name: ${name}\n    context: ctx-${name}\n    network: network1\n    uid: ${kube.uid}\n`,
  );
  return `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\nclusters:\n${list.join('')}`;
}

/** When istiod wrote its bundles: when the fake API server says that they were made, so the roots never changed. */
const bundleWrittenAt = '2026-01-01T00:00:00Z';

/** ConfigMap istio-ca-root-cert of a namespace, as istiod wrote it last at some time. */
export function publishedBundle(space: string, text: string, writtenAt: string): FakeObject {
  const object = configMap(`${space}/istio-ca-root-cert`, {'root-cert.pem': text});
  const fieldsV1 = {'f:data': {'.': {}, 'f:root-cert.pem': {}}};
  const managedFields = [{manager: 'istiod-1', operation: 'Update', time: writtenAt, fieldsV1}];
  return {...object, metadata: {...object.metadata, managedFields}};
}

/** The webhooks of istiod with a caBundle: the injector's, a revision tag's, and the validator's. */
export function webhooksOf(caBundle: string): readonly FakeObject[] {
  const object = (
    kind: string,
    name: string,
    labels: Record<string, string>,
    webhooks: readonly string[],
  ): FakeObject => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: {name, labels: {'istio.io/rev': 'default', ...labels}},
    webhooks: webhooks.map((webhook) => ({
      name: webhook,
      clientConfig: {
        service: {namespace: 'istio-system', name: 'istiod', port: 443},
        caBundle: Buffer.from(caBundle).toString('base64'),
      },
    })),
  });
  const injectors = ['rev.namespace.sidecar-injector.istio.io', 'rev.object.sidecar-injector.istio.io'];
  return [
    object('MutatingWebhookConfiguration', 'istio-sidecar-injector', {}, injectors),
    object('MutatingWebhookConfiguration', 'istio-revision-tag-prod', {'istio.io/tag': 'prod'}, injectors),
    object('ValidatingWebhookConfiguration', 'istio-validator-istio-system', {}, ['rev.validation.istio.io']),
  ];
}

/** What a TLS server presents. */
export function contextOf(chain: readonly TinyCa[]): {key: string; cert: string} {
  const [leaf] = chain;
  if (!leaf) throw new Error('a chain has a leaf');
  return {key: writePrivateKey(leaf.key).reveal(), cert: chain.map(({certificate}) => certificate.pem).join('')};
}

/** istiod and a gateway, with their pods and ConfigMaps. */
export function controlPlane(name: string): readonly FakeObject[] {
  const values = {global: {meshID: 'mesh1', network: 'network1', multiCluster: {clusterName: name}}};
  return [
    istiod('1.31.0', {CLUSTER_ID: name}),
    pod('istio-system/istiod-1', {}, {app: 'istiod'}),
    configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n'}),
    configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify(values)}),
    gateway(),
    pod('istio-system/gateway-1', {}, {istio: 'ingressgateway'}),
  ];
}

function gateway(): FakeObject {
  const container = {
    name: 'istio-proxy',
    image: 'proxyv2:1.31.0',
    env: [{name: 'ISTIO_META_NETWORK', value: 'network1'}],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'istio-ingressgateway',
      namespace: 'istio-system',
      labels: {'operator.istio.io/component': 'IngressGateways'},
    },
    spec: {
      replicas: 1,
      selector: {matchLabels: {istio: 'ingressgateway'}},
      template: {metadata: {}, spec: {containers: [container]}},
    },
  };
}
