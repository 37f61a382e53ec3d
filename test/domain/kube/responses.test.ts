import {describe, expect, it} from 'vitest';
import type {KindRef} from '../../../src/domain/kube/kinds.js';
import {ListReader, type ListOptions, parseJson, readObject, readVersion} from '../../../src/domain/kube/responses.js';

const request = {verb: 'get', resource: 'things', context: 'ctx'} as const;
const unexpected = (place: string) =>
  expect.objectContaining({code: 'API_ERROR', message: expect.stringContaining(place) as string}) as Error;

const apiVersions: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  Gateway: 'gateway.networking.k8s.io/v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  RoleBinding: 'rbac.authorization.k8s.io/v1',
  MutatingWebhookConfiguration: 'admissionregistration.k8s.io/v1',
  SelfSubjectReview: 'authentication.k8s.io/v1',
};
const kindOf = (kind: string): KindRef => ({apiVersion: apiVersions[kind] ?? 'v1', kind});
const inIstioSystem = {name: 'x', namespace: 'istio-system'};

/** Reads an object as if it were the response to a get of itself. */
function read(kind: string, fields: object, metadata: object = {name: 'x'}): object {
  const ref = {...kindOf(kind), name: 'x', ...('namespace' in metadata && {namespace: 'istio-system'})};
  return readObject(request, ref, {...kindOf(kind), metadata, ...fields});
}

const deployment = {
  spec: {
    selector: {matchLabels: {app: 'istiod'}},
    template: {metadata: null, spec: {containers: [{name: 'discovery'}]}},
  },
};

describe('an object', () => {
  it.each<[string, object, object?]>([
    ['Secret', {data: {'ca-cert.pem': 'YQ==', empty: ''}}, inIstioSystem],
    ['Deployment', deployment, {...inIstioSystem, creationTimestamp: '2026-01-01T00:00:00Z'}],
    ['ClusterRole', {rules: [{verbs: ['get']}]}],
    ['MutatingWebhookConfiguration', {webhooks: [{name: 'x', clientConfig: {url: 'https://x'}}]}],
    ['Gateway', {spec: {listeners: [{port: 15_443, protocol: 'TLS'}]}}, inIstioSystem],
  ])('of kind %s with its fields is read, and keeps others', (kind, fields, metadata) => {
    expect(read(kind, {...fields, other: {a: [1]}}, metadata)).toMatchObject({other: {a: [1]}});
  });

  it('has no field that is null', () => {
    expect(read('ClusterRole', {rules: null}, {name: 'x', labels: null})).toEqual({
      ...kindOf('ClusterRole'),
      metadata: {name: 'x'},
    });
    expect(read('Deployment', deployment)).toMatchObject({spec: {template: {spec: {}}}});
  });

  it.each<[string, string, object, object?]>([
    ['Namespace', 'metadata', {metadata: undefined}],
    ['Namespace', 'metadata', {metadata: null}],
    ['Namespace', 'metadata', {metadata: []}],
    ['Namespace', 'metadata.name', {}, {}],
    ['Namespace', 'metadata.name', {}, {name: 'y'}],
    ['Namespace', 'metadata.name', {}, {name: 'a\u001b[2J'}],
    ['Namespace', 'metadata.name', {}, {name: '--kubeconfig=x'}],
    ['Namespace', 'metadata.namespace', {}, {name: 'x', namespace: 'y'}],
    ['Namespace', 'metadata.uid', {}, {name: 'x', uid: 7}],
    ['Namespace', 'metadata.labels', {}, {name: 'x', labels: ['a']}],
    ['Namespace', 'metadata.labels.a', {}, {name: 'x', labels: {a: 1}}],
    ['Namespace', 'metadata.labels.a', {}, {name: 'x', labels: {a: null}}],
    ['Namespace', 'metadata.deletionTimestamp', {}, {name: 'x', deletionTimestamp: 'yesterday'}],
    ['Namespace', 'metadata.creationTimestamp', {}, {name: 'x', creationTimestamp: '2026-02-30T00:00:00Z'}],
    ['Namespace', 'metadata.managedFields[0]', {}, {name: 'x', managedFields: [null]}],
    ['Namespace', 'metadata.ownerReferences[0].name', {}, {name: 'x', ownerReferences: [{kind: 'a', uid: 'b'}]}],
    ['Secret', 'data.ca-cert.pem', {data: {'ca-cert.pem': '-----BEGIN'}}],
    ['Secret', 'data.ca-cert.pem', {data: {'ca-cert.pem': 'YQ'}}],
    ['Secret', 'data', {data: 'YQ=='}],
    ['ConfigMap', 'data.mesh', {data: {mesh: {trustDomain: 'x'}}}],
    ['Deployment', 'spec', {spec: undefined}],
    ['Deployment', 'spec.selector', {spec: {template: deployment.spec.template}}],
    ['Deployment', 'spec.replicas', {spec: {...deployment.spec, replicas: '2'}}],
    ['Deployment', 'spec.replicas', {spec: {...deployment.spec, replicas: 2 ** 60}}],
    [
      'Deployment',
      'spec.template.spec.containers[0]',
      {spec: {...deployment.spec, template: {spec: {containers: [null]}}}},
    ],
    ['Deployment', 'status.readyReplicas', {...deployment, status: {readyReplicas: -1}}],
    ['Pod', 'status.conditions', {status: {conditions: {}}}],
    ['Service', 'spec.ports[0].port', {spec: {ports: [{port: 'http'}]}}],
    ['ClusterRole', 'rules[0].verbs', {rules: [{verbs: 'get'}]}],
    ['RoleBinding', 'roleRef', {subjects: []}],
    ['RoleBinding', 'subjects[0].kind', {roleRef: {kind: 'Role', name: 'a'}, subjects: [{kind: 'Robot', name: 'r'}]}],
    ['MutatingWebhookConfiguration', 'webhooks[0].clientConfig', {webhooks: [{name: 'x', clientConfig: 'x'}]}],
  ])('of kind %s with a wrong %s is unexpected: %j %j', (kind, place, fields, metadata) => {
    expect(() => read(kind, fields, metadata)).toThrow(unexpected(place));
  });

  it('of another kind is unexpected', () => {
    const secret = {...kindOf('Secret'), metadata: {name: 'x'}};
    expect(() => readObject(request, {...kindOf('ConfigMap'), name: 'x'}, secret)).toThrow(unexpected('ConfigMap'));
    expect(() => readObject(request, {apiVersion: 'apps/v1', kind: 'Secret', name: 'x'}, secret)).toThrow(
      unexpected('Secret'),
    );
  });

  it('is described without a value of it', () => {
    const secret = {data: {'ca-key.pem': 'needle-in-the-key'}};
    const thrown = (() => {
      try {
        return read('Secret', secret);
      } catch (error) {
        return error as Error;
      }
    })();
    expect(thrown).toBeInstanceOf(Error);
    expect(JSON.stringify([(thrown as Error).message, (thrown as Error).stack])).not.toContain('needle');
  });

  it('that is not stored has no name', () => {
    const ref = {...kindOf('SelfSubjectReview'), name: ''};
    const review = {
      ...kindOf('SelfSubjectReview'),
      metadata: {creationTimestamp: null},
      status: {userInfo: {username: 'u'}},
    };
    expect(readObject(request, ref, review)).toMatchObject({status: {userInfo: {username: 'u'}}});
  });

  it('does not change prototypes', () => {
    const body = parseJson(
      request,
      '{"apiVersion":"v1","kind":"ConfigMap","__proto__":{"a":"b"},"metadata":{"name":"x","labels":{"__proto__":"c"}},"data":{"__proto__":"d"}}',
    );
    const object = readObject(request, {...kindOf('ConfigMap'), name: 'x'}, body) as unknown as {
      data: object;
      a?: unknown;
    };
    expect([object.a, Object.getPrototypeOf(object.data)]).toEqual([undefined, Object.prototype]);
    expect(Object.hasOwn(Object.prototype, 'a')).toBe(false);
  });
});

describe('JSON', () => {
  it.each([
    ['', 'not JSON'],
    ['{"a":', 'not JSON'],
    ['\ufeff{}', 'not JSON'],
    ['<html>', 'not JSON'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'levels'],
    ['{"kind":"Status","status":"Success"}', 'a Status'],
    ['{"kind":"Status","message":"\\u001b[2Jno"}', 'a Status: no'],
  ])('%s is unexpected', (text, why) => {
    expect(() => parseJson(request, text)).toThrow(unexpected(why));
  });
});

describe('a list', () => {
  const kind = kindOf('ConfigMap');
  const reader = (options: ListOptions = {}): ListReader => new ListReader(request, kind, options);
  const page = (items: unknown, more: object = {}): object => ({kind: 'ConfigMapList', metadata: more, items});
  const item = (name: string, namespace = 'a'): object => ({metadata: {name, namespace}});

  it('has the items of all pages, with their kind and only the fields in use', () => {
    const list = reader();
    expect(list.add(page([{...item('x'), immutable: true}], {continue: 'more'}))).toEqual({next: 'more'});
    expect(list.add(page([item('x', 'b')], {resourceVersion: '7'}))).toEqual({
      list: {
        items: [
          {...kind, ...item('x')},
          {...kind, ...item('x', 'b')},
        ],
        metadata: {resourceVersion: '7'},
      },
    });
  });

  it('can be empty, also as Go writes a nil slice', () => {
    expect(reader().add(page(null))).toEqual({list: {items: [], metadata: {}}});
  });

  it.each<[string, unknown, ListOptions?]>([
    ['not an object', null],
    ['not an object', []],
    ['not an object', '<html>'],
    ['not a list', {items: [], metadata: {}}],
    ['not a list', {kind: 'ConfigMap', items: [], metadata: {}}],
    ['items', page({})],
    ['items', page(undefined)],
    ['metadata', {kind: 'ConfigMapList', items: []}],
    ['metadata.continue', page([], {continue: 7})],
    ['items[0]', page([null])],
    ['items[0].metadata', page([{}])],
    ['items[1].data', page([item('x'), {...item('y'), data: []}])],
    ['items[1].metadata.name', page([item('x'), item('x')])],
    ['items[0].metadata.namespace', page([item('x')]), {namespace: 'b'}],
    ['items[0].metadata.name', page([item('x')]), {fieldSelector: 'metadata.name=y'}],
    ['200000 objects', page(Array.from({length: 200_001}, () => ({})))],
  ])('is unexpected: %s', (why, body, options) => {
    expect(() => reader(options).add(body)).toThrow(unexpected(why));
  });

  it('of metadata ignores the other fields', () => {
    const list = reader({metadataOnly: true});
    expect(list.add(page([{...item('x'), data: []}]))).toMatchObject({list: {items: [item('x')]}});
  });

  it('ends if a continue token is repeated, or if tokens do not end', () => {
    const repeated = reader();
    repeated.add(page([], {continue: 'a'}));
    repeated.add(page([], {continue: 'b'}));
    expect(() => repeated.add(page([], {continue: 'a'}))).toThrow(unexpected('the same token'));
    const endless = reader();
    const addAll = (): void => {
      for (let number = 0; number < 10_000; number++) endless.add(page([], {continue: String(number)}));
    };
    expect(addAll).toThrow(unexpected('pages'));
  });

  it('of roles can have names that only RBAC permits', () => {
    const roles = new ListReader(request, kindOf('ClusterRole'), {});
    const named = (name: string): object => ({metadata: {name}});
    const body = {kind: 'ClusterRoleList', metadata: {}, items: [named('system:node'), named('A b')]};
    expect(roles.add(body)).toMatchObject({list: {items: [named('system:node'), named('A b')]}});
  });
});

describe('the version', () => {
  it.each([null, [], 'v1.34', {major: 1}, {gitVersion: {}}])('%j is unexpected', (body) => {
    expect(() => readVersion(request, body)).toThrow(unexpected('unexpected response'));
  });
});
