/** What the real kubectl reads of an API server before it applies an object: the resources and the fields that it validates. */

/** The kinds that clients name here, in group "" version v1. */
const kinds = [
  {kind: 'Secret', plural: 'secrets'},
  {kind: 'ConfigMap', plural: 'configmaps'},
  {kind: 'ServiceAccount', plural: 'serviceaccounts'},
  {kind: 'Pod', plural: 'pods'},
] as const;

/** An answer with its media type: clients recognize aggregated discovery by it. */
export interface DiscoveryAnswer {
  readonly status: number;
  readonly body: object;
  readonly contentType?: string;
}

/** kubernetes/kubernetes staging/src/k8s.io/client-go/discovery/discovery_client.go, AcceptV2. */
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Answers a path that names no object. */
export function answerDiscovery(path: string): DiscoveryAnswer {
  switch (path) {
    case '/version':
      return {status: 200, body: {major: '1', minor: '34', gitVersion: 'v1.34.3'}};
    case '/api':
      return {status: 200, contentType: aggregated, body: groupList([coreGroup()])};
    case '/apis':
      return {status: 200, contentType: aggregated, body: groupList([])};
    case '/openapi/v3':
      return {status: 200, body: {paths: {'api/v1': {serverRelativeURL: '/openapi/v3/api/v1?hash=1'}}}};
    case '/openapi/v3/api/v1':
      return {status: 200, body: coreSchema()};
    default:
      return {status: 200, body: {}};
  }
}

function groupList(items: readonly object[]): object {
  return {kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items};
}

function coreGroup(): object {
  const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
  const resources = kinds.map(({kind, plural}) => ({
    resource: plural,
    responseKind: {group: '', version: 'v1', kind},
    scope: 'Namespaced',
    singularResource: kind.toLowerCase(),
    verbs,
  }));
  return {metadata: {name: null}, versions: [{version: 'v1', freshness: 'Current', resources}]};
}

/** A PATCH with the parameter `fieldValidation` is how kubectl recognizes that the server validates (kubectl/pkg/validation). */
function coreSchema(): object {
  const paths = kinds.map(({kind, plural}) => [
    `/api/v1/namespaces/{namespace}/${plural}/{name}`,
    {
      patch: {
        parameters: [{name: 'fieldValidation', in: 'query', schema: {type: 'string', uniqueItems: true}}],
        responses: {},
        'x-kubernetes-action': 'patch',
        'x-kubernetes-group-version-kind': {group: '', version: 'v1', kind},
      },
    },
  ]);
  return {
    openapi: '3.0.0',
    info: {title: 'Kubernetes', version: 'v1.34.3'},
    paths: Object.fromEntries(paths) as object,
  };
}
