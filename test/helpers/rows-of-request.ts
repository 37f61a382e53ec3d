/** Which rows of the table of requests a request of the fake API server is. */
import {rightOf} from '../../src/domain/facts/rights.js';
import {installedReads, reads, type Read} from '../../src/domain/facts/requests.js';
import type {FakeRequest} from './fake-kubectl/fake-cluster.js';

const rows: readonly (readonly [string, Read])[] = [
  ...Object.entries(reads),
  ...installedReads.map((row) => [`installed ${row.kind}`, row] as const),
];

/** The names of the rows; empty for a request that is not in the table. */
export function rowsOfRequest(request: FakeRequest, istioNamespace = 'istio-system'): readonly string[] {
  return rows
    .filter(([name, row]) => isOf(row, request, istioNamespace) || (name === 'discoverySecret' && isDiscovery(request)))
    .map(([name]) => name);
}

/** The names that link gives Secrets. */
function isDiscovery({verb, resource, namespace, name = ''}: FakeRequest): boolean {
  const isNamed = /^(?:istio-remote-secret|kubectl-mesh-(?:reader|token))-/.test(name);
  return verb === 'get' && resource === 'secrets' && namespace === 'istio-system' && isNamed;
}

function isOf(row: Read, {verb, resource, namespace, name, query}: FakeRequest, istioNamespace: string): boolean {
  if (row.method === 'raw') return verb === 'get' && resource === row.path;
  if (row.nameOf && !isDiscovery({verb, resource, namespace, name, query} as FakeRequest)) return false;
  const right = rightOf(row);
  if (row.method === 'forward' || right?.verb !== verb || right.resource !== resource) return false;
  const scopes = {
    'Istio namespace': namespace === istioNamespace,
    cluster: namespace === undefined,
    'given namespace': namespace !== undefined && namespace !== istioNamespace,
  };
  const given = new Set<string>(row.given);
  const fieldSelector = query.get('fieldSelector') ?? undefined;
  const ofName = /^metadata\.name=([^,]+)$/.exec(fieldSelector ?? '')?.[1];
  const own: {readonly labelSelector?: string; readonly fieldSelector?: string} = row.method === 'list' ? row : {};
  return (
    scopes[row.scope] &&
    (given.has('name') ? (name ?? ofName) !== undefined : (name ?? ofName) === row.name) &&
    (ofName !== undefined || fieldSelector === own.fieldSelector) &&
    (given.has('labelSelector') || (query.get('labelSelector') ?? undefined) === own.labelSelector)
  );
}
