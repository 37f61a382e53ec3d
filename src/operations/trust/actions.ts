/** Turns decisions into actions: the order in which a cluster's namespace, Secrets and istiods are changed. */
import {defined} from '../../domain/defined.js';
import {MeshError} from '../../domain/errors.js';
import {cacertsName, networkLabel, previousName} from '../../domain/istio/names.js';
import type {SecretData} from '../../domain/kube/object.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import {crlFileName} from '../../domain/x509/crl.js';
import {shortFingerprint} from '../../domain/keys/fingerprint.js';
import type {CaInspection} from '../../domain/ca/inspect-ca.js';
import {advice} from '../../domain/suggest/advice.js';
import {kubectlMesh} from '../../domain/suggest/suggestion.js';
import {cacertsObject, cacertsPatch, type CacertsSecret} from '../../domain/trust/cacerts.js';
import type {OwnCa} from '../../domain/trust/diff.js';
import {liveCa} from '../../domain/trust/misplaced.js';
import type {PushDecision, PushTarget} from '../../domain/trust/plan-push.js';
import type {Action} from '../../engine/action.js';

/** How long istiod's new pods may take to become available. Milliseconds. */
const restartTimeoutMs = 300_000;

/**
 * How long istiod may take to show a change: the kubelet syncs a mounted Secret within its sync period and the cache's
 * time to live, about two minutes by default (kubernetes.io: Secrets, "Mounted Secrets are updated automatically").
 */
const proofTimeoutMs = 240_000;

/** A decision with what it was made from. */
export interface Change {
  readonly target: PushTarget;
  readonly context: string;
  readonly decision: PushDecision;
  /** All keys of the Secret to be written; undefined where the key is not at hand. */
  readonly data: SecretData | undefined;
  readonly cacerts: CacertsSecret | 'absent';
  readonly previous: CacertsSecret | 'absent';
  /** `push` keeps what was there before it writes; `rollback` writes first, since what it writes is kept there. */
  readonly order: 'keep-first' | 'write-first';
  /** Whether ca-key.pem of the work directory goes once the cluster holds it. */
  readonly forgetKey: boolean;
}

/** The actions of one cluster, in order. */
export function changeActions(change: Change): readonly Action[] {
  const keep = keepActions(change);
  const write = writeActions(change);
  return [
    ...namespaceActions(change),
    ...(change.order === 'keep-first' ? [...keep, ...write] : [...write, ...keep]),
    ...change.decision.restart.map((istiod): Action => restartAction(change, istiod.name)),
    ...(change.decision.prove ? [proofAction(change)] : []),
    ...(change.forgetKey ? [forgetKeyAction(change)] : []),
  ];
}

function base({target, context}: Change, id: string) {
  return {id: `${target.cluster}/${id}`, cluster: target.cluster, context};
}

function namespaceActions(change: Change): readonly Action[] {
  const {target, decision} = change;
  const {namespace, network} = target;
  const labels = network === undefined ? {} : {labels: {[networkLabel]: network}};
  switch (decision.namespace) {
    case 'keep':
      return [];
    case 'create':
      return [
        {
          kind: 'put-object',
          ...base(change, 'namespace'),
          title: `create namespace ${namespace}${network === undefined ? '' : ` of network ${network}`}`,
          object: {apiVersion: 'v1', kind: 'Namespace', metadata: {name: namespace, ...labels}},
        },
      ];
    case 'label': {
      const from = decision.otherNetwork;
      return [
        {
          kind: 'patch-object',
          ...base(change, 'namespace'),
          title: `label namespace ${namespace} with network ${network ?? ''}`,
          ...(from !== undefined && {
            confirm: `change the network of namespace ${namespace} from ${from} to ${network ?? ''}`,
          }),
          ref: {apiVersion: 'v1', kind: 'Namespace', name: namespace},
          patch: {metadata: labels},
        },
      ];
    }
  }
}

function keepActions(change: Change): readonly Action[] {
  const {target, decision, cacerts, previous} = change;
  if (!decision.keepPrevious || cacerts === 'absent') return [];
  const {cluster, namespace} = target;
  const before = previous === 'absent' ? undefined : previous;
  // The same content again is nothing to write: the run before this one kept it and ended before its next step.
  if (before && change.order === 'keep-first' && isSameData(before, cacerts)) return [];
  const place = {namespace, name: previousName, cluster};
  const object = cacertsObject(place, cacerts.inspection, before && {...before, type: 'Opaque'});
  const common = {
    ...base(change, previousName),
    title: `keep the present CA in Secret ${namespace}/${previousName}`,
    secretData: cacerts.data,
  };
  if (!before || (!before.immutable && before.type === 'Opaque')) return [{kind: 'put-object', ...common, object}];
  return [
    {
      kind: 'replace-object',
      ...common,
      preconditions: {uid: before.uid, resourceVersion: before.resourceVersion},
      object: withoutVersion(object),
      whenLost: [],
    },
  ];
}

function writeActions(change: Change): readonly Action[] {
  const {target, decision, cacerts, data} = change;
  const {cluster, namespace, own} = target;
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name: cacertsName};
  const place = {namespace, name: cacertsName, cluster};
  const put = {kind: 'put-object', ...base(change, cacertsName), remembers: true} as const;
  const secretData = data ?? {};
  const before = cacerts === 'absent' ? undefined : cacerts;
  const what = `Secret ${namespace}/${cacertsName}`;
  const rolledBackFrom = change.order === 'write-first' ? liveCa(cacerts) : undefined;
  if (decision.write === undefined) return [];
  if (!data && decision.write !== 'patch') {
    throw new MeshError('INTERNAL', `nothing to write into ${what} of ${cluster}: the key is not at hand`);
  }
  switch (decision.write) {
    case 'create':
      return [{...put, title: `create ${what}`, object: cacertsObject(place, own.inspection), secretData}];
    case 'put':
      return [
        {
          ...put,
          title: `replace ${what}`,
          confirm: `replace ${what}${describeLoss(before, own)}`,
          object: cacertsObject(place, own.inspection, before, rolledBackFrom),
          secretData,
        },
      ];
    case 'patch': {
      const {caCert = '', rootCert = '', certChain = '', crl} = own.files;
      if (!before) return [];
      return [
        {
          kind: 'patch-object',
          ...base(change, cacertsName),
          remembers: true,
          title: `change the certificates in ${what}, and leave its key`,
          confirm: `replace the certificates in ${what}${describeLoss(before, own)}`,
          ref,
          patch: cacertsPatch({caCert, rootCert, certChain, crl}, cluster, own.inspection, before),
        },
      ];
    }
    case 'delete-and-create':
      if (!before) return [];
      return [
        {
          kind: 'replace-object',
          ...base(change, cacertsName),
          remembers: true,
          title: `delete and create ${what}, which cannot be changed in place`,
          confirm: `delete and create ${what}${describeLoss(before, own)}`,
          preconditions: {uid: before.uid, resourceVersion: before.resourceVersion},
          object: withoutVersion(cacertsObject(place, own.inspection, {...before, type: 'Opaque'}, rolledBackFrom)),
          secretData,
          whenLost: [
            'run the same command again before istiod restarts: without the Secret it would sign with a CA of its own',
            ...(change.decision.keepPrevious && change.order === 'keep-first'
              ? [advice`or bring back what was there: ${kubectlMesh('trust rollback', [cluster])}`]
              : []),
          ],
        },
      ];
  }
}

/** The object as it is created: nothing with a version can be. */
function withoutVersion(object: ReturnType<typeof cacertsObject>): ReturnType<typeof cacertsObject> {
  const {name, namespace, labels, annotations} = object.metadata;
  return {
    ...object,
    metadata: defined({name, namespace, labels, annotations}),
  };
}

function restartAction(change: Change, name: string): Action {
  const {namespace} = change.target;
  return {
    kind: 'restart-workload',
    ...base(change, `restart/${name}`),
    title: `restart Deployment ${namespace}/${name} and wait for it`,
    ref: {apiVersion: 'apps/v1', kind: 'Deployment', namespace, name},
    timeoutMs: restartTimeoutMs,
  };
}

function proofAction(change: Change): Action {
  const {namespace, own} = change.target;
  const fingerprint = own.inspection.certificate?.fingerprint;
  // A Secret that is left as it is may hold the same roots in other bytes.
  const left = change.decision.write === undefined && change.cacerts !== 'absent' ? change.cacerts.files : undefined;
  return defined({
    kind: 'await-bundle',
    ...base(change, 'proof'),
    title: 'wait until istiod shows the new CA',
    namespace,
    bundle: (left ?? own.files).rootCert ?? '',
    caFingerprint: fingerprint,
    timeoutMs: proofTimeoutMs,
  });
}

/** Removes a cluster's key from the work directory (`trust.keepClusterKeys: false`): the cluster holds it. */
function forgetKeyAction(change: Change): Action {
  const {cluster} = change.target;
  const {caKey} = clusterLayout(cluster);
  return {
    kind: 'remove-files',
    id: `${cluster}/forget-key`,
    cluster,
    title: `remove ${caKey}: the cluster holds the key now`,
    paths: [caKey],
  };
}

/** What a person loses, for the question: which CA is there now, keys that are not of the mesh, revocation lists that go. */
function describeLoss(before: CacertsSecret | undefined, {files}: OwnCa): string {
  if (!before) return '';
  const {foreignKeys, inspection} = before;
  const crlGoes = files.crl === '' && crlFileName in before.data;
  const keys = [...foreignKeys, ...(crlGoes ? [crlFileName] : [])];
  const extra = keys.length === 0 ? '' : `, with its keys ${keys.join(', ')}`;
  return ` (${describeShort(inspection)}${extra})`;
}

/** "cluster CA ab12…, root cd34…" */
export function describeShort({certificate, roots = []}: CaInspection): string {
  const ca = certificate ? shortFingerprint(certificate.fingerprint) : 'unreadable';
  const list = roots.map(({fingerprint}) => shortFingerprint(fingerprint)).join(' + ');
  return `cluster CA ${ca}, root ${list === '' ? 'unreadable' : list}`;
}

/** Whether a kept Secret says it holds what the other holds: fingerprints and keys, as far as they can be read. */
function isSameData(kept: CacertsSecret, present: CacertsSecret): boolean {
  const ca = present.inspection.certificate?.fingerprint;
  const key = present.inspection.key?.spki;
  return (
    ca !== undefined &&
    key !== undefined &&
    kept.inspection.certificate?.fingerprint === ca &&
    kept.inspection.key?.spki === key &&
    kept.files.rootCert === present.files.rootCert &&
    kept.files.certChain === present.files.certChain &&
    kept.files.crl === present.files.crl &&
    Object.keys(kept.data).sort().join() === Object.keys(present.data).sort().join()
  );
}
