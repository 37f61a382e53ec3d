/** `install apply` on the objects that each Istio version leaves: what it recognizes as unchanged, changed and foreign. */
import {describe, expect, it} from 'vitest';
import {sha256Hex} from '../../../src/domain/keys/keys.js';
import {MeshError} from '../../../src/domain/errors.js';
import {liveDigest, recordObject} from '../../../src/domain/install/live.js';
import {kubernetesRange} from '../../../src/domain/istio/kubernetes.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {KubeObject} from '../../../src/domain/kube/object.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import type {InstalledCluster} from '../../../src/observe/installed-cluster.js';
import {
  afterControllers,
  changedObject,
  installedObjects,
  type InstalledDocument,
  recordsName,
  releases,
  withEastWestGateway,
} from '../../helpers/installed-objects.js';
import {allActions} from '../certs/fixtures.js';
import {consent, factsOf, istiodOf, planOf, readyCluster, type RunChange} from './apply-facts.js';
import {planApply} from '../../../src/operations/install/plan-apply.js';
import {known} from '../../../src/domain/observed.js';

/** The plan for c1, as far as these tests compare it. */
interface Decision {
  readonly change: string | undefined;
  readonly blockers: readonly string[];
  readonly confirms: boolean;
}

const unchanged: Decision = {change: 'unchanged', blockers: [], confirms: false};
const repair: Decision = {change: 'repair', blockers: [], confirms: false};
const refused = (code: string, change = 'replace'): Decision => ({change, blockers: [code], confirms: true});

const ready = readyCluster('c1');

describe.each(releases.flatMap((version) => [undefined, 'canary-1'].map((revision) => ({version, revision}))))(
  'a second install apply of Istio $version, revision $revision',
  ({version, revision}) => {
    const document: InstalledDocument = {name: 'kubectl-mesh', ...(revision && {revision})};
    const place = {namespace: 'istio-system', revision: revision ?? 'default', recorded: [revision ?? 'default']};
    const own = installedObjects(version, document);
    const istiodName = revision === undefined ? 'istiod' : `istiod-${revision}`;

    const base: RunChange = {
      istioctl: version,
      ...(revision && {mesh: {yaml: `istio: {revisions: [${revision}]}\n`}}),
    };
    // Rendered once: only the cluster's state differs between the plans.
    const facts = factsOf(base);
    const [target] = facts.targets;
    const rendered = target?.rendering.rendered;
    if (!target || !rendered || rendered instanceof MeshError) throw new Error('nothing is rendered');
    const {text} = rendered;

    /** The cluster after our last run left `recorded`, with these objects now. */
    function live(
      now: readonly KubeObject[],
      recorded: readonly KubeObject[] | 'no record',
      applied: string,
    ): Partial<InstalledCluster> {
      const deployment = now.find(({kind, metadata}) => kind === 'Deployment' && metadata.name === istiodName);
      const {metadata} = deployment ?? {metadata: {}};
      const istiod = {...istiodOf(version), metadata: {...metadata, name: istiodName}} as DeploymentObject;
      const record = recorded !== 'no record' && {
        installYaml: sha256Hex(applied),
        istioctl: version,
        live: liveDigest(recorded, place) ?? '',
      };
      return {
        kubernetesMinor: kubernetesRange(resolveVersion(version).version).min,
        istiod: deployment ? istiod : undefined,
        installed: now,
        record: record ? recordObject(record, {namespace: 'istio-system', revision}, undefined) : undefined,
        recorded: record ? place.recorded : [],
      };
    }

    function decision(
      now: readonly KubeObject[],
      options: RunChange['options'] = {},
      recorded: readonly KubeObject[] | 'no record' = own,
      applied = text,
    ): Decision {
      const state = known({...ready, ...live(now, recorded, applied)});
      const plan = planApply({...facts, targets: target ? [{...target, live: state}] : []}, {...consent, ...options});
      return {
        change: plan.decided.get('c1')?.change,
        blockers: plan.blockers.map(({error}) => error.code),
        confirms: allActions(plan).some(({confirm}) => confirm !== undefined),
      };
    }

    const altered = (kind: string, name: string, change: Parameters<typeof changedObject>[1]) =>
      own.map((object) =>
        object.kind === kind && object.metadata.name === name ? changedObject(object, change) : object,
      );
    const takenOver = {
      labels: {
        'install.operator.istio.io/owning-resource': 'unknown',
        'operator.istio.io/component': 'IngressGateways',
        'istio.io/rev': place.revision,
      },
      annotations: {'meta.helm.sh/release-name': 'gateway'},
    };

    it('changes nothing, also after controllers and istiod have written to the objects', () => {
      expect(decision(own)).toEqual(unchanged);
      expect(decision(afterControllers(own))).toEqual(unchanged);
    });

    // Istio 1.6 and 1.7 have no such document.
    it.runIf(recordsName(version))(
      "neither repairs nor refuses what the document of Istio's east-west gateway wrote",
      () => {
        const objects = withEastWestGateway(version, own, document);
        expect(objects.length).toBeGreaterThan(own.length);
        expect(decision(objects)).toEqual(unchanged);
        expect(decision(objects, {}, own, 'another file')).toEqual({change: 'replace', blockers: [], confirms: true});
      },
    );

    it('repairs an object that was changed, recreated or removed', () => {
      const [fields] = own[0]?.metadata.managedFields ?? [];
      const lost = [
        {...fields, fieldsV1: {'f:metadata': {}}},
        {manager: 'kubectl-edit', operation: 'Update'},
      ];
      expect(decision(altered('Service', istiodName, {managedFields: lost}))).toEqual(repair);
      expect(decision(altered('ClusterRole', own[2]?.metadata.name ?? '', {uid: 'another'}))).toEqual(repair);
      const webhooks = own.filter(({kind}) => kind === 'MutatingWebhookConfiguration');
      for (const removed of [own[0], own.at(-1), ...webhooks]) {
        expect(decision(own.filter((object) => object !== removed))).toEqual(repair);
      }
    });

    it('refuses objects of another installer, and takes them over with --take-over', () => {
      const helm = altered('Deployment', 'istio-ingressgateway', takenOver);
      expect(decision(helm)).toEqual(refused('FOREIGN_OWNER'));
      expect(decision(helm, {takeOver: true})).toEqual({change: 'replace', blockers: [], confirms: true});
    });

    it.each([{name: 'prod'}, {name: 'installed-state-kubectl-mesh'}, {}])('refuses objects of document %j', (other) => {
      const others = installedObjects(version, {...other, ...(revision && {revision})});
      expect(decision(others, {}, 'no record')).toEqual(refused('FOREIGN_OWNER'));
      expect(decision(others, {takeOver: true}, 'no record')).toEqual({
        change: 'replace',
        blockers: [],
        confirms: true,
      });
      // Where istioctl does not record the name, the change of the objects is all there is to detect.
      const later = others.map((object) => changedObject(object, {uid: `new-${object.metadata.uid ?? ''}`}));
      expect(decision(later)).toEqual(recordsName(version) ? refused('FOREIGN_OWNER') : repair);
    });

    it('applies over a foreign owner with --take-over even if the objects are as recorded', () => {
      const leftOver = own
        .slice(-1)
        .map((object) => changedObject(object, {name: 'istio-ingressgateway', ...takenOver}))
        .map((object) => ({...object, kind: 'PodDisruptionBudget'}));
      const objects = [...own, ...leftOver];
      expect(decision(objects)).toEqual(unchanged);
      expect(decision(objects, {takeOver: true})).toEqual({change: 'replace', blockers: [], confirms: true});
    });
  },
);

describe('an upgrade', () => {
  it.each([
    ['1.7.8', '1.8.6'],
    ['1.18.7', '1.19.10'],
    ['1.23.6', '1.24.6'],
    ['1.31.0', '1.32.0'],
  ])('from Istio %s to %s is not refused for its own objects, and is unchanged afterwards', (from, to) => {
    const before = installedObjects(from, {name: 'kubectl-mesh'});
    const record = recordObject(
      {installYaml: 'x', istioctl: from, live: 'x'},
      {namespace: 'istio-system', revision: undefined},
      undefined,
    );
    const cluster = {istiod: istiodOf(from), installed: before, record, recorded: ['default']};
    const kubernetesMinor = kubernetesRange(resolveVersion(to).version).min;
    const plan = planOf({istioctl: to, options: {upgrade: true}, live: {...cluster, kubernetesMinor}});
    expect([plan.decided.get('c1')?.change, plan.blockers]).toEqual(['upgrade', []]);
    // istioctl writes the labels of its own version, and leaves the earlier field managers.
    const after = installedObjects(to, {name: 'kubectl-mesh'}).map((object) => {
      const earlier = before.find(({kind, metadata}) => kind === object.kind && metadata.name === object.metadata.name);
      const fields = [...(object.metadata.managedFields ?? []), ...(earlier?.metadata.managedFields ?? [])];
      return changedObject(object, {managedFields: fields});
    });
    const place = {namespace: 'istio-system', revision: 'default', recorded: ['default']};
    expect(liveDigest(after, place)).toMatch(/^[0-9a-f]{64}$/);
    expect(liveDigest(afterControllers(after), place)).toBe(liveDigest(after, place));
  });
});

describe('objects that revisions share', () => {
  const canary: RunChange = {istioctl: '1.31.0', mesh: {yaml: 'istio: {revisions: [default, other]}\n'}};
  const beside = (objects: readonly KubeObject[], change: RunChange = {}) => {
    const plan = planOf({...canary, ...change, live: {installed: objects, recorded: ['default']}});
    const run = allActions(plan).find(({kind}) => kind === 'run-istioctl');
    return {blockers: plan.blockers.map(({error}) => error.code), run};
  };

  it('are named in the plan, and confirmed', () => {
    const {blockers, run} = beside(installedObjects('1.31.0', {name: 'kubectl-mesh'}));
    expect(blockers).toEqual([]);
    const what = 'the base objects and ingress gateway of revision default';
    expect([run?.title, run?.confirm]).toEqual([expect.stringContaining(what), expect.stringContaining(what)]);
  });

  it('are installed without confirmation if no other revision has them', () => {
    expect(beside([]).run?.confirm).toBeUndefined();
  });

  it.each([
    ['1.30.3', {}, ['VERSION_CHANGE']],
    ['1.30.3', {upgrade: true}, []],
    ['1.32.0', {upgrade: true}, ['VERSION_CHANGE']],
    ['1.32.0', {forceVersion: true}, []],
    ['1.29.6', {upgrade: true}, ['VERSION_CHANGE']],
  ])('of version %s with %j: %j', (version, options, blockers) => {
    expect(beside(installedObjects(version, {name: 'kubectl-mesh'}), {options}).blockers).toEqual(blockers);
  });

  it('of another owner are refused without --take-over', () => {
    const objects = installedObjects('1.31.0', {name: 'prod'});
    expect(beside(objects).blockers).toEqual(['FOREIGN_OWNER']);
    const {blockers, run} = beside(objects, {options: {takeOver: true}});
    expect(blockers).toEqual([]);
    expect(run?.confirm).toContain('IstioOperator document prod');
  });

  it('are not changed by profile minimal', () => {
    const yaml = 'istio: {revisions: [default, other], profile: minimal}\n';
    const gateway = installedObjects('1.31.0', {name: 'prod'}).filter(
      ({metadata}) => metadata.labels?.['operator.istio.io/component'] === 'IngressGateways',
    );
    const {blockers, run} = beside(gateway, {mesh: {yaml}});
    expect([blockers, run?.confirm]).toEqual([[], undefined]);
  });
});
