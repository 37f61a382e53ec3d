/** Turns decisions into actions: the order in which a cluster's namespace, Secrets and istiods change. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, MeshError} from '../../domain/errors.js';
import {cacertsName, defaultBundleName, networkLabel, previousName} from '../../domain/istio/names.js';
import type {SecretData} from '../../domain/kube/object.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import {crlFileName} from '../../domain/x509/crl.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import type {CaInspection} from '../../domain/ca/inspect-ca.js';
import {advice, type Hint, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {cacertsObject, cacertsPatch, type CacertsSecret, isChangeable} from '../../domain/trust/cacerts.js';
import {isKnown, valueOr} from '../../domain/observed.js';
import {publishedBundleName} from '../../domain/trust/istiod.js';
import {type ClusterTrust, secretOf} from '../../domain/trust/cluster-trust.js';
import {liveCa} from '../../domain/trust/wrong-cluster.js';
import type {PushDecision, PushTarget} from '../../domain/trust/plan-push.js';
import type {Action} from '../../engine/action.js';
import {restartTimeoutMs} from '../shared/restart.js';

/**
 * How long to wait until istiod uses a change: the kubelet syncs a mounted Secret within its sync period and cache TTL,
 * about two minutes by default (kubernetes.io: Secrets, "Mounted Secrets are updated automatically").
 */
const proofTimeoutMs = 240_000;

/** One cluster of a push or a rollback, and its intended state. */
export interface TrustTarget {
  readonly trust: ClusterTrust;
  readonly target: PushTarget;
  /** All data keys of the Secret to write; undefined if the CA key is not available. */
  readonly data: SecretData | undefined;
  /** `push` saves the current CA as the previous Secret first; `rollback` writes first, since that is its source. */
  readonly order: 'keep-first' | 'write-first';
  /** Why there is no CA to write at all. */
  readonly nothingToWrite?: ErrorReport | undefined;
  /** Whether ca-key.pem is removed from the work directory once the cluster has it. */
  readonly removesKey: boolean;
}

/** A target and its decision. */
export interface TrustChange extends TrustTarget {
  readonly decision: PushDecision;
}

/** The actions of one cluster, in order. */
export function changeActions(change: TrustChange): readonly Action[] {
  const {decision, order, removesKey} = change;
  const {cluster, namespace, own} = change.target;
  const [keep, write] = [keepActions(change), writeActions(change)];
  const restarts = decision.restart.map(({name}): Action => ({
    kind: 'restart-workload',
    ...base(change, `restart/${name}`),
    title: `restart Deployment ${namespace}/${name} and wait for it`,
    ref: {apiVersion: 'apps/v1', kind: 'Deployment', namespace, name},
    timeoutMs: restartTimeoutMs,
  }));
  // A Secret that is not changed may contain the same roots in other bytes.
  const unchanged = decision.write === undefined ? secretOf(change.trust, 'cacerts')?.files : undefined;
  const caFingerprint = own.inspection.certificate?.fingerprint;
  const proof: Action = defined({
    kind: 'await-bundle',
    ...base(change, 'proof'),
    title: 'wait until istiod uses the new CA',
    namespace,
    bundle: (unchanged ?? own.files).rootCert ?? '',
    bundleName: bundleNameIn(change, caFingerprint),
    caFingerprint,
    timeoutMs: proofTimeoutMs,
  });
  const {caKey} = clusterLayout(cluster);
  const forget: Action = {
    kind: 'remove-files',
    id: `${cluster}/forget-key`,
    cluster,
    title: `remove ${caKey}: the cluster now has the key`,
    paths: [caKey],
  };
  return [
    ...namespaceActions(change),
    ...(order === 'keep-first' ? [...keep, ...write] : [...write, ...keep]),
    ...restarts,
    ...(decision.prove ? [proof] : []),
    ...(removesKey ? [forget] : []),
  ];
}

/**
 * The ConfigMap in Istio's namespace that shows the loaded bundle. discoverySelectors may exclude that namespace, and istiod then
 * publishes none there: the presented cluster CA is the proof.
 */
function bundleNameIn({trust: {seen}}: TrustTarget, caFingerprint: string | undefined): string | undefined {
  if (!isKnown(seen)) return defaultBundleName;
  const {istiods, liveBundle} = seen.value;
  const isPublished = !isKnown(liveBundle) || liveBundle.value !== undefined || caFingerprint === undefined;
  return isPublished ? publishedBundleName(valueOr(istiods, [])) : undefined;
}

function base({target: {cluster}, trust}: TrustTarget, id: string) {
  return {id: `${cluster}/${id}`, cluster, context: trust.cluster.context ?? ''};
}

function namespaceActions(change: TrustChange): readonly Action[] {
  const {namespace, network = ''} = change.target;
  const {namespace: needed, otherNetwork: from} = change.decision;
  if (needed === 'keep') return [];
  const common = base(change, 'namespace');
  const labels = network === '' ? {} : {labels: {[networkLabel]: network}};
  if (needed === 'create') {
    const title = `create namespace ${namespace}${network === '' ? '' : ` with network ${network}`}`;
    const object = {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace, ...labels}};
    return [{kind: 'put-object', ...common, title, object}];
  }
  const question = `change the network of namespace ${namespace} from ${from ?? ''} to ${network}`;
  return [
    defined({
      kind: 'patch-object',
      ...common,
      title: `label namespace ${namespace} with network ${network}`,
      confirm: from === undefined ? undefined : question,
      ref: {apiVersion: 'v1', kind: 'Namespace', name: namespace},
      patch: {metadata: labels},
    }),
  ];
}

function keepActions(change: TrustChange): readonly Action[] {
  const {target, decision, order} = change;
  const cacerts = secretOf(change.trust, 'cacerts');
  const before = secretOf(change.trust, 'previous');
  if (!decision.keepPrevious || !cacerts) return [];
  // Identical content needs no write: an earlier run saved it and was interrupted before its next step.
  if (before && order === 'keep-first' && isSameData(before, cacerts)) return [];
  const title = `save the current CA as Secret ${target.namespace}/${previousName}`;
  const {inspection, data: secretData} = cacerts;
  const inPlace = !before || isChangeable(before);
  return [secretAction(change, previousName, {title, inspection, secretData, before, inPlace})];
}

function writeActions(change: TrustChange): readonly Action[] {
  const {data: secretData, order} = change;
  const {cluster, namespace, own} = change.target;
  const {write, keepPrevious} = change.decision;
  if (write === undefined) return [];
  const before = secretOf(change.trust, 'cacerts');
  const what = `Secret ${namespace}/${cacertsName}`;
  const loss = before ? describeLoss(before, own.files.crl === '') : '';
  if (write === 'patch') {
    if (!before) return [];
    const object = cacertsObject({namespace, name: cacertsName, cluster}, own.inspection, before);
    return [
      {
        kind: 'patch-object',
        ...base(change, cacertsName),
        recordsJournalHead: true,
        title: `change the certificates in ${what}, not its key`,
        confirm: `replace the certificates in ${what}${loss}`,
        ref: {apiVersion: 'v1', kind: 'Secret', namespace, name: cacertsName},
        patch: cacertsPatch(object, own.files, before),
      },
    ];
  }
  if (!secretData) {
    throw new MeshError('INTERNAL', `cannot write ${what} of ${cluster}: the CA key is not available`);
  }
  const texts = {
    create: {title: `create ${what}`},
    put: {title: `update ${what}`, confirm: `replace the CA in ${what}${loss}`},
    'delete-and-create': {
      title: `delete and create ${what}, which cannot be updated in place`,
      confirm: `delete and create ${what}${loss}`,
    },
  }[write];
  const restore = advice`or restore the previous CA: ${kubectlMesh('trust rollback', [cluster])}`;
  return [
    secretAction(change, cacertsName, {
      ...texts,
      recordsJournalHead: true,
      inspection: own.inspection,
      secretData,
      before,
      inPlace: write !== 'delete-and-create',
      rolledBackFrom: order === 'write-first' ? liveCa(before) : undefined,
      recoveryHints: [
        'run the same command again before istiod restarts: without the Secret it would sign with a self-signed CA',
        ...(keepPrevious && order === 'keep-first' ? [restore] : []),
      ],
    }),
  ];
}

/** A write of a complete Secret. */
interface SecretChange {
  readonly title: string;
  readonly confirm?: string;
  readonly recordsJournalHead?: boolean;
  readonly inspection: CaInspection;
  readonly secretData: SecretData;
  /** The existing object of this name. */
  readonly before: CacertsSecret | undefined;
  /** Whether it can be updated; otherwise it is deleted and created. */
  readonly inPlace: boolean;
  readonly rolledBackFrom?: string | undefined;
  readonly recoveryHints?: readonly Hint[];
}

function secretAction(change: TrustChange, name: string, write: SecretChange): Action {
  const {inspection, before, inPlace, rolledBackFrom, recoveryHints = [], ...rest} = write;
  const {cluster, namespace} = change.target;
  const common = {...base(change, name), ...rest};
  const object = cacertsObject({namespace, name, cluster}, inspection, before, rolledBackFrom);
  if (inPlace) return {kind: 'put-object', ...common, object};
  return {
    kind: 'replace-object',
    ...common,
    preconditions: defined({uid: before?.uid, resourceVersion: before?.resourceVersion}),
    // An object with a resourceVersion cannot be created.
    object: {...object, metadata: defined({...object.metadata, resourceVersion: undefined})},
    recoveryHints,
  };
}

/** What is lost, for the confirmation: the current CA, foreign data keys, and revocation lists that are removed. */
function describeLoss({foreignKeys, inspection, data}: CacertsSecret, removesCrl: boolean): string {
  const keys = [...foreignKeys, ...(removesCrl && crlFileName in data ? [crlFileName] : [])];
  const extra = keys.length === 0 ? '' : `, including its keys ${keys.join(', ')}`;
  return ` (${describeShort(inspection)}${extra})`;
}

/** "cluster CA ab12…, root cd34…" */
export function describeShort({certificate, roots = []}: CaInspection): string {
  const ca = certificate ? shortFingerprint(certificate.fingerprint) : 'unreadable';
  const list = roots.map(({fingerprint}) => shortFingerprint(fingerprint)).join(' + ');
  return `cluster CA ${ca}, root ${list === '' ? 'unreadable' : list}`;
}

/** Whether the previous Secret has the contents of the current one: fingerprints and keys, if they are readable. */
function isSameData(previous: CacertsSecret, current: CacertsSecret): boolean {
  const content = ({inspection: {certificate, key}, files: {rootCert, certChain, crl}, data}: CacertsSecret) =>
    JSON.stringify([certificate?.fingerprint, key?.spki, rootCert, certChain, crl, Object.keys(data).sort()]);
  const {certificate, key} = current.inspection;
  return certificate !== undefined && key?.spki !== undefined && content(previous) === content(current);
}
