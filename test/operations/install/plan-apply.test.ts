import {describe, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {sha256Hex} from '../../../src/domain/keys/keys.js';
import {recordObject} from '../../../src/domain/install/live.js';
import {installedRevision} from '../../../src/domain/install/model.js';
import {networkLabel} from '../../../src/domain/istio/names.js';
import type {DeploymentObject} from '../../../src/domain/kube/objects.js';
import {type Observed, unknown} from '../../../src/domain/observed.js';
import type {Action} from '../../../src/engine/action.js';
import type {InstalledCluster} from '../../../src/observe/installed-cluster.js';
import type {InstallChange} from '../../../src/operations/install/decide-apply.js';
import {planApply} from '../../../src/operations/install/plan-apply.js';
import {actionInShort, allActions} from '../certs/fixtures.js';
import {hintTexts} from '../../helpers/suggestions.js';

import {
  bundle,
  cacertsOf,
  consent,
  digestOf,
  factsOf,
  foreign,
  installation,
  istiodNamed,
  istiodOf,
  istiodReading,
  type Name,
  namespaceOf,
  otherBundle,
  otherText,
  text,
  planOf,
  type RunChange,
  usualVersion,
} from './apply-facts.js';

interface InShort {
  readonly change: InstallChange | undefined;
  /** For each group its lanes, for each lane its actions; `!`: requires confirmation. */
  readonly groups: readonly (readonly string[])[];
  readonly blockers: readonly string[];
  /** The cluster of each, or `mesh`. */
  readonly warnings: readonly string[];
}

function outcomeOf(change: RunChange): InShort {
  const facts = factsOf(change);
  const {groups, blockers, warnings, decided} = planOf(change);
  const [target] = facts.targets;
  return {
    change: target && decided.get(target.rendering.cluster.name)?.change,
    groups: groups.map(({lanes}) => lanes.map(({actions}) => actions.map(actionInShort).join(', '))),
    blockers: blockers.map(({cluster, error}) => `${cluster ?? 'mesh'}: ${error.code}`),
    warnings: warnings.map(({cluster}) => cluster ?? 'mesh'),
  };
}

type Row = readonly [behaviour: string, change: RunChange, expected: Partial<InShort>];

const record = (name: Name): string => `put-object ${name}/install-record`;
const run = (name: Name): string => `${record(name)}, run-istioctl ${name}/install`;
const ask = (name: Name): string => `${run(name)}!`;
const declare = 'write-files declare';

/** A first installation is recorded, then istioctl runs, without confirmation. */
const install: InShort = {change: 'install', groups: [[run('c1')]], blockers: [], warnings: []};

it('installs Istio in a cluster that is ready for it', () => {
  expect(outcomeOf({})).toEqual(install);
});

describe('a running istiod that reads its CA from another source', () => {
  const installed = (istiod: DeploymentObject, mountedCa: InstalledCluster['mountedCa']): RunChange => ({
    live: {...installation({}, {istiod}), mountedCa},
  });
  const otherSecret = istiodReading({secret: {secretName: 'mesh-ca'}});
  const unchanged = {change: 'unchanged', groups: []} as const;
  it.each<Row>([
    [
      'keeps it: installing is refused where Secret cacerts holds another CA',
      installed(otherSecret, cacertsOf(otherBundle)),
      {...unchanged, blockers: ['c1: CACERTS_NOT_MOUNTED']},
    ],
    ['gets the same CA from Secret cacerts', installed(otherSecret, cacertsOf(bundle)), unchanged],
    [
      'keeps a CSI volume, whose CA is unknown',
      installed(istiodReading({csi: {driver: 'x'}}), 'absent'),
      {...unchanged, blockers: ['c1: CACERTS_NOT_MOUNTED']},
    ],
    [
      'is corrected if it reads a directory without a volume',
      installed(istiodReading({secret: {secretName: 'cacerts'}}, [{name: 'ROOT_CA_DIR', value: '/var/ca'}]), 'absent'),
      unchanged,
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });
});

describe('the change', () => {
  const repair = {change: 'repair', groups: [[run('c1')]]} as const;
  const replace = {change: 'replace', groups: [[ask('c1')]]} as const;
  const upgrade = {change: 'upgrade', groups: [[ask('c1')]]} as const;
  const nothing = {change: 'unchanged', groups: []} as const;
  const before = istiodOf('1.30.3');

  it.each<Row>([
    [
      'is an installation if only the record of an earlier one is left',
      {live: {...installation(), istiod: undefined}},
      {},
    ],
    ['is none if everything is as the last run left it', {live: installation()}, nothing],
    [
      'is a repair if a field was changed',
      {
        live: installation(
          {},
          {
            now: istiodOf(usualVersion, {
              managedFields: [{manager: 'istio-operator', operation: 'Apply', time: '2026-02-02T00:00:00Z'}],
            }),
          },
        ),
      },
      repair,
    ],
    [
      'is a repair if an object was recreated',
      {live: installation({}, {now: istiodOf(usualVersion, {uid: 'another'})})},
      repair,
    ],
    [
      'is a repair if an object is missing',
      {live: {...installation({live: digestOf([istiodOf(), istiodOf(usualVersion, {name: 'istio'})]) ?? ''})}},
      repair,
    ],
    ['is a repair if the last run did not finish', {live: installation({live: ''})}, repair],
    [
      'is a repair if the objects carry no proof of server-side apply',
      {live: installation({live: ''}, {istiod: istiodOf(usualVersion, {managedFields: []})})},
      repair,
    ],
    [
      'is a repair if the namespace lost its network label',
      {live: {...installation(), namespace: namespaceOf({})}},
      {change: 'repair', groups: [[`patch-object c1/network-label, ${run('c1')}`]]},
    ],
    [
      'is a repair after confirmation if the namespace has another network label',
      {live: {...installation(), namespace: namespaceOf({[networkLabel]: 'other'})}},
      {change: 'repair', groups: [[`patch-object c1/network-label!, ${run('c1')}`]]},
    ],
    [
      'is a repair if another istioctl recorded the same bytes and the running version matches',
      {live: installation({istioctl: '1.31.0-rc.0'})},
      repair,
    ],
    ['is a replacement if other bytes were applied', {live: installation({installYaml: sha256Hex('other')})}, replace],
    ['is a replacement if the installation has no record', {live: {...installation(), record: undefined}}, replace],
    [
      'is a replacement if the record is malformed',
      {live: {...installation(), record: {...namespaceOf({}), kind: 'ConfigMap', data: {installYaml: '1'}}}},
      replace,
    ],
    [
      'is an upgrade if an earlier version runs',
      {
        live: installation({installYaml: sha256Hex('other'), istioctl: '1.30.3'}, {istiod: before}),
        options: {upgrade: true},
      },
      upgrade,
    ],
    [
      'is an upgrade if an earlier version runs with the same bytes',
      {live: installation({istioctl: '1.30.3'}, {istiod: before}), options: {upgrade: true}},
      upgrade,
    ],
    [
      'is a repair if an upgrade was interrupted',
      {live: installation({live: ''}, {istiod: before}), options: {upgrade: true}},
      repair,
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });
});

describe('a blocker', () => {
  const stale = (present: string | undefined): RunChange => ({
    rendering: {files: [{path: 'c1/install.yaml', present, text}]},
  });
  const running = (version: string): RunChange => ({
    live: installation({installYaml: sha256Hex('other'), istioctl: version}, {istiod: istiodOf(version)}),
  });
  const helm = foreign({annotations: {'meta.helm.sh/release-name': 'istiod'}});
  const replaced = {change: 'replace', groups: [[ask('c1')]]} as const;
  const upgraded = {change: 'upgrade', groups: [[ask('c1')]]} as const;
  const versionChange = {blockers: ['c1: VERSION_CHANGE']};
  const foreignOwner = {...replaced, blockers: ['c1: FOREIGN_OWNER']};

  it.each<Row>([
    ['is a missing install.yaml', stale(undefined), {blockers: ['c1: FILE_MISSING']}],
    [
      'is an install.yaml that was rendered from another mesh.yaml',
      stale(otherText),
      {blockers: ['c1: STALE_INSTALL']},
    ],
    [
      'is an install.yaml that was rendered for another Istio version, with the same document',
      stale(text.replace(/for Istio \S+ /, 'for Istio 1.2 ')),
      {blockers: ['c1: STALE_INSTALL']},
    ],
    ['is an install.yaml that was edited by hand', stale(`${text}# mine\n`), {blockers: ['c1: STALE_INSTALL']}],
    ['is an install.yaml that was written by hand', stale('kind: IstioOperator\n'), {blockers: ['c1: STALE_INSTALL']}],
    [
      'is an install.yaml that cannot be rendered, before any other',
      {
        rendering: {rendered: new MeshError('MISSING_VALUE', 'no mesh ID'), files: []},
        live: {cacerts: 'absent'},
      },
      {change: undefined, groups: [], blockers: ['c1: MISSING_VALUE']},
    ],
    [
      'is an istioctl of another minor version than mesh.yaml declares',
      {mesh: {yaml: 'istio: {version: "1.30"}\n'}},
      versionChange,
    ],
    [
      'is an istioctl of another patch version than mesh.yaml declares',
      {mesh: {yaml: 'istio: {version: "1.31.1"}\n'}},
      versionChange,
    ],
    ['is an upgrade without --upgrade', running('1.30.3'), {...upgraded, ...versionChange}],
    [
      'is a patch upgrade without --upgrade',
      {...running('1.31.0'), istioctl: '1.31.1'},
      {...upgraded, ...versionChange},
    ],
    ['is a downgrade', running('1.32.0'), {...upgraded, ...versionChange}],
    [
      'is a downgrade even with --upgrade',
      {...running('1.32.0'), options: {upgrade: true}},
      {...upgraded, ...versionChange},
    ],
    [
      'is an upgrade that skips a minor version, even with --upgrade',
      {...running('1.29.6'), options: {upgrade: true}},
      {...upgraded, ...versionChange},
    ],
    ['is an unknown running version', running('latest'), {...upgraded, ...versionChange}],
    [
      'is an interrupted upgrade without --upgrade',
      {live: installation({live: ''}, {istiod: istiodOf('1.30.3')})},
      {change: 'repair', ...versionChange},
    ],
    ['is an Istio that Helm installed', {live: helm}, foreignOwner],
    [
      'is an Istio that Argo CD manages',
      {live: foreign({labels: {'argocd.argoproj.io/instance': 'mesh'}})},
      foreignOwner,
    ],
    [
      'is an Istio that another IstioOperator document installed',
      {live: foreign({labels: {'install.operator.istio.io/owning-resource': 'installed-state'}})},
      foreignOwner,
    ],
    ...(['Kubernetes', 'c2', '', undefined] as const).map((name): Row => [
      `is an istiod with another clusterName: ${name ?? 'of another object'}`,
      {live: {istiods: [istiodNamed(name)]}},
      {blockers: ['c1: CLUSTER_RENAME']},
    ]),
    [
      'is an istiod of another revision with another clusterName',
      {live: {istiods: [istiodNamed('c1'), istiodNamed('Kubernetes')]}},
      {blockers: ['c1: CLUSTER_RENAME']},
    ],
    [
      'is a foreign object even if no istiod runs',
      {live: {...helm, istiod: undefined}},
      {groups: [[ask('c1')]], blockers: ['c1: FOREIGN_OWNER']},
    ],
    ...(
      [
        ['1.9.9', 21, []],
        ['1.9.9', 22, ['c1: KUBERNETES_VERSION']],
        ['1.10.0', 24, []],
        ['1.13.9', 25, ['c1: KUBERNETES_VERSION']],
        ['1.14.0', 25, []],
      ] as const
    ).map(([istioctl, kubernetesMinor, blockers]): Row => [
      `is Kubernetes 1.${String(kubernetesMinor)} for Istio ${istioctl}: ${String(blockers.length > 0)}`,
      {istioctl, live: {kubernetesMinor}},
      {blockers},
    ]),
    [
      'is a cluster that is not readable',
      {live: untold('FORBIDDEN')},
      {change: undefined, groups: [], blockers: ['c1: FORBIDDEN']},
    ],
    [
      'is an unreachable cluster, after the blockers that the work directory shows',
      {live: untold('UNREACHABLE'), ...stale(undefined), mesh: {yaml: 'istio: {version: "1.30"}\n'}},
      {
        change: undefined,
        groups: [],
        blockers: ['c1: FILE_MISSING', 'c1: VERSION_CHANGE', 'c1: UNREACHABLE'],
      },
    ],
    [
      'is reported together with every other',
      {...running('1.29.6'), live: {...foreign({}, '1.29.6'), cacerts: 'absent'}, ...stale(otherText)},
      {...upgraded, blockers: ['c1: STALE_INSTALL', 'c1: NO_CACERTS', 'c1: VERSION_CHANGE', 'c1: FOREIGN_OWNER']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it.each<Row>([
    [
      'does not arise from an istioctl of the minor version that mesh.yaml declares',
      {mesh: {yaml: 'istio: {version: "1.31"}\n'}, istioctl: '1.31.4'},
      {},
    ],
    ['does not arise from an istiod with the same clusterName', {live: {istiods: [istiodNamed('c1')]}}, {}],
    [
      'for an upgrade becomes a confirmation with --upgrade',
      {...running('1.30.3'), options: {upgrade: true}},
      upgraded,
    ],
    [
      'for a downgrade becomes a confirmation with --force-version',
      {...running('1.32.0'), options: {forceVersion: true}},
      upgraded,
    ],
    [
      'for an unknown running version becomes a confirmation with --upgrade',
      {...running('latest'), options: {upgrade: true}},
      upgraded,
    ],
    [
      'for a Kubernetes version that is too new is lifted with --force-version',
      {istioctl: '1.13.9', options: {forceVersion: true}},
      {},
    ],
    ['for a foreign owner becomes a confirmation with --take-over', {live: helm, options: {takeOver: true}}, replaced],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it('for a foreign owner suggests --take-over', () => {
    const [blocker, ...more] = planOf({live: helm}).blockers;
    expect(more).toEqual([]);
    expect(hintTexts(blocker?.error.hints ?? []).join()).toContain('--take-over');
  });
});

describe('Secret cacerts', () => {
  const tlsFirst = cacertsOf(otherBundle);
  const whole = cacertsOf(bundle);
  const refused = {blockers: ['c1: NO_CACERTS']};
  const ofCertManager = {mesh: {yaml: 'trust: {signer: {type: external, issuer: cert-manager}}\n'}, certificates: {}};
  const ofIstioCsr = {mesh: {yaml: 'trust: {signer: {type: external, issuer: istio-csr}}\n'}, certificates: {}};

  it.each<Row>([
    ['must exist', {live: {cacerts: 'absent'}}, refused],
    ['must hold the CA of the work directory', {live: {cacerts: tlsFirst}}, refused],
    ['must hold a key', {live: {cacerts: {...whole, hasKey: false}}}, refused],
    [
      'must hold certificates that can be parsed',
      {live: {cacerts: cacertsOf({...bundle, rootCert: 'garbage'})}},
      refused,
    ],
    ['must hold every certificate file', {live: {cacerts: cacertsOf({...bundle, certChain: undefined})}}, refused],
    [
      'may hold the same certificates in other bytes',
      {live: {cacerts: cacertsOf({...bundle, rootCert: `# a note\n${bundle.rootCert}`})}},
      {},
    ],
    ['must have a CA in the work directory to match', {certificates: {...bundle, caCert: undefined}}, refused],
    ['must exist if cert-manager fills it', {...ofCertManager, live: {cacerts: 'absent'}}, refused],
    [
      'must hold a key if cert-manager fills it',
      {...ofCertManager, live: {cacerts: {...whole, hasKey: false}}},
      refused,
    ],
    [
      'must be complete if cert-manager fills it',
      {...ofCertManager, live: {cacerts: cacertsOf({...bundle, certChain: ' '})}},
      refused,
    ],
    ['may hold any CA if cert-manager fills it', {...ofCertManager, live: {cacerts: tlsFirst}}, {}],
    ['may be absent if istio-csr issues workload certificates', {...ofIstioCsr, live: {cacerts: 'absent'}}, {}],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });
});

describe("Istio's namespace", () => {
  it.each<Row>([
    [
      'is created before the installation is recorded in it',
      {live: {namespace: undefined}},
      {groups: [[`put-object c1/namespace, ${run('c1')}`]]},
    ],
    [
      'gets a network label without confirmation',
      {live: {namespace: namespaceOf({team: 'mesh'})}},
      {groups: [[`patch-object c1/network-label, ${run('c1')}`]]},
    ],
    [
      'gets another network label after confirmation',
      {live: {namespace: namespaceOf({[networkLabel]: 'other'})}},
      {groups: [[`patch-object c1/network-label!, ${run('c1')}`]]},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it('is created with the declared network', () => {
    expect(actionOf({live: {namespace: undefined}}, 'put-object', 'c1/namespace').object).toEqual(
      namespaceOf({[networkLabel]: 'network1'}),
    );
  });

  it('is labelled with the declared network', () => {
    const {patch, ref} = actionOf({live: {namespace: namespaceOf({})}}, 'patch-object', 'c1/network-label');
    expect(ref).toEqual({apiVersion: 'v1', kind: 'Namespace', name: 'istio-system'});
    expect(patch).toEqual({metadata: {labels: {[networkLabel]: 'network1'}}});
  });
});

describe('the UID of a cluster', () => {
  const another = {mesh: {uids: {c1: 'uid-of-another-cluster'}}};
  it.each<Row>([
    [
      'is recorded on first contact, before anything else',
      {mesh: {uids: {c1: undefined}}},
      {groups: [[declare], [run('c1')]]},
    ],
    [
      'is recorded even if nothing else changes',
      {mesh: {uids: {c1: undefined}}, live: installation()},
      {change: 'unchanged', groups: [[declare]]},
    ],
    [
      'blocks the cluster if mesh.yaml records another one, and is not recorded',
      another,
      {blockers: ['c1: UID_MISMATCH']},
    ],
    [
      'replaces the recorded one with --accept-uid',
      {...another, options: {acceptUid: true}},
      {groups: [[declare], [run('c1')]]},
    ],
    [
      'blocks the cluster if mesh.yaml records it for another one, even with --accept-uid',
      {live: {uid: 'uid-c2'}, options: {acceptUid: true}},
      {blockers: ['c1: UID_MISMATCH']},
    ],
    [
      'blocks both clusters if two names lead to the same one',
      {clusters: {c1: {}, c2: {live: {uid: 'uid-c1'}}}},
      {groups: [[run('c1')], [run('c2')]], blockers: ['c1: UID_MISMATCH', 'c2: UID_MISMATCH']},
    ],
    [
      'is not recorded if the cluster is blocked for another reason',
      {mesh: {uids: {c1: undefined}}, live: {cacerts: 'absent'}},
      {blockers: ['c1: NO_CACERTS']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it('is written into mesh.yaml only for clusters that are not blocked', () => {
    const [first] = allActions(
      planOf({mesh: {uids: {c1: undefined, c2: undefined}}, clusters: {c1: {live: {cacerts: 'absent'}}, c2: {}}}),
    );
    const written = first?.kind === 'write-files' ? first.files.map(({content}) => content).join('') : '';
    expect(written).toContain('uid-c2');
    expect(written).not.toContain('uid-c1');
  });
});

describe('several clusters', () => {
  it.each<Row>([
    [
      'are installed one first, then the others in parallel',
      {clusters: {c1: {}, c2: {}, c3: {}}},
      {groups: [[run('c1')], [run('c2'), run('c3')]]},
    ],
    [
      'start with the first that needs a change',
      {clusters: {c1: {live: installation()}, c2: {}, c3: {}}},
      {change: 'unchanged', groups: [[run('c2')], [run('c3')]]},
    ],
    [
      'keep the lanes of those that are not blocked, for --keep-going',
      {clusters: {c1: {live: untold('UNREACHABLE')}, c2: {}, c3: {}}},
      {change: undefined, groups: [[run('c2')], [run('c3')]], blockers: ['c1: UNREACHABLE']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it('stop after a failure, and after a failed declaration even with --keep-going', () => {
    const {groups} = planOf({mesh: {uids: {c1: undefined}}, clusters: {c1: {}, c2: {}, c3: {}}});
    expect(groups.map(({onFailure}) => onFailure)).toEqual(['always-stop', 'stop', 'stop']);
  });
});

describe('warnings', () => {
  it.each<Row>([
    ['name a cluster whose Kubernetes is older than Istio supports', {live: {kubernetesMinor: 31}}, {warnings: ['c1']}],
    ['are absent if the version of Kubernetes is unknown', {live: {kubernetesMinor: undefined}}, {}],
    ['concern the mesh if Istio is newer than any known version', {istioctl: '1.99.0'}, {warnings: ['mesh']}],
    [
      'are absent for an unreachable cluster',
      {live: untold('UNREACHABLE')},
      {change: undefined, groups: [], blockers: ['c1: UNREACHABLE']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...install, ...expected});
  });

  it('start with the notes about the mesh', () => {
    const facts = factsOf({live: {kubernetesMinor: 31}});
    const {warnings} = planApply({...facts, loaded: {...facts.loaded, notes: ['a note']}}, consent);
    expect(warnings.map(({cluster}) => cluster)).toEqual([undefined, 'c1']);
  });
});

describe('the run of istioctl', () => {
  it.each<[version: string, args: readonly string[]]>([
    ['1.6.14', ['manifest', 'apply', '--wait', '-y', '--readiness-timeout', '300s']],
    ['1.7.8', ['install', '-y', '--readiness-timeout', '300s']],
    ['1.31.0', ['install', '-y', '--readiness-timeout', '300s']],
    ['unknown', ['install', '-y', '--readiness-timeout', '300s']],
  ])('has the arguments of istioctl %s', (istioctl, args) => {
    expect(actionOf({istioctl}, 'run-istioctl', 'c1/install').args).toEqual(args);
  });

  it('waits whole seconds for each component, and longer in total', () => {
    const {args, timeoutMs} = actionOf({options: {readinessTimeoutMs: 1500}}, 'run-istioctl', 'c1/install');
    expect(args.at(-1)).toBe('2s');
    expect(timeoutMs).toBeGreaterThan(5 * 1500);
  });

  it('applies only the bytes that were planned', () => {
    expect(actionOf({}, 'run-istioctl', 'c1/install')).toMatchObject({
      context: 'ctx-c1',
      file: 'c1/install.yaml',
      fileSha256: sha256Hex(text),
      namespace: 'istio-system',
    });
  });

  it('is recorded beforehand, as unfinished', () => {
    const {object, recordsJournalHead: remembers} = actionOf({}, 'put-object', 'c1/install-record');
    expect(remembers).toBe(true);
    expect(object).toMatchObject({
      kind: 'ConfigMap',
      metadata: {name: 'kubectl-mesh-install', namespace: 'istio-system'},
      data: {installYaml: sha256Hex(text), istioctl: usualVersion, live: ''},
    });
  });

  it('replaces the earlier record only at the version that was read', () => {
    const before = recordObject(
      {installYaml: 'x', istioctl: 'x', live: ''},
      {namespace: 'istio-system', revision: undefined},
      undefined,
    );
    const live = {...installation(), record: {...before, metadata: {...before.metadata, resourceVersion: '7'}}};
    expect(actionOf({live}, 'put-object', 'c1/install-record').object.metadata).toMatchObject({resourceVersion: '7'});
  });

  it('is recorded for its revision', () => {
    const mesh = {yaml: 'istio: {revisions: [1-30, 1-31]}\n'};
    expect(installedRevision(factsOf({mesh}).loaded.mesh)).toBe('1-31');
    const {object} = actionOf({mesh}, 'put-object', 'c1/install-record');
    expect(object.metadata).toMatchObject({name: 'kubectl-mesh-install-1-31'});
  });
});

function untold(code: 'FORBIDDEN' | 'UNREACHABLE'): Observed<never> {
  return unknown(new MeshError(code, 'a reason'));
}

function actionOf<Kind extends Action['kind']>(
  change: RunChange,
  kind: Kind,
  id: string,
): Extract<Action, {kind: Kind}> {
  const isIt = (action: Action): action is Extract<Action, {kind: Kind}> => action.kind === kind && action.id === id;
  const found = allActions(planOf(change)).find(isIt);
  if (!found) throw new Error(`no ${kind} ${id}`);
  return found;
}
