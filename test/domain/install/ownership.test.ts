import {describe, expect, it} from 'vitest';
import {foreignOwner} from '../../../src/domain/install/installer.js';
import {
  defaultTagDocuments,
  installerLabels,
  isDefaultTag,
  isOurs,
  isUnownedTag,
  ownerDocument,
  ownerForms,
  type OwnerDocument,
} from '../../../src/domain/install/ownership.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import {
  changedObject,
  installedObjects,
  recordedObjects,
  recordsName,
  releases,
  withEastWestGateway,
} from '../../helpers/installed-objects.js';

const none = {recorded: []};
const revisions = [undefined, 'canary', '1-20'] as const;

function labelled(version: string | undefined, owner: string | undefined, revision?: string): KubeObject {
  const labels = {
    [installerLabels.managed]: 'Reconcile',
    ...(version === undefined ? {} : {[installerLabels.version]: version}),
    ...(owner === undefined ? {} : {[installerLabels.owner]: owner}),
    ...(revision === undefined ? {} : {[installerLabels.revision]: revision}),
  };
  return {apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'istiod', labels}};
}

describe('the document of an object', () => {
  const rows = (document: OwnerDocument['document'], version: string, owner: string | undefined, revision?: string) =>
    [version, owner, revision, document] as const;
  it.each([
    rows('unrecorded', '1.7.8', 'installed-state'),
    rows('unrecorded', '1.7.8', 'installed-state-kubectl-mesh'),
    rows({name: 'kubectl-mesh'}, '1.8.6', 'kubectl-mesh', 'default'),
    rows({name: 'installed-state'}, '1.18.7', 'installed-state', 'default'),
    rows('unnamed', '1.18.7', 'unknown', 'default'),
    rows('unnamed', '1.18.7', undefined, 'default'),
    rows({name: 'kubectl-mesh'}, '1.19.0', 'installed-state-kubectl-mesh', 'default'),
    rows({name: 'kubectl-mesh'}, '1.23.6', 'installed-state-kubectl-mesh-1-20', '1-20'),
    rows({name: 'kubectl-mesh-1'}, '1.23.6', 'installed-state-kubectl-mesh-1-20', '20'),
    rows({name: 'kubectl-mesh-1-20'}, '1.23.6', 'installed-state-kubectl-mesh-1-20', 'default'),
    rows({name: 'installed-state-kubectl-mesh'}, '1.20.8', 'installed-state-installed-state-kubectl-mesh', 'default'),
    rows('unnamed', '1.20.8', 'installed-state', 'default'),
    rows('unnamed', '1.20.8', 'installed-state-canary', 'canary'),
    rows({name: 'installed-state-kubectl-mesh'}, '1.24.0', 'installed-state-kubectl-mesh', 'default'),
    rows({name: 'kubectl-mesh'}, '1.32.0', 'kubectl-mesh', 'canary'),
    rows({name: 'installed-state-kubectl-mesh'}, 'unknown', 'installed-state-kubectl-mesh', 'default'),
  ])('of Istio %s with owner %s, revision %s: %j', (version, owner, revision, document) => {
    expect(ownerDocument(labelled(version, owner, revision))?.document).toEqual(document);
  });

  it.each([
    ['installed-state', 'default'],
    ['installed-state-canary', 'canary'],
  ])('of 1.7 has the revision of its owner %s if it has no label', (owner, revision) => {
    expect(ownerDocument(labelled('1.7.8', owner))?.revision).toBe(revision);
  });

  it('is absent if istioctl did not install the object', () => {
    const chart = {[installerLabels.owner]: 'unknown', [installerLabels.revision]: 'default'};
    const object = changedObject(labelled('1.31.0', 'unknown'), {labels: chart});
    expect(ownerDocument(object)).toBeUndefined();
  });

  it('has a source for every form', () => {
    for (const {source} of [...ownerForms, ...defaultTagDocuments]) expect(source).toMatch(/^\d.*:operator\//);
  });
});

describe.each(releases)('objects of Istio %s', (version) => {
  const isDocumented = recordsName(version);
  const owned = (objects: readonly KubeObject[]) => objects.filter((object) => !isUnownedTag(object));
  const documented = (objects: readonly KubeObject[]) => objects.filter((object) => ownerDocument(object));
  const owners = (objects: readonly KubeObject[], recorded: readonly string[] = []) =>
    new Set(objects.map((object) => foreignOwner(object, {recorded})));

  it.each(revisions)('are ours if our document installed them as revision %s', (revision) => {
    const recorded = [revision ?? 'default'];
    const objects = installedObjects(version, {name: 'kubectl-mesh', ...(revision && {revision})});
    expect(documented(objects).map((object) => isOurs(object, {recorded}))).not.toContain(false);
    expect(owners(objects, recorded)).toEqual(new Set([undefined]));
  });

  it.each(revisions.flatMap((revision) => ['prod', 'installed-state-kubectl-mesh'].map((name) => ({name, revision}))))(
    'are foreign if document $name installed them as revision $revision',
    ({name, revision}) => {
      const objects = installedObjects(version, {name, ...(revision && {revision})});
      expect(objects.map((object) => isOurs(object, none))).not.toContain(true);
      const [owner, ...more] = owners(owned(objects));
      expect(more).toEqual([]);
      expect(owner).toContain(isDocumented ? `IstioOperator document ${name}` : 'unknown name');
    },
  );

  it.each(revisions)('are foreign if a document without a name installed them as revision %s', (revision) => {
    const objects = installedObjects(version, {...(revision && {revision})});
    expect(owners(owned(objects)).has(undefined)).toBe(false);
  });

  it('are ours without a record only where istioctl records the name', () => {
    const objects = owned(installedObjects(version, {name: 'kubectl-mesh'}));
    expect(new Set(objects.map((object) => isOurs(object, none)))).toEqual(new Set([isDocumented]));
    expect(new Set(objects.map((object) => isOurs(object, {recorded: ['canary']})))).toEqual(new Set([isDocumented]));
  });
});

describe("the objects of revision tag default after Istio's east-west gateway was installed", () => {
  const afterGateway = (version: string) =>
    withEastWestGateway(version, installedObjects(version, {name: 'kubectl-mesh'})).filter(isDefaultTag);
  const ofGateway = (version: string, change: Partial<KubeObject['metadata']> = {}) =>
    installedObjects(version, {name: 'eastwest'})
      .filter(isDefaultTag)
      .map((object) => changedObject(object, change));

  it.each(releases)('are not foreign in Istio %s', (version) => {
    expect(afterGateway(version).map((object) => foreignOwner(object, none))).not.toContainEqual(expect.anything());
  });

  it.each([
    ['1.19.10', 'IstioOperator document eastwest'],
    ['1.23.6', 'IstioOperator document eastwest'],
    ['1.24.6', undefined],
    ['1.31.0', undefined],
    ['1.32.0', undefined],
  ])('are those of Istio %s with an istiod in the document of %s', (version, owner) => {
    const objects = ofGateway(version);
    expect(objects).toHaveLength(2);
    expect(new Set(objects.map((object) => foreignOwner(object, none)))).toEqual(new Set([owner]));
  });

  it.each([
    ['Helm release istiod', {annotations: {'meta.helm.sh/release-name': 'istiod'}}],
    ['Argo CD', {managedFields: [{manager: 'argocd-controller'}]}],
  ])('are foreign if they are managed by %s', (owner, change) => {
    expect(new Set(ofGateway('1.31.0', change).map((object) => foreignOwner(object, none)))).toEqual(new Set([owner]));
  });

  it.each(['unknown', 'latest'])('count as those of the newest version if istioctl is a build %s', (version) => {
    const objects = ofGateway('1.31.0').map((object) => {
      return changedObject(object, {labels: {...object.metadata.labels, [installerLabels.version]: version}});
    });
    expect(objects.map(isUnownedTag)).toEqual([true, true]);
  });

  it('are not those of another tag', () => {
    const objects = ofGateway('1.31.0').map((object) => {
      return changedObject(object, {labels: {...object.metadata.labels, [installerLabels.tag]: 'prod'}});
    });
    expect(objects.map(isUnownedTag)).toEqual([false, false]);
  });
});

describe('a webhook of a revision tag without an owner', () => {
  const [tag] = installedObjects('1.16.7', {name: 'kubectl-mesh'}).filter(isUnownedTag);
  if (!tag) throw new Error('no tag');

  it('is neither ours nor foreign, also without field managers', () => {
    const objects = [tag, changedObject(tag, {managedFields: []})];
    expect(objects.map((object) => [isOurs(object, none), foreignOwner(object, none)])).toEqual([
      [false, undefined],
      [false, undefined],
    ]);
  });

  it.each([
    ['Helm', {annotations: {'meta.helm.sh/release-name': 'tags'}}, 'Helm release tags'],
    ['kubectl', {managedFields: [{manager: 'kubectl'}]}, 'field manager kubectl'],
  ])('is foreign if %s applied it', (_who, change, owner) => {
    expect(foreignOwner(changedObject(tag, change), none)).toBe(owner);
  });
});

it('recognizes every object of a real istioctl 1.31', () => {
  const {defaultRevision, otherRevision} = recordedObjects();
  const all = [...defaultRevision, ...otherRevision];
  expect(all.length).toBeGreaterThan(50);
  expect(new Set(all.map((object) => foreignOwner(object, none)))).toEqual(new Set([undefined]));
});
