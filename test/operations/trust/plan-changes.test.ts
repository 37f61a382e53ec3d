import {describe, expect, it} from 'vitest';
import {networkLabel} from '../../../src/domain/istio/names.js';
import {formatHead, seal} from '../../../src/domain/journal/chain.js';
import type {JournalContent} from '../../../src/domain/journal/head.js';
import {known, type Observed} from '../../../src/domain/observed.js';
import {annotations, dataOfFiles} from '../../../src/domain/trust/cacerts.js';
import {secretOf, type TrustObservation} from '../../../src/domain/trust/cluster-trust.js';
import type {PushTarget} from '../../../src/domain/trust/plan-push.js';
import type {Action} from '../../../src/engine/action.js';
import type {TrustTarget} from '../../../src/operations/trust/actions.js';
import {decideAll, planChanges, type TrustFacts, type TrustRules} from '../../../src/operations/trust/plan-changes.js';
import {hintTexts} from '../../helpers/suggestions.js';
import {bundleOf} from '../../helpers/tiny-ca.js';
import {
  emptyCluster,
  filesOf,
  issued,
  type IssuedCa,
  observedIstiod,
  observedNamespace,
  otherRoot,
  own,
  pemOf,
  root,
  runningWith,
  secretTexts,
  secretWith,
  tlsTexts,
  unknownFact,
} from '../../domain/trust/seen.js';
import {actionInShort, allActions, loadedMesh} from '../certs/fixtures.js';

const names = ['c1', 'c2', 'c3'] as const;
type Name = (typeof names)[number];

/** For each cluster the live CA, and the one in the work directory. */
const [live, renewed] = await Promise.all([castOf(), castOf()]);
const nowhere = await issued('elsewhere');

async function castOf(): Promise<Record<Name, IssuedCa>> {
  const [c1, c2, c3] = await Promise.all([issued('c1'), issued('c2'), issued('c3')]);
  return {c1, c2, c3};
}

/** mesh.yaml with each cluster's UID; `uids`: other recorded ones. */
function meshOf(uids: Partial<Record<Name, string | undefined>> = {}): TrustFacts['loaded'] {
  const recorded = {c1: 'uid-c1', c2: 'uid-c2', c3: 'uid-c3', ...uids};
  const clusters = names.map((name) => {
    const uid = recorded[name];
    return `  - {name: ${name}, context: ctx-${name}${uid === undefined ? '' : `, uid: ${uid}`}}\n`;
  });
  return loadedMesh(`apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\nclusters:\n${clusters.join('')}`);
}

/** One cluster of the run. */
interface ClusterChange {
  readonly seen?: Observed<TrustObservation>;
  readonly target?: Partial<PushTarget>;
  readonly order?: TrustTarget['order'];
  readonly removesKey?: boolean;
}

/** A cluster that by default gets its renewed CA. */
function targetOf(name: Name, {seen, target, order = 'keep-first', removesKey = false}: ClusterChange): TrustTarget {
  const wanted = {cluster: name, namespace: 'istio-system', own: own(renewed[name]), what: `${name}/ca-cert.pem`};
  return {
    trust: {
      cluster: {name, role: 'primary', context: `ctx-${name}`},
      seen: seen ?? known(running(name)),
    },
    target: {...wanted, ...target},
    data: dataOfFiles(bundleOf(renewed[name].ca, [root])),
    order,
    removesKey,
  };
}

const uidOf = (name: Name): Pick<TrustObservation, 'uid'> => ({uid: known(`uid-${name}`)});
const running = (name: Name, change: Partial<TrustObservation> = {}): TrustObservation =>
  runningWith(live[name], {...uidOf(name), ...change});
const empty = (name: Name, change: Partial<TrustObservation> = {}): TrustObservation =>
  emptyCluster({...uidOf(name), ...change});
const secretOfCa = (ca: IssuedCa, change?: Parameters<typeof secretWith>[1]): Pick<TrustObservation, 'cacerts'> => ({
  cacerts: known(secretWith(secretTexts(ca), change)),
});

const journal: JournalContent = {present: true, entries: [], own: 'aa', host: 'laptop/1/1', archived: []};

/** Deviations from a run that renews the CA of every named cluster. */
interface Change {
  readonly clusters: Partial<Record<Name, ClusterChange>>;
  readonly loaded?: TrustFacts['loaded'];
  readonly journal?: TrustFacts['journal'];
  readonly rules?: Partial<TrustRules>;
}

function planned(change: Change): {readonly facts: TrustFacts; readonly rules: TrustRules} {
  return {
    facts: {
      loaded: change.loaded ?? meshOf(),
      targets: names.flatMap((name) => {
        const one = change.clusters[name];
        return one === undefined ? [] : [targetOf(name, one)];
      }),
      journal: change.journal ?? known(journal),
    },
    rules: {
      allowRootChange: false,
      restartIstiod: false,
      allowInvalidBundle: false,
      allowUnmounted: false,
      acceptUid: false,
      ...change.rules,
    },
  };
}

interface InShort {
  /** For each group its lanes, for each lane its actions; `!`: requires confirmation. */
  readonly groups: readonly (readonly string[])[];
  readonly blockers: readonly string[];
  /** The cluster of each, or `mesh`. */
  readonly warnings: readonly string[];
}

function outcomeOf(change: Change): InShort {
  const {facts, rules} = planned(change);
  const {groups, blockers, warnings} = planChanges(facts, rules);
  return {
    groups: groups.map(({lanes}) => lanes.map(({actions}) => actions.map(actionInShort).join(', '))),
    blockers: blockers.map(({cluster, error}) => `${cluster ?? 'mesh'}: ${error.code}`),
    warnings: warnings.map(({cluster}) => cluster ?? 'mesh'),
  };
}

type Row = readonly [behaviour: string, change: Change, expected: Partial<InShort>];
const nothing: InShort = {groups: [], blockers: [], warnings: []};

const update = (name: Name): string =>
  `put-object ${name}/cacerts-previous, put-object ${name}/cacerts!, await-bundle ${name}/proof`;
const create = (name: Name): string => `put-object ${name}/namespace, put-object ${name}/cacerts`;
const declare = 'write-files declare';
const current = (name: Name): ClusterChange => ({target: {own: own(live[name])}});
const fresh = (name: Name): ClusterChange => ({seen: known(empty(name))});

describe('the plan', () => {
  it.each<Row>([
    ['changes a single cluster in one group', {clusters: {c1: {}}}, {groups: [[update('c1')]]}],
    [
      'changes one cluster first, then the others in parallel',
      {clusters: {c1: {}, c2: {}, c3: {}}},
      {groups: [[update('c1')], [update('c2'), update('c3')]]},
    ],
    [
      'starts with the first cluster that needs a change',
      {clusters: {c1: current('c1'), c2: {}, c3: {}}},
      {groups: [[update('c2')], [update('c3')]]},
    ],
    [
      'creates the CAs of new clusters in parallel, before it changes any other',
      {clusters: {c1: {}, c2: fresh('c2'), c3: fresh('c3')}},
      {groups: [[create('c2'), create('c3')], [update('c1')]]},
    ],
    [
      'treats the first CA of a self-signed istiod as a change',
      {
        clusters: {
          c1: {seen: known(empty('c1', {namespace: observedNamespace(), istiods: known([observedIstiod()])}))},
          c2: {},
        },
        rules: {restartIstiod: true},
      },
      {
        groups: [['put-object c1/cacerts, restart-workload c1/restart/istiod, await-bundle c1/proof'], [update('c2')]],
      },
    ],
    ['is empty if every cluster has its CA', {clusters: {c1: current('c1'), c2: current('c2')}}, {}],
    [
      'treats a missing network label as no change of trust',
      {clusters: {c1: {}, c2: {target: {own: own(live.c2), network: 'network1'}}}},
      {groups: [['patch-object c2/namespace'], [update('c1')]]},
    ],
    [
      'keeps the lanes of clusters that are not blocked, for --keep-going',
      {clusters: {c1: {seen: known(running('c1', {previous: unknownFact()}))}, c2: {}, c3: {}}},
      {groups: [[update('c2')], [update('c3')]], blockers: ['c1: FORBIDDEN']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });

  it('stops after a failure, and after a failed declaration even with --keep-going', () => {
    const {facts, rules} = planned({clusters: {c1: {}, c2: {}, c3: fresh('c3')}, loaded: meshOf({c1: undefined})});
    expect(planChanges(facts, rules).groups.map(({onFailure}) => onFailure)).toEqual([
      'always-stop',
      'stop',
      'stop',
      'stop',
    ]);
  });
});

describe('the UID of a cluster', () => {
  const reinstalled = {loaded: meshOf({c1: 'uid-of-another-cluster'})};
  const acceptUid = {acceptUid: true};
  const twin = {seen: known(running('c2', uidOf('c1')))};

  it.each<Row>([
    [
      'is recorded on first contact, before anything else',
      {clusters: {c1: {}}, loaded: meshOf({c1: undefined})},
      {groups: [[declare], [update('c1')]]},
    ],
    [
      'is recorded even if the CA is unchanged',
      {clusters: {c1: current('c1')}, loaded: meshOf({c1: undefined})},
      {groups: [[declare]]},
    ],
    [
      'blocks the cluster if mesh.yaml records another one, and is not recorded',
      {clusters: {c1: {}}, ...reinstalled},
      {blockers: ['c1: UID_MISMATCH']},
    ],
    [
      'replaces the recorded one with --accept-uid',
      {clusters: {c1: {}}, ...reinstalled, rules: acceptUid},
      {groups: [[declare], [update('c1')]]},
    ],
    [
      'blocks both clusters if two names lead to the same one, even with --accept-uid',
      {clusters: {c1: {}, c2: twin}, rules: acceptUid},
      {blockers: ['c1: UID_MISMATCH', 'c2: UID_MISMATCH']},
    ],
    [
      'blocks the cluster if mesh.yaml records it for another one, even with --accept-uid',
      {clusters: {c2: twin}, rules: acceptUid},
      {blockers: ['c2: UID_MISMATCH']},
    ],
    [
      'is not recorded if the cluster is blocked for another reason',
      {
        clusters: {c1: {seen: known(running('c1', {previous: unknownFact()}))}, c2: {}},
        loaded: meshOf({c1: undefined}),
      },
      {groups: [[update('c2')]], blockers: ['c1: FORBIDDEN']},
    ],
    [
      'is not needed to report that the cluster is unreachable',
      {clusters: {c1: {seen: unknownFact('UNREACHABLE')}}},
      {blockers: ['c1: UNREACHABLE']},
    ],
    [
      'blocks the cluster if it is not readable',
      {clusters: {c1: {seen: known(running('c1', {uid: unknownFact()}))}}},
      {blockers: ['c1: FORBIDDEN']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });

  it('is written into mesh.yaml only for clusters that are not blocked', () => {
    const {facts, rules} = planned({
      clusters: {c1: {seen: known(running('c1', {previous: unknownFact()}))}, c2: {}},
      loaded: meshOf({c1: undefined, c2: undefined}),
    });
    const [first] = allActions(planChanges(facts, rules));
    const text = first?.kind === 'write-files' ? first.files.map(({content}) => content).join('') : '';
    expect(text).toContain('uid-c2');
    expect(text).not.toContain('uid-c1');
  });
});

describe('a CA that belongs to another cluster', () => {
  const ofC1 = {target: {own: own(live.c1)}};
  const ofC2 = {target: {own: own(live.c2)}};
  const ofNobody = {target: {own: own(nowhere)}};
  const allowed = {allowInvalidBundle: true};

  it.each<Row>([
    [
      'is refused in both clusters if their directories are swapped',
      {clusters: {c1: ofC2, c2: ofC1}},
      {blockers: ['c1: PUSH_REFUSED_INVALID_CA', 'c2: PUSH_REFUSED_INVALID_CA']},
    ],
    [
      'is recognized by its subject if the other cluster is not part of the run',
      {clusters: {c1: ofC2}},
      {blockers: ['c1: PUSH_REFUSED_INVALID_CA']},
    ],
    [
      'is accepted with --allow-invalid-bundle, with a warning',
      {clusters: {c1: ofC2}, rules: allowed},
      {groups: [[update('c1')]], warnings: ['c1']},
    ],
    [
      'is refused if its subject names no cluster and another cluster runs with it',
      {clusters: {c1: ofNobody, c2: {seen: known(running('c2', secretOfCa(nowhere)))}}},
      {groups: [[update('c2')]], blockers: ['c1: PUSH_REFUSED_INVALID_CA']},
    ],
    [
      'is not assumed if its subject names no cluster and no other cluster runs with it',
      {clusters: {c1: ofNobody, c2: {}}},
      {groups: [[update('c1')], [update('c2')]]},
    ],
    [
      'is not assumed if its subject names no cluster and the other cluster is unreachable',
      {clusters: {c1: ofNobody, c2: {seen: unknownFact('UNREACHABLE')}}},
      {groups: [[update('c1')]], blockers: ['c2: UNREACHABLE']},
    ],
    [
      'is replaced in the cluster that it was pushed to by mistake',
      {
        clusters: {
          c1: {...current('c1'), seen: known(running('c1', secretOfCa(live.c2)))},
          c2: {...current('c2'), seen: known(running('c2', secretOfCa(live.c1)))},
        },
      },
      {groups: [[update('c1')], [update('c2')]]},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });

  it.each<[behaviour: string, change: Change]>([
    ['is refused with the names of both clusters if its subject names the other one', {clusters: {c1: ofC2}}],
    [
      'is refused with the names of both clusters if the other one runs with it',
      {clusters: {c1: ofNobody, c2: {seen: known(running('c2', secretOfCa(nowhere)))}}},
    ],
  ])('%s', (_behaviour, change) => {
    const {facts, rules} = planned(change);
    const [blocker] = planChanges(facts, rules).blockers;
    expect(blocker?.error.message).toMatch(/c1.*c2|c2.*c1/);
  });
});

describe('the actions of a cluster', () => {
  const keyless = own(live.c1, {caKey: undefined});
  const foreignKey = (change: Parameters<typeof secretWith>[1] = {}) => ({
    cacerts: known(secretWith({...secretTexts(live.c1), 'other.pem': 'x'}, change)),
  });
  const previous = (texts: Record<string, string>, change: Parameters<typeof secretWith>[1] = {}) => ({
    previous: known(secretWith(texts, change)),
  });
  const liveTexts = secretTexts(live.c1);
  const labelled = observedNamespace({[networkLabel]: 'other'});
  const network = 'network1';
  const shows = {liveBundle: known(pemOf(otherRoot)), workloads: known([])};
  const c1 = (seen: Partial<TrustObservation>, more: Omit<ClusterChange, 'seen'> = {}): Change => ({
    clusters: {c1: {seen: known(running('c1', seen)), ...more}},
  });
  const write = 'put-object c1/cacerts!, await-bundle c1/proof';

  it.each<[behaviour: string, change: Change, actions: string]>([
    ['create the namespace and the Secret without confirmation', {clusters: {c1: fresh('c1')}}, create('c1')],
    [
      'label a namespace that has no network without confirmation',
      c1({}, {target: {network}}),
      `patch-object c1/namespace, ${update('c1')}`,
    ],
    [
      'change the network of a namespace after confirmation',
      c1({namespace: labelled}, {target: {network}}),
      `patch-object c1/namespace!, ${update('c1')}`,
    ],
    ['save the current CA, then replace it after confirmation', {clusters: {c1: {}}}, update('c1')],
    [
      'save the current CA after it is replaced in a rollback',
      c1(previous(secretTexts(renewed.c1)), {target: {isRollback: true}, order: 'write-first'}),
      'put-object c1/cacerts!, put-object c1/cacerts-previous, await-bundle c1/proof',
    ],
    ['replace another CA in cacerts-previous', c1(previous(secretTexts(renewed.c1))), update('c1')],
    ['do not save a CA again that an interrupted run saved', c1(previous(liveTexts)), write],
    [
      'save a CA again if cacerts-previous lacks one of its keys',
      c1({...previous(liveTexts), ...foreignKey()}),
      update('c1'),
    ],
    [
      'save a CA again if it cannot be parsed',
      c1({
        ...previous({...liveTexts, 'ca-cert.pem': 'x', 'ca-key.pem': 'x'}),
        cacerts: known(secretWith({...liveTexts, 'ca-cert.pem': 'x', 'ca-key.pem': 'x'})),
      }),
      update('c1'),
    ],
    [
      'delete and recreate cacerts-previous if it is immutable',
      c1(previous(secretTexts(renewed.c1), {immutable: true})),
      `replace-object c1/cacerts-previous, ${write}`,
    ],
    [
      'delete and recreate cacerts-previous if it has another type',
      c1(previous(secretTexts(renewed.c1), {type: 'kubernetes.io/tls'})),
      `replace-object c1/cacerts-previous, ${write}`,
    ],
    ['do not save an empty Secret', c1({cacerts: known(secretWith({}))}), write],
    [
      'delete and recreate an immutable Secret after confirmation',
      c1(secretOfCa(live.c1, {immutable: true})),
      'put-object c1/cacerts-previous, replace-object c1/cacerts!, await-bundle c1/proof',
    ],
    [
      'patch the certificates after confirmation if only the cluster has the key',
      c1(foreignKey(), {target: {own: keyless}}),
      'put-object c1/cacerts-previous, patch-object c1/cacerts!, await-bundle c1/proof',
    ],
    [
      'restart every istiod that loads the change only at start, then await the new CA',
      {
        ...c1({
          istiods: known([
            observedIstiod('1.11.8'),
            {...observedIstiod('1.10.6'), name: 'istiod-1-10'},
            {...observedIstiod(), name: 'istiod-1-30'},
          ]),
        }),
        rules: {restartIstiod: true},
      },
      'put-object c1/cacerts-previous, put-object c1/cacerts!, restart-workload c1/restart/istiod, ' +
        'restart-workload c1/restart/istiod-1-10, await-bundle c1/proof',
    ],
    [
      'do not wait if no istiod runs',
      c1({istiods: known([])}),
      'put-object c1/cacerts-previous, put-object c1/cacerts!',
    ],
    [
      'only restart istiod and wait if the Secret matches and istiod uses another bundle',
      {...c1(shows, current('c1')), rules: {restartIstiod: true}},
      'restart-workload c1/restart/istiod, await-bundle c1/proof',
    ],
    [
      'remove the key from the work directory last',
      c1({}, {removesKey: true}),
      `${update('c1')}, remove-files c1/forget-key`,
    ],
    [
      'only remove the key from the work directory if the cluster has it already',
      c1({}, {...current('c1'), removesKey: true}),
      'remove-files c1/forget-key',
    ],
  ])('%s', (_behaviour, change, actions) => {
    expect(outcomeOf(change)).toEqual({...nothing, groups: [[actions]]});
  });

  function actionOf<Kind extends Action['kind']>(
    change: Change,
    kind: Kind,
    id: string,
  ): Extract<Action, {kind: Kind}> {
    const {facts, rules} = planned(change);
    const isIt = (action: Action): action is Extract<Action, {kind: Kind}> => action.kind === kind && action.id === id;
    const found = allActions(planChanges(facts, rules)).find(isIt);
    if (!found) throw new Error(`no ${kind} ${id}`);
    return found;
  }

  it('replace the Secret only at the version that was read', () => {
    const {object, secretData} = actionOf({clusters: {c1: {}}}, 'put-object', 'c1/cacerts');
    expect(object).toMatchObject({type: 'Opaque', metadata: {resourceVersion: '7'}});
    expect(Object.keys(secretData ?? {})).toEqual(['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem']);
  });

  it('create the Secret without a version', () => {
    const {object} = actionOf({clusters: {c1: fresh('c1')}}, 'put-object', 'c1/cacerts');
    expect(object.metadata).not.toHaveProperty('resourceVersion');
  });

  it('create the namespace with the declared network', () => {
    const {object} = actionOf({clusters: {c1: {...fresh('c1'), target: {network}}}}, 'put-object', 'c1/namespace');
    expect(object.metadata).toEqual({name: 'istio-system', labels: {[networkLabel]: network}});
  });

  it('label the namespace with the declared network', () => {
    const {patch} = actionOf(c1({}, {target: {network}}), 'patch-object', 'c1/namespace');
    expect(patch).toEqual({metadata: {labels: {[networkLabel]: network}}});
  });

  it('save every key of the Secret', () => {
    const {secretData, object} = actionOf(c1(foreignKey()), 'put-object', 'c1/cacerts-previous');
    expect(Object.keys(secretData ?? {})).toEqual([...Object.keys(liveTexts), 'other.pem']);
    expect(object.metadata.annotations).toMatchObject({[annotations.clusterCa]: live.c1.ca.certificate.fingerprint});
  });

  it('delete the Secret only at the version that was read, and recreate it as Opaque', () => {
    const change = c1({
      cacerts: known(secretWith(tlsTexts(live.c1), {type: 'kubernetes.io/tls', labels: {team: 'mesh'}})),
    });
    const {preconditions, object} = actionOf(change, 'replace-object', 'c1/cacerts');
    expect(preconditions).toEqual({uid: 'uid-of-secret', resourceVersion: '7'});
    expect(object).toMatchObject({type: 'Opaque', metadata: {labels: {team: 'mesh'}}});
    expect(object.metadata).toMatchObject({name: 'cacerts', namespace: 'istio-system'});
    expect(object.metadata).not.toHaveProperty('resourceVersion');
  });

  it('replace cacerts-previous only at the version that was read', () => {
    const {object} = actionOf(c1(previous(secretTexts(renewed.c1))), 'put-object', 'c1/cacerts-previous');
    expect(object).toMatchObject({type: 'Opaque', metadata: {resourceVersion: '7'}});
  });

  it('delete cacerts-previous only at the version that was read, and recreate it as Opaque', () => {
    const change = c1(previous(secretTexts(renewed.c1), {type: 'kubernetes.io/tls'}));
    const {preconditions, object} = actionOf(change, 'replace-object', 'c1/cacerts-previous');
    expect(preconditions).toEqual({uid: 'uid-of-secret', resourceVersion: '7'});
    expect(object.type).toBe('Opaque');
    expect(object.metadata).not.toHaveProperty('resourceVersion');
  });

  it.each<[behaviour: string, kind: 'put-object' | 'patch-object' | 'replace-object', change: Change]>([
    ['creates it', 'put-object', {clusters: {c1: fresh('c1')}}],
    ['replaces it', 'put-object', {clusters: {c1: {}}}],
    ['patches it', 'patch-object', c1(foreignKey(), {target: {own: keyless}})],
    ['deletes and recreates it', 'replace-object', c1(secretOfCa(live.c1, {immutable: true}))],
  ])('record in the Secret the journal entry that %s', (_behaviour, kind, change) => {
    expect(actionOf(change, kind, 'c1/cacerts')).toMatchObject({recordsJournalHead: true, context: 'ctx-c1'});
  });

  it.each<[behaviour: string, change: Change, rollback: boolean]>([
    ['suggest a rollback if the Secret is lost and was saved first', c1(secretOfCa(live.c1, {immutable: true})), true],
    [
      'suggest no rollback if the Secret is lost and was not saved',
      c1({cacerts: known(secretWith(secretTexts({ca: root, above: root}), {immutable: true}))}),
      false,
    ],
    [
      'suggest no rollback if the Secret is lost during a rollback',
      c1(secretOfCa(live.c1, {immutable: true}), {order: 'write-first'}),
      false,
    ],
  ])('%s', (_behaviour, change, rollback) => {
    const {recoveryHints} = actionOf(change, 'replace-object', 'c1/cacerts');
    expect(hintTexts(recoveryHints).some((hint) => hint.includes('kubectl mesh trust rollback c1'))).toBe(rollback);
  });

  it('patch the Secret only at the version that was read, and remove foreign keys', () => {
    const {patch} = actionOf(c1(foreignKey(), {target: {own: keyless}}), 'patch-object', 'c1/cacerts');
    expect(patch).toMatchObject([
      {op: 'test', path: '/metadata/resourceVersion', value: '7'},
      {op: 'add', path: '/data/ca-cert.pem'},
      {op: 'add', path: '/data/root-cert.pem'},
      {op: 'add', path: '/data/cert-chain.pem'},
      {op: 'remove', path: '/data/other.pem'},
      {op: 'add', path: '/metadata/labels'},
      {op: 'add', path: '/metadata/annotations'},
    ]);
  });

  it.each<[behaviour: string, order: TrustTarget['order'], noted: boolean]>([
    ['record which CA a rollback replaced', 'write-first', true],
    ['record no such CA in a push', 'keep-first', false],
  ])('%s', (_behaviour, order, noted) => {
    for (const immutable of [false, true]) {
      const change = c1(secretOfCa(live.c1, {immutable}), {order});
      const {object} = actionOf(change, immutable ? 'replace-object' : 'put-object', 'c1/cacerts');
      const taken = object.metadata.annotations?.[annotations.rolledBackFrom];
      expect(taken).toBe(noted ? live.c1.ca.certificate.fingerprint : undefined);
    }
  });

  it('await the bundle and the CA that are written', () => {
    const bundle = pemOf(root, otherRoot);
    const change = {...c1({}, {target: {own: own(renewed.c1, {rootCert: bundle})}}), rules: {restartIstiod: true}};
    expect(actionOf(change, 'await-bundle', 'c1/proof')).toMatchObject({
      bundle,
      caFingerprint: renewed.c1.ca.certificate.fingerprint,
    });
  });

  it('await the bytes of the Secret if it is not written', () => {
    const sameRoots = filesOf(live.c1, {rootCert: `# the same root\n${pemOf(root)}`});
    const target = {own: {...own(live.c1), files: sameRoots}, pendingReload: true};
    expect(actionOf(c1({}, {target}), 'await-bundle', 'c1/proof')).toMatchObject({bundle: pemOf(root)});
  });

  it.each<[behaviour: string, texts: Record<string, string>, crl: string | undefined, lost: readonly string[]]>([
    ['name a lost key', {'other.pem': 'x'}, undefined, ['other.pem']],
    ['name lost revocation lists', {'ca-crl.pem': 'lists'}, '', ['ca-crl.pem']],
    ['name every lost key', {'other.pem': 'x', 'ca-crl.pem': 'lists'}, '', ['other.pem', 'ca-crl.pem']],
    ['name no revocation lists if there are none', {}, '', []],
    ['name no key if none is lost', {}, undefined, []],
  ])('%s in the confirmation', (_behaviour, texts, crl, lost) => {
    const before = {cacerts: known(secretWith({...liveTexts, ...texts}))};
    // istiod applies removed lists until it restarts.
    const change = {...c1(before, {target: {own: own(renewed.c1, {crl})}}), rules: {restartIstiod: true}};
    const {confirm} = actionOf(change, 'put-object', 'c1/cacerts');
    expect(confirm?.match(/[\w-]+\.pem/g) ?? []).toEqual(lost);
  });

  it('describe a CA in the confirmation that cannot be parsed', () => {
    const {confirm} = actionOf(c1({cacerts: known(secretWith({}))}), 'put-object', 'c1/cacerts');
    expect(confirm).toMatch(/unreadable.*unreadable/);
  });
});

describe('warnings', () => {
  const entry = seal(
    {
      kind: 'intent',
      time: '2026-05-01T10:00:00Z',
      user: 'u',
      host: 'laptop/1/1',
      pid: 1,
      command: 'trust push',
      action: 'c1/cacerts',
    },
    'aa',
    undefined,
  );
  const remembers = (head: string): Change => ({
    clusters: {c1: {seen: known(running('c1', secretOfCa(live.c1, {annotations: {[annotations.journalHead]: head}})))}},
  });
  const its = formatHead(entry);

  it.each<[behaviour: string, change: Change, warnings: readonly string[]]>([
    [
      'are absent if the journal has the entry recorded in the cluster',
      {...remembers(its), journal: known({...journal, entries: [entry]})},
      [],
    ],
    ['name a cluster with a recorded entry that is missing from the journal', remembers(its), ['c1']],
    ['are absent if the annotation of the cluster is malformed', remembers('x'), []],
    ['are absent if the cluster has no recorded entry', {clusters: {c1: {}}}, []],
    ['are absent if the cluster has no Secret', {clusters: {c1: fresh('c1')}}, []],
    ['are absent if the journal is not readable', {...remembers(its), journal: unknownFact()}, []],
    [
      'start with the notes about the mesh',
      {...remembers(its), loaded: {...meshOf(), notes: ['a note']}},
      ['mesh', 'c1'],
    ],
    [
      'name their cluster',
      {
        clusters: {
          c1: {},
          c2: {seen: known(running('c2', {istiods: known([observedIstiod('latest')])}))},
          c3: {seen: unknownFact('UNREACHABLE')},
        },
      },
      ['c2'],
    ],
  ])('%s', (_behaviour, change, warnings) => {
    expect(outcomeOf(change).warnings).toEqual(warnings);
  });
});

describe('the decisions', () => {
  it('exclude clusters that are unreachable or have another UID', () => {
    const {facts, rules} = planned({
      clusters: {c1: {seen: unknownFact('UNREACHABLE')}, c2: {}, c3: {}},
      loaded: meshOf({c2: 'uid-of-another-cluster'}),
    });
    const decided = decideAll(facts, rules);
    expect(decided.map(({decision}) => decision?.kind)).toEqual([undefined, undefined, 'update']);
    expect(decided.map(({errors}) => errors.map(({code}) => code))).toEqual([['UNREACHABLE'], ['UID_MISMATCH'], []]);
  });

  it('are part of the plan', () => {
    const {facts, rules} = planned({clusters: {c1: {seen: unknownFact('UNREACHABLE')}, c2: {}}});
    expect(planChanges(facts, rules).decided).toEqual(decideAll(facts, rules));
  });

  it('lead to no action for a refused cluster', () => {
    const {facts, rules} = planned({clusters: {c1: {seen: known(running('c1', {previous: unknownFact()}))}}});
    const {decided, groups} = planChanges(facts, rules);
    expect([decided[0]?.decision?.kind, groups]).toEqual(['refuse', []]);
  });

  it.each<[behaviour: string, seen: Observed<TrustObservation>, found: 'a Secret' | undefined]>([
    ['returns the Secret that was read', known(running('c1')), 'a Secret'],
    ['treats a Secret that is not readable as absent', known(running('c1', {cacerts: unknownFact()})), undefined],
    ['treats the Secret of an unreachable cluster as absent', unknownFact(), undefined],
  ])('%s', (_behaviour, seen, found) => {
    const {trust} = targetOf('c1', {seen});
    expect(secretOf(trust, 'cacerts') && 'a Secret').toBe(found);
  });
});
