/** Every request with which a command reads a cluster is a row of the table that determines permissions and flags. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import AccessShow from '../../src/commands/access/show.js';
import CertsAdopt from '../../src/commands/certs/adopt.js';
import CertsList from '../../src/commands/certs/list.js';
import InstallApply from '../../src/commands/install/apply.js';
import InstallRender from '../../src/commands/install/render.js';
import JournalVerify from '../../src/commands/journal/verify.js';
import Link from '../../src/commands/link.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import TrustRollback from '../../src/commands/trust/rollback.js';
import TrustRotateClusterCa from '../../src/commands/trust/rotate/cluster-ca.js';
import Unlink from '../../src/commands/unlink.js';
import Verify from '../../src/commands/verify.js';
import {rightsOfRole, type RoleOptions} from '../../src/domain/access/command-rights.js';
import {installedReads, reads, type Read} from '../../src/domain/facts/requests.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {secret, type FakeRequest} from '../helpers/fake-kubectl/fake-cluster.js';
import {rowsOfRequest} from '../helpers/rows-of-request.js';
import {runCommand, type CommandClass} from '../helpers/run-command.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {textsOf} from '../helpers/trust-mesh.js';
import {meshOfNetworks} from '../helpers/verify-networks.js';
import type {VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
let istioctl: FakeIstioctl;
const sent: FakeRequest[] = [];

beforeAll(async () => {
  mesh = await meshOfNetworks();
  istioctl = await startFakeIstioctl(mesh.kube.bin);
  await runCommand(InstallRender, [], mesh.env);
  // Both kinds of Gateway are served.
  for (const group of ['networking.istio.io', 'gateway.networking.k8s.io']) {
    mesh.one('c1').kube.put({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: {name: `gateways.${group}`},
      spec: {versions: [{name: 'v1', served: true}]},
    });
  }
  mesh.one('c1').kube.put(secret('istio-system/cacerts-previous', textsOf(mesh.bundle('c1'))));
});
afterAll(async () => {
  await istioctl.stop();
  await mesh.stop();
});

/** The read requests of a run, for both clusters. */
async function requestsOf(command: CommandClass, argv: readonly string[]): Promise<readonly FakeRequest[]> {
  const clusters = ['c1', 'c2'].map((name) => mesh.one(name).kube);
  for (const {requests} of clusters) requests.splice(0);
  await runCommand(command, argv, mesh.env);
  const requests = clusters.flatMap((cluster) => cluster.requests).filter(({method}) => method === 'GET');
  sent.push(...requests);
  return requests;
}

const reader: RoleOptions = {
  level: 'reader',
  namespace: 'istio-system',
  clusters: [{name: 'c1'}, {name: 'c2'}],
  revisions: [],
  profile: 'default',
  limits: {access: false},
};
const operator: RoleOptions = {...reader, level: 'operator'};

/** Each command with its role in `access role`. */
const commands: readonly (readonly [string, CommandClass, readonly string[], RoleOptions])[] = [
  ['verify', Verify, [], reader],
  ['verify --no-secrets', Verify, ['--no-secrets'], {...reader, limits: {noSecrets: true}}],
  ['verify --access', Verify, ['--access'], {...reader, limits: {access: true}}],
  ['verify --wait', Verify, ['--wait', '--timeout', '2s'], reader],
  ['certs list --live', CertsList, ['--live'], reader],
  ['certs list --live --no-secrets', CertsList, ['--live', '--no-secrets'], {...reader, limits: {noSecrets: true}}],
  ['access show', AccessShow, [], {...reader, limits: {access: true}}],
  ['trust diff', TrustDiff, [], reader],
  ['trust push --restart-istiod', TrustPush, ['--dry-run', '--restart-istiod'], operator],
  ['trust rollback', TrustRollback, ['c1', '--dry-run'], operator],
  ['trust rotate cluster-ca', TrustRotateClusterCa, ['--dry-run'], operator],
  ['install apply', InstallApply, ['--dry-run'], {...reader, level: 'installer'}],
  ['link', Link, ['--dry-run'], operator],
  ['link --renew-only', Link, ['--dry-run', '--renew-only'], {...reader, level: 'renewer'}],
  // Without the right to list Secrets it reads those that link names.
  ['unlink', Unlink, ['c2', '--dry-run'], {...operator, limits: {access: true}}],
  ['certs adopt', CertsAdopt, ['c1=ctx-c1', 'c2=ctx-c2', '--dry-run'], reader],
  ['journal verify', JournalVerify, [], reader],
  ['journal verify --no-secrets', JournalVerify, ['--no-secrets'], {...reader, limits: {noSecrets: true}}],
];

/** Whether a role allows a request. */
function allows(role: RoleOptions, {verb, resource, namespace, name, query}: FakeRequest): boolean {
  const object = name ?? /^metadata\.name=([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
  return rightsOfRole(role).some(
    ({verbs, resources, names, where}) =>
      verbs.includes(verb) &&
      resources.includes(resource) &&
      (names === undefined || (object !== undefined && names.includes(object))) &&
      (where === 'everywhere' || namespace === role.namespace),
  );
}

describe('requests to a cluster', () => {
  it.each(commands)("are in the table, and allowed by the command's role: %s", async (_, command, argv, role) => {
    const requests = await requestsOf(command, argv);
    expect(requests.length).toBeGreaterThan(0);
    const others = requests.filter((request) => rowsOfRequest(request).length === 0);
    expect(others.map(({verb, url}) => `${verb} ${url}`)).toEqual([]);
    // Every authenticated user may read /version.
    const refused = requests.filter((request) => request.resource !== '/version' && !allows(role, request));
    expect(refused.map(({verb, url}) => `${verb} ${url}`)).toEqual([]);
  });

  it('are in the table if a root of live workloads would be removed', async () => {
    await mesh.renew('c1', await tinyRoot());
    const requests = await requestsOf(TrustPush, ['c1', '--dry-run']);
    expect(requests.flatMap((request) => rowsOfRequest(request))).toContain('allPods');
    expect(requests.filter((request) => rowsOfRequest(request).length === 0)).toEqual([]);
  });

  it('use every row', () => {
    const used = new Set(sent.flatMap((request) => rowsOfRequest(request)));
    const rows = Object.entries<Read>(reads).filter(([, {method}]) => !['forward', 'review'].includes(method));
    expect(rows.map(([name]) => name).filter((name) => !used.has(name))).toEqual([
      // For meshes with another Secret than cacerts, recently changed roots, gateways outside the Istio namespace,
      // Istio 1.7, many clusters (as remoteSecrets), services with sidecars, and an address in mesh.yaml without its CA.
      'mountedCa',
      'livingPods',
      'gatewayPods',
      'gatewayService',
      'exposedService',
      'listedRemoteSecrets',
      'apiServerCa',
    ]);
    expect(installedReads.filter(({kind}) => !used.has(`installed ${kind}`))).toEqual([]);
  });

  it.each([
    ['every Secret', 'list', 'secrets', '/api/v1/namespaces/istio-system/secrets'],
    ['another Secret', 'get', 'secrets', '/api/v1/namespaces/istio-system/secrets/other'],
    ['the Secrets of all namespaces', 'list', 'secrets', '/api/v1/secrets?labelSelector=istio%2FmultiCluster%3Dtrue'],
    ['the nodes', 'list', 'nodes', '/api/v1/nodes'],
  ])('cannot be %s', (_, verb, resource, url) => {
    const [, namespace, name] = /namespaces\/([^/]+)\/[^/]+(?:\/([^/]+))?$/.exec(url) ?? [];
    const {searchParams: query} = new URL(url, 'https://cluster');
    const request = {method: 'GET', url, verb, resource, dryRun: false, query, body: undefined};
    const place = {...(namespace !== undefined && {namespace}), ...(name !== undefined && {name})};
    expect(rowsOfRequest({...request, ...place})).toEqual([]);
  });
});
