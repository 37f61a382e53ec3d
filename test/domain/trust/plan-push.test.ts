import {describe, expect, it} from 'vitest';
import type {CaSource} from '../../../src/domain/istio/ca-source.js';
import {networkLabel} from '../../../src/domain/istio/names.js';
import {known} from '../../../src/domain/observed.js';
import type {DifferentPart} from '../../../src/domain/trust/diff.js';
import type {TrustObservation} from '../../../src/domain/trust/cluster-trust.js';
import {droppedRoots} from '../../../src/domain/trust/live-roots.js';
import {
  decidePush,
  isInPlace,
  type PushDecision,
  type PushRules,
  type PushTarget,
} from '../../../src/domain/trust/plan-push.js';
import {meshWorkloads} from '../../../src/domain/trust/workloads.js';
import {crlOf} from '../../helpers/crl.js';
import {namespace, type FakeObject} from '../../helpers/fake-kubectl/fake-cluster.js';
import {injected, pod} from '../../helpers/trust-mesh.js';
import {
  emptyCluster,
  filesOf,
  issued,
  observedIstiod,
  live,
  observedNamespace,
  otherRoot,
  own,
  ownOf,
  pemOf,
  renewed,
  root,
  runningWith,
  secretTexts,
  secretWith,
  tlsTexts,
  underOther,
  unknownFact,
} from './seen.js';
import {hintTexts} from '../../helpers/suggestions.js';

const twin = await issued('c1');

/** A decision without messages: codes, names and fingerprints. */
interface InShort extends Pick<
  PushDecision,
  'kind' | 'namespace' | 'otherNetwork' | 'keepPrevious' | 'prove' | 'changesLiveTrust'
> {
  readonly write?: PushDecision['write'] | undefined;
  readonly differences: readonly DifferentPart[];
  readonly restart: readonly string[];
  readonly droppedRoots: readonly string[];
  readonly refusals: readonly string[];
  /** The number of warnings. */
  readonly warnings: number;
}

function inShort(decision: PushDecision): InShort {
  const {differences, restart, droppedRoots: dropped, refusals, warnings, ...rest} = decision;
  return {
    ...rest,
    differences: differences.map(({part}) => part),
    restart: restart.map(({name}) => name),
    droppedRoots: dropped.map(({fingerprint}) => fingerprint),
    refusals: refusals.map(({code}) => code),
    warnings: warnings.length,
  };
}

/** The differences from the baseline. */
interface Change {
  readonly target?: Partial<PushTarget>;
  readonly seen?: Partial<TrustObservation>;
  readonly rules?: Partial<PushRules>;
}

type Row = readonly [behaviour: string, change: Change, expected: Partial<InShort>];

/** The work directory has a renewed CA for a cluster whose istiod runs with the previous one, under the same root. */
const baseline = {
  target: {cluster: 'c1', namespace: 'istio-system', own: own(renewed), what: 'c1/ca-cert.pem'},
  seen: runningWith(live),
  rules: {allowRootChange: false, restartIstiod: false, allowInvalidBundle: false, allowUnmounted: false},
} satisfies {target: PushTarget; seen: TrustObservation; rules: PushRules};

function decide({target, seen, rules}: Change): PushDecision {
  const {target: usual, seen: running, rules: noFlags} = baseline;
  return decidePush({...usual, ...target}, {...running, ...seen}, {...noFlags, ...rules});
}

const rootFingerprint = root.certificate.fingerprint;

/** The current CA is saved, the renewed one replaces it, and istiod shows that it loaded it. */
const renewal: InShort = {
  kind: 'update',
  write: 'put',
  namespace: 'keep',
  keepPrevious: true,
  prove: true,
  changesLiveTrust: true,
  differences: ['clusterCa', 'chain', 'key'],
  restart: [],
  droppedRoots: [],
  refusals: [],
  warnings: 0,
};

/** The first CA of a cluster with no control plane. */
const first: InShort = {
  ...renewal,
  kind: 'create',
  write: 'create',
  namespace: 'create',
  keepPrevious: false,
  prove: false,
  changesLiveTrust: false,
  differences: ['secret'],
};

/** A cluster that matches the work directory. */
const unchanged: InShort = {
  kind: 'unchanged',
  namespace: 'keep',
  keepPrevious: false,
  prove: false,
  changesLiveTrust: false,
  differences: [],
  restart: [],
  droppedRoots: [],
  refusals: [],
  warnings: 0,
};

/** A refusal without further decisions. */
const nothing: InShort = {...unchanged, kind: 'refuse'};

/** The bundle replaces the live root with another one. */
const otherRootFiles = own(underOther);
const rootChange = {
  differences: ['clusterCa', 'roots', 'chain', 'key'],
  droppedRoots: [rootFingerprint],
} satisfies Partial<InShort>;

/** The same CA with the next root in addition to the live one. */
const bothRoots = own(live, {rootCert: pemOf(root, otherRoot)});

const ready = (...versions: Parameters<typeof observedIstiod>[]): TrustObservation['istiods'] =>
  known(versions.map((of) => observedIstiod(...of)));
const noIstiod = {istiods: ready()};
const certManager = {annotations: {'cert-manager.io/certificate-name': 'istio-ca'}};
const cacerts = (...secret: Parameters<typeof secretWith>): Pick<TrustObservation, 'cacerts'> => ({
  cacerts: known(secretWith(...secret)),
});

it('updates the Secret with a renewed CA under the same root', () => {
  expect(inShort(decide({}))).toEqual(renewal);
});

describe('a cluster without Secret cacerts', () => {
  const create = (target: Partial<PushTarget> = {}, seen: Partial<TrustObservation> = {}): Change => ({
    target,
    seen: emptyCluster(seen),
  });

  it.each<Row>([
    ['creates the namespace and the Secret', create(), {}],
    [
      'creates only the Secret if the namespace exists',
      create({}, {namespace: observedNamespace()}),
      {namespace: 'keep'},
    ],
    [
      'refuses a CA whose key is not in the work directory',
      create({own: own(renewed, {caKey: undefined})}),
      {kind: 'refuse', write: undefined, refusals: ['FILE_MISSING']},
    ],
    ['does not need to read cacerts-previous', create({}, {previous: unknownFact()}), {}],
    [
      'refuses if the istiods cannot be listed',
      create({}, {istiods: unknownFact()}),
      {kind: 'refuse', refusals: ['FORBIDDEN']},
    ],
    ['warns about an istiod without ready pods', create({}, {istiods: ready(['1.30.1', {}, 0])}), {warnings: 1}],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...first, ...expected});
  });

  it('suggests a rollback only if there is a previous Secret', () => {
    const keyless = {own: own(renewed, {caKey: undefined})};
    const hints = (previous: TrustObservation['previous']): string =>
      decide(create(keyless, {previous}))
        .refusals.flatMap((refusal) => hintTexts(refusal.hints))
        .join('\n');
    expect(hints(known(secretWith(secretTexts(live))))).toContain('kubectl mesh trust rollback c1');
    for (const previous of [known('absent' as const), unknownFact()]) {
      expect(hints(previous)).toContain('kubectl mesh certs generate c1 --renew');
      expect(hints(previous)).not.toContain('trust rollback');
    }
  });
});

describe('a self-signed istiod', () => {
  const selfSigned = {selfSigned: known(pemOf(otherRoot)), liveBundle: known(pemOf(otherRoot))};
  const change = (seen: Partial<TrustObservation>, rules: Partial<PushRules> = {}): Change => ({
    seen: emptyCluster({namespace: observedNamespace(), ...selfSigned, istiods: ready(['1.30.1']), ...seen}),
    rules,
  });
  const nobody = {workloads: known([])};
  const existingWorkloads = {workloads: known(['shop/cart'])};
  const restarted = {...first, namespace: 'keep', prove: true, changesLiveTrust: true} as const;
  const dropped = {droppedRoots: [otherRoot.certificate.fingerprint]};
  const refused = {...restarted, ...dropped, kind: 'refuse'} as const;

  it.each<Row>([
    [
      'gets no CA while workloads trust its root',
      change(existingWorkloads),
      {...refused, refusals: ['ROOT_CHANGE', 'RESTART_NEEDED']},
    ],
    [
      'still needs --restart-istiod if --allow-root-change is given',
      change(existingWorkloads, {allowRootChange: true}),
      {...refused, refusals: ['RESTART_NEEDED']},
    ],
    [
      'still needs --allow-root-change if --restart-istiod is given',
      change(existingWorkloads, {restartIstiod: true}),
      {...refused, restart: ['istiod'], refusals: ['ROOT_CHANGE']},
    ],
    [
      'gets its first CA if both flags are given, with a warning about the root',
      change(existingWorkloads, {allowRootChange: true, restartIstiod: true}),
      {...restarted, ...dropped, restart: ['istiod'], warnings: 1},
    ],
    [
      'gets its first CA if no workload trusts its root, with a warning about the root',
      change(nobody, {restartIstiod: true}),
      {...restarted, ...dropped, restart: ['istiod'], warnings: 1},
    ],
    [
      'needs --restart-istiod even if its root stays trusted',
      change({selfSigned: known(pemOf(root)), liveBundle: known(pemOf(root))}),
      {...restarted, kind: 'refuse', refusals: ['RESTART_NEEDED']},
    ],
    [
      'is checked by istio-ca-secret if it has not distributed a bundle yet',
      change({liveBundle: known(undefined), ...existingWorkloads}),
      {...refused, refusals: ['ROOT_CHANGE', 'RESTART_NEEDED']},
    ],
    [
      'gets no CA if istio-ca-secret cannot be parsed and no bundle shows its root',
      change({selfSigned: known('-----BEGIN'), liveBundle: known(undefined)}, {restartIstiod: true}),
      {...restarted, kind: 'refuse', restart: ['istiod'], refusals: ['ROOT_CHANGE']},
    ],
    [
      'gets no CA if istio-ca-secret is not readable',
      change({selfSigned: unknownFact(), liveBundle: known(undefined)}),
      {...restarted, kind: 'refuse', refusals: ['FORBIDDEN']},
    ],
  ])('%s', (_behaviour, rowChange, expected) => {
    expect(inShort(decide(rowChange))).toEqual(expected);
  });
});

describe('unknown facts', () => {
  it.each<Row>([
    ['refuse everything if the UID of the cluster is unknown', {seen: {uid: unknownFact()}}, nothing],
    ['refuse everything if Secret cacerts is not readable', {seen: {cacerts: unknownFact()}}, nothing],
    [
      'refuse everything if a network is declared and the namespace is not readable',
      {target: {network: 'network1'}, seen: {namespace: unknownFact()}},
      nothing,
    ],
    ['refuse a change if cacerts-previous is not readable', {seen: {previous: unknownFact()}}, renewal],
    ['refuse a change if the istiods cannot be listed', {seen: {istiods: unknownFact()}}, {...renewal, prove: false}],
    [
      'refuse to drop a live root if the workloads cannot be listed',
      {target: {own: otherRootFiles}, seen: {...noIstiod, workloads: unknownFact()}},
      {...renewal, ...rootChange, prove: false},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...expected, kind: 'refuse', refusals: ['FORBIDDEN']});
  });

  it.each<Row>([
    ['do not matter for the namespace if no network is declared', {seen: {namespace: unknownFact()}}, {}],
    [
      'refuse a change if the live bundle is not readable',
      {seen: {liveBundle: unknownFact()}},
      {kind: 'refuse', refusals: ['FORBIDDEN']},
    ],
    [
      'refuse a change under a running istiod if the live bundle is not readable, even with --allow-root-change',
      {seen: {liveBundle: unknownFact()}, rules: {allowRootChange: true}},
      {kind: 'refuse', refusals: ['FORBIDDEN']},
    ],
    [
      'refuse a change if the live bundle is not readable, even if no istiod runs',
      {seen: {liveBundle: unknownFact(), ...noIstiod}},
      {kind: 'refuse', prove: false, refusals: ['FORBIDDEN']},
    ],
    [
      'do not matter for the live bundle if no istiod runs and --allow-root-change is given',
      {seen: {liveBundle: unknownFact(), selfSigned: unknownFact(), ...noIstiod}, rules: {allowRootChange: true}},
      {prove: false},
    ],
    [
      'do not hide that the bundle lacks a root of Secret cacerts',
      {target: {own: otherRootFiles}, seen: {liveBundle: unknownFact(), ...noIstiod, workloads: known(['shop/cart'])}},
      {...rootChange, kind: 'refuse', prove: false, refusals: ['ROOT_CHANGE']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });
});

describe('the namespace', () => {
  const network = 'network1';
  it.each<Row>([
    ['is created if it is absent', {target: {network}, seen: {namespace: known('absent')}}, {namespace: 'create'}],
    [
      'keeps its label if no network is declared',
      {seen: {namespace: observedNamespace({[networkLabel]: 'other'})}},
      {},
    ],
    [
      'keeps its label if it has the declared network',
      {target: {network}, seen: {namespace: observedNamespace({[networkLabel]: network})}},
      {},
    ],
    ['is labelled if it has no network', {target: {network}}, {namespace: 'label'}],
    [
      'is relabelled if it has another network, which the decision reports',
      {target: {network}, seen: {namespace: observedNamespace({[networkLabel]: 'other'})}},
      {namespace: 'label', otherNetwork: 'other'},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });

  it('is labelled even if the CA is unchanged', () => {
    const decision = decide({target: {network, own: own(live)}});
    expect(inShort(decision)).toEqual({...unchanged, namespace: 'label'});
  });

  it('blocks the push while it is being deleted', () => {
    const decision = decide({seen: {namespace: observedNamespace({}, '2026-01-01T00:00:00Z')}});
    expect(inShort(decision)).toEqual({...nothing, refusals: ['NOT_READY']});
  });
});

it.each([
  ['holds the private key of another root, which is its own', {}, false],
  ['has a root that istiod generated', {'istio-generated': ''}, true],
])('a Secret that %s is kept as cacerts-previous: %s', (_, more, isKept) => {
  const texts = {...secretTexts({ca: otherRoot, above: otherRoot}), ...more};
  expect(decide({seen: cacerts(texts), rules: {allowRootChange: true}}).keepPrevious).toBe(isKept);
});

describe('an istiod that does not read Secret cacerts', () => {
  const reading = (caSource: CaSource): Pick<TrustObservation, 'istiods'> => ({
    istiods: known([{...observedIstiod(), caSource}]),
  });
  const other = reading({from: 'secret', name: 'mesh-ca'});
  const refused = {kind: 'refuse', prove: false, changesLiveTrust: true, refusals: ['CACERTS_NOT_MOUNTED']} as const;

  it.each<Row>([
    ['is not changed by a push of a Secret', {seen: other}, {...refused, write: 'put'}],
    [
      'is not changed if it reads a CSI volume',
      {seen: reading({from: 'volume', what: 'a volume of CSI driver x'})},
      {...refused, write: 'put'},
    ],
    [
      'is neither restarted nor waited for with --allow-unmounted',
      {seen: other, rules: {allowUnmounted: true, restartIstiod: true}},
      {prove: false, restart: []},
    ],
    [
      'blocks the push if another revision reads the Secret',
      {seen: {istiods: known([observedIstiod(), {...observedIstiod(), caSource: {from: 'unknown directory'}}])}},
      {...refused, write: 'put'},
    ],
    [
      'is not waited for beside one that reads the Secret, which shows its own CA',
      {
        seen: {istiods: known([observedIstiod(), {...observedIstiod(), caSource: {from: 'secret', name: 'mesh-ca'}}])},
        rules: {allowUnmounted: true},
      },
      {prove: false},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });
});

it('a push with nothing to write is blocked if istiod reads another directory: no restart helps', () => {
  const source: CaSource = {from: 'nothing', directory: '/var/ca'};
  const seen = {istiods: known([{...observedIstiod(), caSource: source}])};
  const decision = decide({target: {own: own(live)}, seen, rules: {restartIstiod: true}});
  expect(inShort(decision)).toEqual({...nothing, refusals: ['CACERTS_NOT_MOUNTED']});
});

describe('the Secret', () => {
  const tls = {type: 'kubernetes.io/tls'};
  const keyless = own(live, {caKey: undefined});
  const keylessBoth = own(live, {caKey: undefined, rootCert: pemOf(root, otherRoot)});
  const foreignKey = (change: Parameters<typeof secretWith>[1] = {}) =>
    cacerts({...secretTexts(live), 'other.pem': 'x'}, change);
  const keysDiffer = ['keys'] as const;
  const oneCa = ['clusterCa', 'chain', 'key', 'keys'] as const;

  it.each<Row>([
    ['is replaced as a whole if the key is in the work directory', {}, {}],
    ['loses foreign keys', {target: {own: own(live)}, seen: foreignKey()}, {differences: keysDiffer}],
    [
      'is replaced if its tls.crt takes precedence over the same four files',
      {target: {own: own(live)}, seen: cacerts({...secretTexts(live), ...tlsTexts(twin)})},
      {differences: oneCa},
    ],
    [
      'is deleted and recreated if it has another type',
      {seen: cacerts(secretTexts(live), tls)},
      {kind: 'replace', write: 'delete-and-create'},
    ],
    [
      'is deleted and recreated if it is immutable',
      {seen: cacerts(secretTexts(live), {immutable: true})},
      {kind: 'replace', write: 'delete-and-create'},
    ],
    [
      'is deleted and recreated if it is immutable and only the cluster has the key',
      {target: {own: keyless}, seen: foreignKey({immutable: true})},
      {kind: 'replace', write: 'delete-and-create', differences: keysDiffer},
    ],
    [
      'is patched if only the cluster has the key',
      {target: {own: keyless}, seen: foreignKey()},
      {write: 'patch', differences: keysDiffer},
    ],
    ['is replaced as a whole if it is Opaque and holds tls.crt', {seen: cacerts(tlsTexts(live))}, {}],
    [
      'is deleted and recreated if it holds tls.crt and only the cluster has the key',
      {target: {own: keylessBoth}, seen: {...cacerts(tlsTexts(live)), ...noIstiod}},
      {
        kind: 'replace',
        write: 'delete-and-create',
        differences: ['roots'],
        prove: false,
      },
    ],
    [
      'is kept as cacerts-previous if it holds a single key',
      {seen: {...cacerts({'other.pem': 'x'}), ...noIstiod}},
      {
        prove: false,
        differences: ['clusterCa', 'roots', 'chain', 'key', 'keys'],
      },
    ],
    [
      'is not kept as cacerts-previous if it is empty',
      {seen: {...cacerts({}), ...noIstiod}},
      {
        keepPrevious: false,
        prove: false,
        differences: ['clusterCa', 'roots', 'chain', 'key'],
      },
    ],
    [
      'is not kept as cacerts-previous if it holds the private key of the root, with a warning',
      {seen: cacerts(secretTexts({ca: root, above: root}))},
      {keepPrevious: false, warnings: 1},
    ],
    [
      'is replaced with a warning if cert-manager manages it',
      {seen: cacerts(secretTexts(live), certManager)},
      {warnings: 1},
    ],
    [
      'is replaced with a warning if another object owns it',
      {seen: cacerts(secretTexts(live), {ownerReferences: [{kind: 'ExternalSecret', name: 'ca', uid: 'u'}]})},
      {warnings: 1},
    ],
    [
      'is replaced with a warning if an annotation shows that Argo CD manages it',
      {
        seen: cacerts(secretTexts(live), {
          annotations: {'argocd.argoproj.io/tracking-id': 'app:/Secret:istio-system/cacerts'},
        }),
      },
      {warnings: 1},
    ],
    [
      'is replaced with a warning if its label managed-by names another tool',
      {seen: cacerts(secretTexts(live), {labels: {'app.kubernetes.io/managed-by': 'Helm'}})},
      {warnings: 1},
    ],
    [
      'is replaced without a warning if its label managed-by names this program',
      {seen: cacerts(secretTexts(live), {labels: {'app.kubernetes.io/managed-by': 'kubectl-mesh'}})},
      {},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });

  it.each<Row>([
    [
      'is left alone if neither the work directory nor the cluster has the key of the renewed CA',
      {target: {own: own(renewed, {caKey: undefined})}},
      {},
    ],
    [
      'is left alone if neither it nor the work directory has a key',
      {target: {own: keyless}, seen: cacerts({...secretTexts(live), 'ca-key.pem': ''})},
      {differences: ['key']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    const refused = {...renewal, kind: 'refuse', write: undefined, refusals: ['FILE_MISSING']};
    expect(inShort(decide(change))).toEqual({...refused, ...expected});
  });
});

describe('a bundle that lacks a live root', () => {
  const target = {own: otherRootFiles};
  const restartIstiod = true;
  const change = (seen: Partial<TrustObservation>, rules: Partial<PushRules> = {restartIstiod}): Change => ({
    target,
    seen,
    rules,
  });
  const existingWorkloads = {workloads: known(['shop/cart', 'shop/pay'])};
  const replaced = {...renewal, ...rootChange, restart: ['istiod']};

  it.each<Row>([
    ['is refused while workloads exist', change(existingWorkloads), {kind: 'refuse', refusals: ['ROOT_CHANGE']}],
    [
      'is refused while a single workload exists',
      change({workloads: known(['shop/cart'])}),
      {kind: 'refuse', refusals: ['ROOT_CHANGE']},
    ],
    [
      'is accepted with --allow-root-change, with a warning',
      change(existingWorkloads, {restartIstiod, allowRootChange: true}),
      {warnings: 1},
    ],
    ['is accepted if no workload exists, with a warning', change({workloads: known([])}), {warnings: 1}],
    ['is an internal error if workloads were not read', change({}), {kind: 'refuse', refusals: ['INTERNAL']}],
    [
      'is refused while workloads exist if only Secret cacerts has that root',
      change({...existingWorkloads, liveBundle: known(undefined)}),
      {kind: 'refuse', refusals: ['ROOT_CHANGE']},
    ],
    [
      'is refused while workloads exist if only the live bundle has that root',
      {
        target: {own: own(renewed)},
        seen: {liveBundle: known(pemOf(root, otherRoot)), ...existingWorkloads},
        rules: {restartIstiod},
      },
      {
        kind: 'refuse',
        differences: renewal.differences,
        droppedRoots: [otherRoot.certificate.fingerprint],
        refusals: ['ROOT_CHANGE'],
      },
    ],
    [
      'is accepted if it adds no other root and no workload exists, with a warning',
      {
        target: {own: own(renewed)},
        seen: {liveBundle: known(pemOf(root, otherRoot)), workloads: known([])},
        rules: {restartIstiod},
      },
      {differences: renewal.differences, droppedRoots: [otherRoot.certificate.fingerprint], warnings: 1},
    ],
    [
      'is refused for each root once, however often that root is listed',
      change({...existingWorkloads, liveBundle: known(pemOf(root, root))}),
      {kind: 'refuse', refusals: ['ROOT_CHANGE']},
    ],
  ])('%s', (_behaviour, rowChange, expected) => {
    expect(inShort(decide(rowChange))).toEqual({...replaced, ...expected});
  });
});

describe('a live bundle that cannot be parsed', () => {
  const seen = {liveBundle: known('-----BEGIN'), ...noIstiod};
  const unproven = {...renewal, prove: false};
  it.each<Row>([
    ['blocks a change', {seen}, {kind: 'refuse', refusals: ['ROOT_CHANGE']}],
    ['does not matter with --allow-root-change', {seen, rules: {allowRootChange: true}}, {}],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...unproven, ...expected});
  });
});

describe('a root-cert.pem in Secret cacerts that cannot be parsed', () => {
  const unreadable = cacerts({...secretTexts(live), 'root-cert.pem': '-----BEGIN'});
  it.each<[behaviour: string, seen: Partial<TrustObservation>, codes: readonly string[]]>([
    ['blocks a change if a running istiod has published no bundle', {liveBundle: known(undefined)}, ['ROOT_CHANGE']],
    ['does not matter if the bundle shows the live roots', {}, []],
    ['does not matter if no istiod runs', {liveBundle: known(undefined), ...noIstiod}, []],
  ])('%s', (_behaviour, seen, codes) => {
    const decision = decide({seen: {...unreadable, ...seen}, rules: {restartIstiod: true}});
    expect(decision.refusals.map(({code}) => code)).toEqual(codes);
  });
});

describe('workloads that trust a dropped root', () => {
  const sidecar = {name: 'istio-proxy'};
  const app = {name: 'app'};
  const gatewayLabels = {'operator.istio.io/component': 'IngressGateways'};
  const inNamespace = (name: string, more: Record<string, unknown>): FakeObject => ({
    ...injected(name),
    metadata: {...pod(name).metadata, ...more},
  });

  it.each<[behaviour: string, one: FakeObject, counts: boolean]>([
    ['include pods with a sidecar', injected('shop/cart'), true],
    [
      'include pods with a native sidecar',
      pod('shop/cart', {spec: {containers: [app], initContainers: [sidecar]}}),
      true,
    ],
    [
      'include pods with proxyless gRPC, which only the annotation of the injector shows',
      {
        ...pod('shop/cart'),
        metadata: {name: 'cart', namespace: 'shop', annotations: {'sidecar.istio.io/status': '{}'}},
      },
      true,
    ],
    ['include pods in an ambient namespace', pod('ambient/cart'), true],
    ['include pods with their own ambient label', pod('shop/cart', {}, {'istio.io/dataplane-mode': 'ambient'}), true],
    [
      'include pods whose traffic ztunnel redirects',
      {
        ...pod('shop/cart'),
        metadata: {name: 'cart', namespace: 'shop', annotations: {'ambient.istio.io/redirection': 'enabled'}},
      },
      true,
    ],
    [
      'exclude pods that opted out of ambient mode',
      pod('ambient/cart', {}, {'istio.io/dataplane-mode': 'none'}),
      false,
    ],
    [
      "exclude gateways that istioctl installed in istiod's namespace",
      inNamespace('istio-system/gateway', {labels: gatewayLabels}),
      false,
    ],
    ['include gateways in other namespaces', inNamespace('shop/gateway', {labels: gatewayLabels}), true],
    ['exclude pods that succeeded', {...injected('shop/job'), status: {phase: 'Succeeded'}}, false],
    ['exclude pods that failed', {...injected('shop/job'), status: {phase: 'Failed'}}, false],
    ['exclude pods outside the mesh', pod('shop/plain'), false],
  ])('%s', (_behaviour, one, counts) => {
    const namespaces = [namespace('shop'), namespace('ambient', {'istio.io/dataplane-mode': 'ambient'})];
    const workloads = meshWorkloads([one], namespaces, 'istio-system');
    expect(workloads).toEqual(counts ? [`${one.metadata.namespace ?? ''}/${one.metadata.name}`] : []);
    const seen = {workloads: known(workloads)};
    const decision = decide({target: {own: otherRootFiles}, seen, rules: {restartIstiod: true}});
    expect(decision.refusals.map(({code}) => code)).toEqual(counts ? ['ROOT_CHANGE'] : []);
  });
});

describe('the bundle', () => {
  const mismatched = own(renewed, {caKey: filesOf(live).caKey});
  const withoutItself = own(renewed, {certChain: pemOf(root)});
  const odd = own(renewed, {caCert: pemOf(renewed.ca, live.ca)});
  const allowed = {allowInvalidBundle: true};
  const refused = {kind: 'refuse', refusals: ['PUSH_REFUSED_INVALID_CA']} as const;

  it.each<Row>([
    [
      'may lack the self-signed root of istiod once Secret cacerts exists',
      {seen: {selfSigned: known(pemOf(otherRoot))}},
      {},
    ],
    [
      'is refused if istiod would not load it',
      {target: {own: mismatched}},
      {...refused, differences: ['clusterCa', 'chain']},
    ],
    ['is refused if its chain lacks the cluster CA', {target: {own: withoutItself}}, refused],
    [
      'is accepted with --allow-invalid-bundle if its chain lacks the cluster CA, with a warning',
      {target: {own: withoutItself}, rules: allowed},
      {warnings: 1},
    ],
    [
      'is refused with the key of another CA, even with --allow-invalid-bundle',
      {target: {own: mismatched}, rules: allowed},
      {...refused, differences: ['clusterCa', 'chain']},
    ],
    ['is accepted if istiod loads it despite a finding, with a warning', {target: {own: odd}}, {warnings: 1}],
    [
      'causes no warning if the push is refused for another reason',
      {target: {own: odd}, seen: {previous: unknownFact()}},
      {kind: 'refuse', refusals: ['FORBIDDEN']},
    ],
    ['is refused if it belongs to another cluster', {target: {wrongCluster: 'it is the CA of c2'}}, refused],
    [
      'is accepted with --allow-invalid-bundle if it belongs to another cluster, with a warning',
      {target: {wrongCluster: 'it is the CA of c2'}, rules: allowed},
      {warnings: 1},
    ],
    [
      'is refused once if it belongs to another cluster and istiod would not load it',
      {target: {own: mismatched, wrongCluster: 'it is the CA of c2'}},
      {...refused, differences: ['clusterCa', 'chain']},
    ],
    [
      'is refused for every reason at once',
      {target: {own: own(underOther, {caKey: filesOf(live).caKey})}, seen: {workloads: known(['shop/cart'])}},
      {
        ...rootChange,
        kind: 'refuse',
        differences: ['clusterCa', 'roots', 'chain'],
        refusals: ['PUSH_REFUSED_INVALID_CA', 'ROOT_CHANGE', 'RESTART_NEEDED'],
      },
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });

  it.each<[behaviour: string, files: Parameters<typeof ownOf>[0], missing: readonly string[]]>([
    ['is refused if every file is missing', {}, ['c1/ca-cert.pem', 'c1/root-cert.pem', 'c1/cert-chain.pem']],
    ['is refused if the chain is missing', filesOf(renewed, {certChain: undefined}), ['c1/cert-chain.pem']],
    [
      'is refused for a missing file before it is refused for a wrong key',
      filesOf(renewed, {rootCert: undefined, caKey: filesOf(live).caKey}),
      ['c1/root-cert.pem'],
    ],
  ])('%s, even with --allow-invalid-bundle', (_behaviour, files, missing) => {
    for (const allowInvalidBundle of [false, true]) {
      const decision = decide({target: {own: ownOf(files)}, rules: {allowInvalidBundle}});
      expect(inShort(decision)).toEqual({...nothing, refusals: ['FILE_MISSING']});
      expect(decision.refusals[0]?.message.match(/c1\/\S+\.pem/g)).toEqual(missing);
    }
  });
});

describe('a kept CA', () => {
  const refused = {kind: 'refuse', refusals: ['PUSH_REFUSED_INVALID_CA']} as const;
  const kept = (wanted: PushTarget['own'], rules: Partial<PushRules> = {}): Change => ({
    target: {isRollback: true, own: wanted},
    rules,
  });
  const nobody = {workloads: known([])};
  it.each<Row>([
    ['is restored', kept(own(renewed)), {}],
    ['is restored in the layout of tls.crt', kept(ownOf(secretWith(tlsTexts(renewed)).files)), {}],
    [
      'is refused as invalid rather than missing if it is incomplete',
      kept(own(renewed, {certChain: undefined})),
      refused,
    ],
    [
      'is restored with --allow-invalid-bundle if it is incomplete, with a warning about the root that it lacks',
      {...kept(own(renewed, {rootCert: undefined}), {allowInvalidBundle: true}), seen: {...noIstiod, ...nobody}},
      {...rootChange, prove: false, warnings: 1},
    ],
    [
      'is refused if it belongs to another cluster',
      {target: {isRollback: true, wrongCluster: 'it is the CA of c2'}},
      refused,
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });
});

describe('revocation lists', () => {
  const [ofRoot, ofLive, ofRenewed] = [crlOf(root), crlOf(live.ca), crlOf(renewed.ca)];
  const inCluster = (crl: string): Pick<TrustObservation, 'cacerts'> =>
    cacerts({...secretTexts(live), 'ca-crl.pem': crl});
  const covering = ofRoot + ofLive + ofRenewed;
  const lacking = ofRoot + ofLive;
  const inWorkDir = (crl: string) => ({own: own(renewed, {crl})});
  const crlDiffers = ['clusterCa', 'chain', 'key', 'crl'] as const;
  const refused = {kind: 'refuse', refusals: ['PUSH_REFUSED_INVALID_CA']} as const;
  const allowed = {allowInvalidBundle: true};
  const tls = (ca: typeof live) => ({...tlsTexts(ca), 'ca-crl.pem': lacking});

  it.each<Row>([
    ['in the cluster stay if they cover the renewed CA', {seen: inCluster(covering)}, {}],
    ['in the cluster block a CA that they do not cover', {seen: inCluster(lacking)}, refused],
    [
      'in the cluster stay with --allow-invalid-bundle if they do not cover the CA, with a warning',
      {seen: inCluster(lacking), rules: allowed},
      {warnings: 1},
    ],
    [
      'in the cluster block a CA that they do not cover if no istiod runs',
      {seen: {...inCluster(lacking), ...noIstiod}},
      {...refused, prove: false},
    ],
    [
      'in the cluster block a CA that they do not cover if the istiods cannot be listed',
      {seen: {...inCluster(lacking), istiods: unknownFact()}},
      {...refused, prove: false, refusals: ['PUSH_REFUSED_INVALID_CA', 'FORBIDDEN']},
    ],
    [
      'in the cluster stay if istiod is too old to read them, with a warning',
      {seen: {...inCluster(lacking), istiods: ready(['1.26.8'])}},
      {warnings: 1},
    ],
    [
      'in the cluster stay if istiod is configured not to read them, with a warning',
      {seen: {...inCluster(lacking), istiods: ready(['1.30.1', {PILOT_ENABLE_CA_CRL: 'false'}])}},
      {warnings: 1},
    ],
    [
      'in the cluster block a CA that they do not cover if one of two istiods reads them',
      {seen: {...inCluster(lacking), istiods: ready(['1.26.8'], ['1.27.0'])}},
      refused,
    ],
    [
      'in the cluster do not matter for a CA in the layout of tls.crt',
      {target: {isRollback: true, own: ownOf(secretWith(tls(renewed)).files)}, seen: cacerts(tls(live))},
      {},
    ],
    [
      'in the work directory are written if they cover the CA',
      {target: inWorkDir(covering)},
      {differences: crlDiffers},
    ],
    [
      'in the work directory are refused if they do not cover the CA',
      {target: inWorkDir(lacking), seen: inCluster(covering)},
      {...refused, differences: crlDiffers},
    ],
    [
      'in the work directory are refused if they cannot be parsed',
      {target: inWorkDir('garbage')},
      {...refused, differences: crlDiffers},
    ],
    [
      'are removed if the file in the work directory is empty, with a warning',
      {target: inWorkDir(''), seen: {...inCluster(covering), istiods: ready(['1.31.1'])}},
      {differences: crlDiffers, warnings: 1},
    ],
    [
      'are not removed while an istiod runs that applies them until it restarts',
      {target: inWorkDir(''), seen: {...inCluster(covering), istiods: ready(['1.31.0'])}},
      {kind: 'refuse', refusals: ['RESTART_NEEDED'], differences: crlDiffers},
    ],
    [
      'are removed with a restart of that istiod',
      {
        target: inWorkDir(''),
        seen: {...inCluster(covering), istiods: ready(['1.31.0'])},
        rules: {restartIstiod: true},
      },
      {restart: ['istiod'], differences: crlDiffers, warnings: 1},
    ],
    [
      'in the cluster that are empty are removed without a restart',
      {target: inWorkDir(''), seen: {...inCluster(''), istiods: ready(['1.31.0'])}},
      {},
    ],
    [
      'are removed without a restart if no istiod reads them',
      {target: inWorkDir(''), seen: {...inCluster(covering), istiods: ready(['1.26.8'])}},
      {differences: crlDiffers, warnings: 1},
    ],
    [
      'are replaced without a restart',
      {target: inWorkDir(covering), seen: {...inCluster(ofRoot + ofLive), istiods: ready(['1.31.0'])}},
      {differences: crlDiffers},
    ],
    ['do not differ if there are none on either side', {target: inWorkDir('')}, {}],
    [
      'of the previous CA are refused if they do not cover it',
      {target: {...inWorkDir(lacking), isRollback: true}},
      {...refused, differences: crlDiffers},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...renewal, ...expected});
  });

  it('cause a warning if they do not cover the CA in place', () => {
    const decision = decide({target: {own: own(live)}, seen: inCluster(ofLive)});
    expect(inShort(decision)).toEqual({...unchanged, warnings: 1});
  });
});

describe('istiod', () => {
  const multiRoot = {ISTIO_MULTIROOT_MESH: 'true'};
  const change = (istiods: TrustObservation['istiods'], rules: Partial<PushRules> = {}): Change => ({
    seen: {istiods},
    rules,
  });
  const refused = {kind: 'refuse', refusals: ['RESTART_NEEDED']} as const;
  const restartIstiod = {restartIstiod: true};

  it.each<Row>([
    ['blocks a change that it loads only at startup', change(ready(['1.11.8'])), refused],
    [
      'is restarted with --restart-istiod for a change that it loads only at startup',
      change(ready(['1.11.8']), restartIstiod),
      {restart: ['istiod']},
    ],
    [
      'is not restarted with --restart-istiod for a change that it loads while it runs',
      change(ready(['1.30.1']), restartIstiod),
      {},
    ],
    [
      'loads a renewed CA with AUTO_RELOAD_PLUGIN_CERTS',
      change(ready(['1.17.8', {AUTO_RELOAD_PLUGIN_CERTS: 'true'}])),
      {},
    ],
    [
      'blocks a renewed CA without AUTO_RELOAD_PLUGIN_CERTS in a version that needs it',
      change(ready(['1.17.8'])),
      refused,
    ],
    [
      'blocks a second root without ISTIO_MULTIROOT_MESH',
      {target: {own: bothRoots}},
      {...refused, differences: ['roots']},
    ],
    [
      'loads a second root with ISTIO_MULTIROOT_MESH',
      {target: {own: bothRoots}, seen: {istiods: ready(['1.30.1', multiRoot])}},
      {differences: ['roots']},
    ],
    [
      'blocks a second root with ISTIO_MULTIROOT_MESH before version 1.20',
      {target: {own: bothRoots}, seen: {istiods: ready(['1.19.0', multiRoot])}},
      {...refused, differences: ['roots']},
    ],
    [
      'blocks a change if it started before Secret cacerts existed',
      {
        target: {own: own(renewed, {rootCert: pemOf(root, otherRoot)})},
        seen: {
          istiods: ready(['1.30.1', multiRoot]),
          selfSigned: known(pemOf(otherRoot)),
          liveBundle: known(pemOf(otherRoot)),
        },
      },
      {...refused, differences: ['clusterCa', 'roots', 'chain', 'key']},
    ],
    [
      'without ready pods blocks and proves nothing, with a warning',
      change(ready(['1.11.8', {}, 0])),
      {prove: false, warnings: 1},
    ],
    [
      'proves the change if another one has no ready pods, with a warning',
      change(ready(['1.30.1', {}, 0], ['1.30.1'])),
      {warnings: 1},
    ],
    ['blocks a change if one of two loads it only at startup', change(ready(['1.30.1'], ['1.11.8'])), refused],
    [
      'is restarted only if it loads the change only at startup',
      change(known([observedIstiod('1.30.1'), {...observedIstiod('1.11.8'), name: 'istiod-old'}]), restartIstiod),
      {restart: ['istiod-old']},
    ],
    ['of an unknown newer version causes a warning', change(ready(['1.99.0'])), {warnings: 1}],
    ['without a release in its image tag causes a warning', change(ready(['latest'])), {warnings: 1}],
    ['leaves nothing to prove if it is absent', {seen: noIstiod}, {prove: false}],
  ])('%s', (_behaviour, rowChange, expected) => {
    expect(inShort(decide(rowChange))).toEqual({...renewal, ...expected});
  });
});

describe('a Secret that matches the work directory', () => {
  const target = {own: own(live)};
  const shows = (roots: string, more: Partial<TrustObservation> = {}): Partial<TrustObservation> => ({
    liveBundle: known(roots),
    ...more,
  });
  const existingWorkloads = {workloads: known(['shop/cart'])};
  const pendingReload = {...target, pendingReload: true};
  const loading = {prove: true, changesLiveTrust: true} as const;
  const otherDropped = {droppedRoots: [otherRoot.certificate.fingerprint]};
  const restartIstiod = {restartIstiod: true};
  const reordered = `\n# the same root\n${pemOf(root)}`;

  it.each<Row>([
    ['needs no change, regardless of its writer', {target}, {}],
    ['needs no change if only the cluster has the key', {target: {own: own(live, {caKey: undefined})}}, {}],
    [
      'needs no change if cacerts-previous and the workloads are not readable',
      {target, seen: {previous: unknownFact(), workloads: unknownFact()}},
      {},
    ],
    ['needs no change if no istiod runs', {target, seen: shows(pemOf(otherRoot), noIstiod)}, {}],
    [
      'needs no change if istiod has no ready pods',
      {target, seen: shows(pemOf(otherRoot), {istiods: ready(['1.30.1', {}, 0])})},
      {},
    ],
    ['needs no change if istiod has not distributed a bundle', {target, seen: {liveBundle: known(undefined)}}, {}],
    ['needs no change if the live bundle is not readable', {target, seen: {liveBundle: unknownFact()}}, {}],
    [
      'needs no change if the istiods cannot be listed',
      {target, seen: shows(pemOf(otherRoot), {istiods: unknownFact()})},
      {},
    ],
    [
      'still causes a warning about its bundle',
      {target: {own: own(live, {caCert: pemOf(live.ca, twin.ca)})}},
      {warnings: 1},
    ],
    [
      'still causes a warning if its CA belongs to another cluster',
      {target: {...target, wrongCluster: 'it is the CA of c2'}},
      {warnings: 1},
    ],
    [
      'still causes a warning if cert-manager manages it',
      {target, seen: cacerts(secretTexts(live), certManager)},
      {warnings: 1},
    ],
    [
      'is loaded by a restart if istiod shows another bundle',
      {target, seen: shows(pemOf(otherRoot), {workloads: known([])}), rules: restartIstiod},
      {...loading, ...otherDropped, restart: ['istiod']},
    ],
    [
      'needs --restart-istiod if istiod shows another bundle',
      {target, seen: shows(pemOf(otherRoot), {workloads: known([])})},
      {kind: 'refuse', refusals: ['RESTART_NEEDED']},
    ],
    [
      'is not loaded while workloads trust the root that istiod shows',
      {target, seen: shows(pemOf(otherRoot), existingWorkloads), rules: restartIstiod},
      {kind: 'refuse', refusals: ['ROOT_CHANGE']},
    ],
    [
      'is loaded with --allow-root-change while workloads trust the root that istiod shows',
      {target, seen: shows(pemOf(otherRoot), existingWorkloads), rules: {...restartIstiod, allowRootChange: true}},
      {...loading, ...otherDropped, restart: ['istiod']},
    ],
    [
      'is not loaded if the bundle that istiod shows cannot be parsed',
      {target, seen: shows('-----BEGIN'), rules: restartIstiod},
      {kind: 'refuse', refusals: ['ROOT_CHANGE']},
    ],
    [
      'is loaded without a restart by an istiod that shows more roots and supports several',
      {
        target,
        seen: shows(pemOf(root, otherRoot), {
          istiods: ready(['1.30.1', {ISTIO_MULTIROOT_MESH: 'true'}]),
          workloads: known([]),
        }),
      },
      {...loading, ...otherDropped},
    ],
    [
      'needs no change if its roots differ from the work directory in their bytes only',
      {target: {own: own(live, {rootCert: reordered})}},
      {},
    ],
    ['is proven if istiod presents another CA under the same root', {target: pendingReload}, loading],
    [
      'is proven by its own bytes if its roots differ from the work directory in their bytes only',
      {target: {...pendingReload, own: own(live, {rootCert: reordered})}},
      loading,
    ],
    [
      'needs --restart-istiod if istiod presents another CA and loads this one only at startup',
      {target: pendingReload, seen: {istiods: ready(['1.11.8'])}},
      {kind: 'refuse', refusals: ['RESTART_NEEDED']},
    ],
    [
      'is loaded by a restart if istiod presents another CA and loads this one only at startup',
      {target: pendingReload, seen: {istiods: ready(['1.11.8'])}, rules: restartIstiod},
      {...loading, restart: ['istiod']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(inShort(decide(change))).toEqual({...unchanged, ...expected});
  });
});

describe('a CA is in place', () => {
  it.each<[behaviour: string, seen: TrustObservation, inPlace: boolean]>([
    ['if the Secret matches and istiod shows its bundle', runningWith(live), true],
    ['unless the Secret differs', runningWith(renewed), false],
    ['unless istiod shows another bundle', runningWith(live, {liveBundle: known(pemOf(otherRoot))}), false],
    ['unless there is no Secret', emptyCluster(), false],
    ['unless the Secret is not readable', runningWith(live, {cacerts: unknownFact()}), false],
  ])('%s', (_behaviour, seen, inPlace) => {
    expect(isInPlace(own(live), seen)).toBe(inPlace);
  });
});

describe('the dropped roots', () => {
  const dropped = (seen: TrustObservation, bundle = own(underOther)): readonly string[] =>
    droppedRoots(seen, bundle.inspection).map(({fingerprint}) => fingerprint);
  it.each<[behaviour: string, seen: TrustObservation, roots: readonly string[]]>([
    ['include the roots of Secret cacerts', runningWith(live, {liveBundle: known(undefined)}), [rootFingerprint]],
    ['include the roots of the live bundle', emptyCluster({liveBundle: known(pemOf(root))}), [rootFingerprint]],
    [
      'do not include an expired root: nothing verifies against it',
      emptyCluster({liveBundle: known(pemOf(root)), at: new Date('2066-01-01T00:00:00Z')}),
      [],
    ],
    [
      'include the self-signed root of istiod if there is no Secret cacerts',
      emptyCluster({selfSigned: known(pemOf(root))}),
      [rootFingerprint],
    ],
    [
      'exclude the self-signed root of istiod if there is a Secret cacerts',
      runningWith(underOther, {selfSigned: known(pemOf(root))}),
      [],
    ],
    ['are none if the bundle has every live root', runningWith(underOther), []],
    [
      'are none if nothing is known',
      runningWith(live, {cacerts: unknownFact(), liveBundle: unknownFact(), selfSigned: unknownFact()}),
      [],
    ],
  ])('%s', (_behaviour, seen, roots) => {
    expect(dropped(seen)).toEqual(roots);
  });

  it('are all live roots if the bundle has none', () => {
    expect(dropped(runningWith(live), ownOf({}))).toEqual([rootFingerprint]);
  });
});
