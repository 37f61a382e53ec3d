/** What clusters of each Istio version return is read as that version means it: a healthy mesh raises no alarm. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {kubernetesRange} from '../../src/domain/istio/kubernetes.js';
import {newestKnown, oldestKnown} from '../../src/domain/istio/versions.js';
import {configMap, type FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {istiod} from '../helpers/trust-mesh.js';
import {
  findingsIn,
  rowName,
  verifiedMesh,
  verifyJson,
  type VerifiedCluster,
  type VerifiedMesh,
} from '../helpers/verify-mesh.js';

const minors = Array.from({length: newestKnown.minor - oldestKnown.minor + 1}, (_, index) => oldestKnown.minor + index);

let mesh: VerifiedMesh;
let ends: ReadonlyMap<string, number | undefined>;
let declaration: string;

beforeAll(async () => {
  mesh = await verifiedMesh('c1', 'c2');
  ends = new Map(mesh.clusters.map(({name, says}) => [name, says.caEnd]));
  declaration = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
});
afterAll(() => mesh.stop());

/** The gateway that meshNetworks of 1.6 and 1.7 names, as install.yaml of these versions makes it. */
const ingressGateway: FakeObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {name: 'istio-ingressgateway', namespace: 'istio-system'},
  spec: {type: 'LoadBalancer', selector: {istio: 'ingressgateway'}, ports: [{port: 443}, {port: 15443}]},
  status: {loadBalancer: {ingress: [{ip: '192.0.2.1'}]}},
};
const meshNetworks = `networks:
  network1:
    endpoints: [{fromRegistry: c1}, {fromRegistry: c2}]
    gateways: [{registryServiceName: istio-ingressgateway.istio-system.svc.cluster.local, port: 443}]
`;

/** Makes a cluster what 1.`minor` leaves behind. Versions with sources: test/domain/checks/healthy-versions.ts. */
function become({name, kube, says}: VerifiedCluster, minor: number): void {
  const version = `1.${String(minor)}.20`;
  const {min, last} = kubernetesRange({major: 1, minor});
  const max = last?.minor ?? Math.max(min, 34);
  kube.alter = ({resource}) =>
    resource === '/version'
      ? {
          status: 200,
          headers: {'content-type': 'application/json'},
          body: JSON.stringify({major: '1', minor: String(max), gitVersion: `v1.${String(max)}.0`}),
        }
      : undefined;
  kube.put(istiod(version, {CLUSTER_ID: name, ...(minor >= 10 && {ISTIO_MULTIROOT_MESH: 'true'})}));
  const networks = minor < 8 ? {meshNetworks} : {};
  kube.put(configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n', ...networks}));
  if (minor < 8) kube.put(ingressGateway);
  else kube.remove('Service', 'istio-system/istio-ingressgateway');
  if (minor < 21) kube.remove('ConfigMap', 'kube-system/istio-ca-root-cert');
  says.version = version;
  const end = ends.get(name);
  if (minor >= 7 && end !== undefined) says.caEnd = end;
  else delete says.caEnd;
  const read = says.clusters.filter(({secretName}) => secretName !== '');
  says.clusters = [...(minor < 22 ? [] : [{id: name, secretName: '', syncStatus: 'synced'}]), ...read];
  says.instead = minor < 11 ? {'/debug/clusterz': {status: 404, text: '404 page not found\n'}} : {};
}

/** `verify` of both clusters with this version: what a user has to look at, and how much is ok. */
async function verifyAs(minor: number): Promise<{readonly findings: readonly string[]; readonly ok: number}> {
  for (const cluster of mesh.clusters) {
    // Bundles are written to every namespace, then taken away where this version writes none.
    cluster.publish(mesh.root.certificate.pem);
    become(cluster, minor);
  }
  await writeFile(join(mesh.dir, 'mesh.yaml'), `${declaration}istio:\n  version: "1.${String(minor)}"\n`);
  return findingsOf();
}

async function findingsOf(): Promise<{readonly findings: readonly string[]; readonly ok: number}> {
  const {rows} = await verifyJson(mesh);
  return {findings: findingsIn(rows).map(rowName), ok: rows.filter(({result}) => result === 'ok').length};
}

describe('a healthy mesh', () => {
  it.each(minors)('of Istio 1.%i raises no alarm', async (minor) => {
    const {findings, ok} = await verifyAs(minor);
    expect(findings).toEqual([]);
    expect(ok).toBeGreaterThan(60);
  });

  it('of Istio 1.21 or later raises one if it is as 1.20 leaves it', async () => {
    await verifyAs(20);
    for (const {name, kube} of mesh.clusters) kube.put(istiod('1.21.0', {CLUSTER_ID: name}));
    const {findings} = await findingsOf();
    expect(findings).toEqual(expect.arrayContaining(['MESH302 c1 error', 'MESH302 c2 error']));
  });
});
