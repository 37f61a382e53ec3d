import {describe, expect, it} from 'vitest';
import {foreignOwner, foreignOwners} from '../../../src/domain/install/installer.js';
import type {Installation} from '../../../src/domain/install/ownership.js';
import type {WrittenObjects} from '../../../src/domain/install/shared-objects.js';
import {liveDigest, readRecord, recordObject} from '../../../src/domain/install/live.js';
import type {KubeObject, ObjectMeta} from '../../../src/domain/kube/object.js';

const installation: Installation = {namespace: 'istio-system', revision: 'default', recorded: []};
const written: WrittenObjects = {...installation, components: ['Base', 'IngressGateways'], defaultTag: true};
const digestOf = (objects: readonly KubeObject[]): string | undefined => liveDigest(objects, installation);

const ourLabels = {
  'install.operator.istio.io/owning-resource': 'kubectl-mesh',
  'operator.istio.io/managed': 'Reconcile',
  'operator.istio.io/component': 'Pilot',
  // istioctl renders Helm charts, so this label does not identify Helm.
  'app.kubernetes.io/managed-by': 'Helm',
  'istio.io/rev': 'default',
};
const applied = {manager: 'istio-operator', operation: 'Apply', time: '2026-01-01T00:00:00Z', fieldsV1: {'f:spec': {}}};

function object(kind: string, name: string, change: Partial<ObjectMeta> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      namespace: 'istio-system',
      uid: `uid-${name}`,
      labels: ourLabels,
      managedFields: [applied],
      ...change,
    },
  };
}

describe('foreignOwner', () => {
  const chart = {'install.operator.istio.io/owning-resource': 'unknown', 'operator.istio.io/component': 'Pilot'};
  it.each<[string, Partial<ObjectMeta>, string | undefined]>([
    ['ours', {}, undefined],
    ['ours, taken over from Helm', {annotations: {'meta.helm.sh/release-name': 'istiod'}}, undefined],
    ['Helm', {labels: chart, annotations: {'meta.helm.sh/release-name': 'istiod'}}, 'Helm release istiod'],
    [
      'Argo CD by annotation',
      {labels: chart, annotations: {'argocd.argoproj.io/tracking-id': 'mesh:apps/Deployment:x'}},
      'Argo CD application mesh',
    ],
    ['Argo CD by label', {labels: {...chart, 'argocd.argoproj.io/instance': 'mesh'}}, 'Argo CD application mesh'],
    ['Argo CD by field manager', {labels: chart, managedFields: [{manager: 'argocd-controller'}]}, 'Argo CD'],
    [
      'Argo CD that took ours back',
      {labels: {...chart, 'operator.istio.io/managed': 'Reconcile'}, managedFields: [{manager: 'argocd-controller'}]},
      'Argo CD',
    ],
    ['Flux', {labels: {...chart, 'helm.toolkit.fluxcd.io/name': 'istio'}}, 'Flux istio'],
    [
      'Sail',
      {labels: chart, ownerReferences: [{kind: 'IstioRevision', name: 'default', uid: 'u'}]},
      'IstioRevision default of the Sail operator',
    ],
    [
      'an unnamed document',
      {labels: {...ourLabels, 'install.operator.istio.io/owning-resource': 'unknown'}},
      'an unnamed IstioOperator document',
    ],
    [
      'another document',
      {labels: {...ourLabels, 'install.operator.istio.io/owning-resource': 'prod'}},
      'IstioOperator document prod',
    ],
    [
      'kubectl apply',
      {labels: chart, managedFields: [{manager: 'kubectl-client-side-apply'}]},
      'field manager kubectl-client-side-apply',
    ],
    ['an installer that leaves no trace', {labels: chart, managedFields: []}, 'an unknown installer'],
  ])('detects %s', (_what, metadata, owner) => {
    expect(foreignOwner(object('Deployment', 'istiod', metadata), installation)).toBe(owner);
  });

  it('considers only objects that our document also writes', () => {
    const other = {...ourLabels, 'install.operator.istio.io/owning-resource': 'eastwest'};
    const objects = [
      object('Deployment', 'istio-eastwestgateway', {
        labels: {...other, 'operator.istio.io/component': 'IngressGateways'},
      }),
      object('Deployment', 'istiod-1-29', {labels: {...other, 'istio.io/rev': '1-29'}}),
      object('ConfigMap', 'unrelated', {labels: {}}),
    ];
    expect(foreignOwners(objects, written)).toEqual([]);
    expect(foreignOwners(objects, {...written, revision: '1-29'})).toEqual([
      {owner: 'IstioOperator document eastwest', object: 'Deployment istiod-1-29'},
    ]);
  });

  it('reports each installer once', () => {
    const labels = {...ourLabels, 'install.operator.istio.io/owning-resource': 'prod'};
    const objects = ['a', 'b', 'c'].map((name) => object('Service', name, {labels}));
    expect(foreignOwners(objects, written)).toEqual([{owner: 'IstioOperator document prod', object: 'Service a'}]);
  });
});

describe('liveDigest', () => {
  const objects = [object('Deployment', 'istiod'), object('ConfigMap', 'istio')];
  const digest = digestOf(objects);

  it('does not depend on the order or on objects of other owners', () => {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf([...objects].reverse())).toBe(digest);
    expect(digestOf([...objects, object('Service', 'other', {labels: {}})])).toBe(digest);
  });

  it.each<[string, readonly KubeObject[]]>([
    ['an object was removed', objects.slice(1)],
    ['an object was added', [...objects, object('Service', 'istiod')]],
    ['an object was recreated', [object('Deployment', 'istiod', {uid: 'other'}), ...objects.slice(1)]],
    [
      'another manager took over a field',
      [object('Deployment', 'istiod', {managedFields: [{...applied, fieldsV1: {}}]}), ...objects.slice(1)],
    ],
    [
      'istioctl changed a field',
      [
        object('Deployment', 'istiod', {managedFields: [{...applied, time: '2027-01-01T00:00:00Z'}]}),
        ...objects.slice(1),
      ],
    ],
  ])('differs when %s', (_what, changed) => {
    expect(digestOf(changed)).not.toBe(digest);
  });

  it("ignores istiod's changes to its webhooks and changes by the autoscaler", () => {
    const webhook = (fields: object) =>
      object('ValidatingWebhookConfiguration', 'v', {managedFields: [{...applied, fieldsV1: fields}]});
    expect(digestOf([...objects, webhook({a: 1})])).toBe(digestOf([...objects, webhook({b: 2})]));
    const scaled = object('Deployment', 'istiod', {
      resourceVersion: '9',
      managedFields: [{manager: 'kube-controller-manager', operation: 'Update', time: 'now'}, applied],
    });
    expect(digestOf([scaled, ...objects.slice(1)])).toBe(digest);
  });

  it('covers objects that istioctl created or updated without server-side apply', () => {
    const updated = {...applied, manager: 'istioctl', operation: 'Update'};
    const update = (change: object) => [object('Deployment', 'istiod', {managedFields: [{...updated, ...change}]})];
    expect(digestOf(update({}))).toMatch(/^[0-9a-f]{64}$/);
    expect(digestOf(update({fieldsV1: {}}))).not.toBe(digestOf(update({})));
    expect(digestOf(update({time: '2027-01-01T00:00:00Z'}))).not.toBe(digestOf(update({})));
    expect(digestOf(update({fieldsV1: {...updated.fieldsV1, 'f:status': {}}}))).toBe(digestOf(update({})));
  });

  it('ignores what istioctl wrote by other means to an object that it has applied', () => {
    const tagged = object('Deployment', 'istiod', {
      managedFields: [applied, {manager: 'istioctl', operation: 'Update', time: 'later', fieldsV1: {}}],
    });
    expect(digestOf([tagged, ...objects.slice(1)])).toBe(digest);
  });

  it('covers revision tag default, but not which revision it points to', () => {
    const tag = (revision: string) => {
      const labels = {'istio.io/tag': 'default', 'istio.io/rev': revision};
      return object('MutatingWebhookConfiguration', 'istio-revision-tag-default', {labels});
    };
    const tagged = digestOf([...objects, tag('default')]);
    expect(tagged).not.toBe(digest);
    expect(digestOf([...objects, tag('canary')])).toBe(tagged);
    expect(digestOf([tag('default')])).toBeUndefined();
  });

  it('does not depend on objects of other revisions and namespaces', () => {
    const others = [
      object('Deployment', 'istiod-a', {labels: {...ourLabels, 'istio.io/rev': 'a'}}),
      object('ClusterRole', 'istiod-clusterrole-other', {
        labels: {...ourLabels, 'install.operator.istio.io/owning-resource-namespace': 'other'},
      }),
    ];
    expect(digestOf([...objects, ...others])).toBe(digest);
  });

  it('is undefined if nothing is installed or the API server records no field managers', () => {
    expect(digestOf([])).toBeUndefined();
    expect(digestOf([object('Deployment', 'istiod', {managedFields: []})])).toBeUndefined();
  });
});

describe('the install record', () => {
  const record = {installYaml: 'a', istioctl: '1.31.0', live: 'b'};

  it('is read back as written, and replaces the previous one', () => {
    const configMap = recordObject(
      record,
      {namespace: 'istio-system', revision: '1-31'},
      object('ConfigMap', 'x', {resourceVersion: '7'}),
    );
    expect(configMap.metadata).toMatchObject({name: 'kubectl-mesh-install-1-31', resourceVersion: '7'});
    expect(readRecord(configMap)).toEqual(record);
  });

  it.each([undefined, object('ConfigMap', 'x'), {...object('ConfigMap', 'x'), data: {installYaml: 'a'}}])(
    'is undefined for %j',
    (configMap) => {
      expect(readRecord(configMap)).toBeUndefined();
    },
  );
});
