import {describe, expect, it} from 'vitest';
import {foreignOwners} from '../../../src/domain/install/installer.js';
import {liveDigest} from '../../../src/domain/install/live.js';
import {installerLabels, type Installation} from '../../../src/domain/install/ownership.js';
import {
  isWritten,
  sharedChanges,
  writesDefaultTag,
  writtenComponents,
  type WrittenObjects,
} from '../../../src/domain/install/shared-objects.js';
import {parseVersion} from '../../../src/domain/istio/version.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import {changedObject, installedObjects, recordedObjects, releases} from '../../helpers/installed-objects.js';

const written = (revision: string, change: Partial<WrittenObjects> = {}): WrittenObjects => ({
  namespace: 'istio-system',
  revision,
  recorded: ['default', 'other'],
  components: ['Base', 'IngressGateways'],
  defaultTag: revision === 'default',
  ...change,
});
const all = 'the base objects and ingress gateway of revision default';

describe('the shared components that a document writes', () => {
  const overlay = (components: unknown) => ({place: 'x', strip: 0, tree: {spec: {components}}});
  it.each([
    ['default', [], ['Base', 'IngressGateways']],
    ['unheard-of', [], ['Base', 'IngressGateways']],
    ['minimal', [], ['Base']],
    ['minimal', [overlay({ingressGateways: []})], ['Base']],
    ['minimal', [overlay({ingressGateways: [{name: 'istio-ingressgateway'}]})], ['Base', 'IngressGateways']],
    ['default', [overlay({cni: {enabled: true}}), overlay(undefined)], ['Base', 'Cni', 'IngressGateways']],
    ['default', [overlay({cni: {enabled: false}})], ['Base', 'IngressGateways']],
    ['default', [overlay({ingressGateways: [{name: 'istio-ingressgateway', enabled: false}]})], ['Base']],
    ['default', [overlay({ingressGateways: [{name: 'other', enabled: false}]})], ['Base', 'IngressGateways']],
    ['demo', [overlay({egressGateways: [{name: 'istio-egressgateway', enabled: false}]})], ['Base', 'IngressGateways']],
    ['ambient', [], ['Base', 'Cni', 'Ztunnel']],
    ['ambient', [overlay({base: {enabled: false}})], ['Cni', 'Ztunnel']],
    ['empty', [], []],
  ] as const)('of profile %s with overlays %j: %j', (profile, overlays, components) => {
    expect(writtenComponents({profile, overlays})).toEqual(components);
  });
});

it.each([
  ['1.12', undefined, false],
  ['1.13', undefined, true],
  ['1.31.0', undefined, true],
  ['1.31.0', 'canary', false],
])('revision tag default is written by Istio %s with revision %s: %s', (text, revision, expected) => {
  const version = parseVersion(text);
  if (!version) throw new Error('no version');
  expect(writesDefaultTag({version, ...(revision && {revision})})).toBe(expected);
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

describe('revision tag default', () => {
  const pointedTo = (version: string, revision: string) =>
    installedObjects(version, {name: 'kubectl-mesh'}).map((object) => {
      const {labels = {}} = object.metadata;
      return labels[installerLabels.tag] === undefined
        ? object
        : changedObject(object, {labels: {...labels, [installerLabels.revision]: revision}});
    });
  const ofTag = 'the revision tag default of revision canary';

  it.each(['1.13.9', '1.16.7', '1.20.8', '1.24.6', '1.32.0'])(
    'of Istio %s is taken from another revision',
    (version) => {
      const objects = pointedTo(version, 'canary');
      expect(sharedChanges(objects, written('default')).map(({what}) => what)).toEqual([ofTag]);
      expect(sharedChanges(objects, written('default', {defaultTag: false}))).toEqual([]);
      expect(sharedChanges(pointedTo(version, 'default'), written('default'))).toEqual([]);
    },
  );

  it('is not changed by another revision', () => {
    const changes = sharedChanges(pointedTo('1.31.0', 'canary'), written('other'));
    expect(changes.map(({what}) => what)).toEqual([all]);
  });

  it('is refused if Helm owns it, also if it points to another revision', () => {
    const helm = {annotations: {'meta.helm.sh/release-name': 'istiod-canary'}, labels: {'istio.io/rev': 'canary'}};
    const [tag] = pointedTo('1.31.0', 'canary').filter(({metadata}) => metadata.name === 'istio-revision-tag-default');
    if (!tag) throw new Error('no tag');
    const labels = {[installerLabels.owner]: 'unknown', [installerLabels.tag]: 'default', ...helm.labels};
    const owned = changedObject(tag, {...helm, labels});
    expect(foreignOwners([owned], written('default')).map(({owner}) => owner)).toEqual(['Helm release istiod-canary']);
    expect(foreignOwners([owned], written('canary'))).toEqual([]);
  });

  it('is recognized as a real istioctl 1.31 points it to another revision', () => {
    const {tagMoved} = recordedObjects();
    expect(sharedChanges(tagMoved, written('default')).map(({what}) => what)).toEqual([`${ofTag}-1`]);
  });
});

it('names a control plane in another namespace', () => {
  const objects = installedObjects('1.31.0', {name: 'kubectl-mesh'});
  const [change] = sharedChanges(objects, written('default', {namespace: 'istio-b', components: ['Base']}));
  expect(change?.what).toBe('the base objects and revision tag default of the control plane in istio-system');
});

it('ignores what other versions left over', () => {
  const [crd] = installedObjects('1.20.8', {name: 'kubectl-mesh', revision: 'old'});
  if (!crd) throw new Error('no objects');
  const leftOver = changedObject(crd, {name: 'instances.config.istio.io'});
  const objects = [...installedObjects('1.31.0', {name: 'kubectl-mesh'}), leftOver];
  expect(sharedChanges(objects, written('default'))).toEqual([]);
});

it("ignores what Istio's east-west gateway writes to revision tag default (real istioctl 1.31)", () => {
  const {beforeGateway, afterGateway} = recordedObjects();
  const digest = liveDigest(beforeGateway, written('default'));
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(liveDigest(afterGateway, written('default'))).toBe(digest);
  const tags = afterGateway.filter(({metadata}) => metadata.labels?.['istio.io/tag'] === 'default');
  expect(tags.map(({metadata}) => metadata.labels?.[installerLabels.owner])).toEqual(Array(3).fill('eastwest'));
  expect(foreignOwners(afterGateway, written('default'))).toEqual([]);
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
