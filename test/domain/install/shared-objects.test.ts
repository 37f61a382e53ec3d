import {describe, expect, it} from 'vitest';
import {foreignOwners} from '../../../src/domain/install/installer.js';
import {liveDigest} from '../../../src/domain/install/live.js';
import {installerLabels, type Installation} from '../../../src/domain/install/ownership.js';
import {
  isWritten,
  sharedChanges,
  writtenComponents,
  type WrittenObjects,
} from '../../../src/domain/install/shared-objects.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import {changedObject, installedObjects, recordedObjects, releases} from '../../helpers/installed-objects.js';

const written = (revision: string, change: Partial<WrittenObjects> = {}): WrittenObjects => ({
  namespace: 'istio-system',
  revision,
  recorded: ['default', 'other'],
  components: ['Base', 'IngressGateways'],
  ...change,
});
const all = 'the base objects and ingress gateway of revision default';

describe('the shared components that a document writes', () => {
  const overlay = (components: unknown) => ({place: 'x', strip: 0, tree: {spec: {components}}});
  it.each([
    ['default', [], ['Base', 'IngressGateways']],
    ['unheard-of', [], ['Base', 'IngressGateways']],
    ['minimal', [], ['Base']],
    ['minimal', [overlay({ingressGateways: []})], ['Base', 'IngressGateways']],
    ['default', [overlay({cni: {enabled: true}}), overlay(undefined)], ['Base', 'Cni', 'IngressGateways']],
    ['ambient', [], ['Base', 'Cni', 'Ztunnel']],
    ['empty', [], []],
  ] as const)('of profile %s with overlays %j: %j', (profile, overlays, components) => {
    expect(writtenComponents({profile, overlays})).toEqual(components);
  });
});

describe.each(releases)('a second revision beside one of Istio %s', (version) => {
  const objects = installedObjects(version, {name: 'kubectl-mesh'});

  it('changes the base objects and the ingress gateway of the first', () => {
    const [change, ...more] = sharedChanges(objects, written('other'));
    expect(more).toEqual([]);
    expect(change?.what).toBe(all);
    expect(change?.versions.map(({text}) => text)).toEqual([version]);
    expect(sharedChanges(objects, written('default'))).toEqual([]);
  });

  it('does not change a gateway that it does not write', () => {
    const changes = sharedChanges(objects, written('other', {components: ['Base']}));
    expect(changes.map(({what}) => what)).toEqual(['the base objects of revision default']);
  });

  it('is refused by the owner of a shared gateway, not by one of another revision', () => {
    const foreign = installedObjects(version, {name: 'prod'});
    const own = foreignOwners(foreign, written('other', {recorded: ['other']}));
    expect(own.map(({object}) => object)).toEqual(['CustomResourceDefinition virtualservices.networking.istio.io']);
    const minimal = foreignOwners(
      foreign.filter(({kind}) => kind !== 'CustomResourceDefinition' && kind !== 'ServiceAccount'),
      written('other', {recorded: ['other'], components: ['Base']}),
    );
    expect(minimal).toEqual([]);
  });
});

it('names a control plane in another namespace', () => {
  const objects = installedObjects('1.31.0', {name: 'kubectl-mesh'});
  const [change] = sharedChanges(objects, written('default', {namespace: 'istio-b', components: ['Base']}));
  expect(change?.what).toBe('the base objects of the control plane in istio-system');
});

it('ignores what other versions left over', () => {
  const [crd] = installedObjects('1.20.8', {name: 'kubectl-mesh', revision: 'old'});
  if (!crd) throw new Error('no objects');
  const leftOver = changedObject(crd, {name: 'instances.config.istio.io'});
  const objects = [...installedObjects('1.31.0', {name: 'kubectl-mesh'}), leftOver];
  expect(sharedChanges(objects, written('default'))).toEqual([]);
});

describe('two revisions of a real istioctl 1.31', () => {
  const {defaultRevision, otherRevision} = recordedObjects();
  const installation = (revision: string): Installation => written(revision);

  it('share the base objects and the ingress gateway', () => {
    expect(sharedChanges(defaultRevision, written('other')).map(({what}) => what)).toEqual([all]);
    expect(sharedChanges(otherRevision, written('other'))).toEqual([]);
    expect(sharedChanges(otherRevision, written('default')).map(({what}) => what)).toEqual([
      'the base objects and ingress gateway of revision other',
    ]);
  });

  it('write their own objects, and none of the other', () => {
    const of = (revision: string) =>
      otherRevision.filter(({metadata}) => metadata.labels?.['istio.io/rev'] === revision);
    const others = of('other').filter((object) => !isWritten(object, written('other')));
    // A gateway's account and roles belong to the gateway: its Deployment and Service decide.
    expect(new Set(others.map(({kind}) => kind))).toEqual(new Set(['Role', 'RoleBinding', 'ServiceAccount']));
    expect(of('default').some((object) => isWritten(object, written('other')))).toBe(false);
  });

  it('take objects from the proof of the other', () => {
    expect(liveDigest(otherRevision, installation('default'))).not.toBe(
      liveDigest(defaultRevision, installation('default')),
    );
  });
});

it('proves that objects created without server-side apply are unchanged while controllers run', () => {
  const recorded = recordedObjects();
  const asOld = (objects: readonly KubeObject[]) =>
    objects.map((object) =>
      changedObject(object, {labels: {...object.metadata.labels, [installerLabels.version]: '1.7.8'}}),
    );
  const digest = liveDigest(asOld(recorded.createdByUpdate), written('default'));
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(liveDigest(asOld(recorded.later), written('default'))).toBe(digest);
});
