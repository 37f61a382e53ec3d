/** Gathers the facts of a rotation of cluster CAs, and decides which step each cluster needs. */
import {type ClusterState, rootStateOf, type RootState} from '../../../domain/ca/workdir-state.js';
import {externalCaReason} from '../../../domain/mesh/signer.js';
import {isKnown, observe, type Observed, known, unknownsOf, valueOr} from '../../../domain/observed.js';
import type {CacertsSecret} from '../../../domain/trust/cacerts.js';
import type {ClusterTrust} from '../../../domain/trust/cluster-trust.js';
import {compareCa, type DesiredCa, plannedCa} from '../../../domain/trust/diff.js';
import {isInPlace} from '../../../domain/trust/plan-push.js';
import {decideRotation, type RotationRule, type RotationStep} from '../../../domain/trust/rotation.js';
import type {Certificate} from '../../../domain/x509/certificate.js';
import type {ExpiryThreshold} from '../../../domain/x509/expiry.js';
import type {Deps} from '../../../engine/deps.js';
import type {RunSettings} from '../../../engine/operation.js';
import {createCaFileReader} from '../../../observe/ca-files.js';
import {eachCluster} from '../../../observe/cluster-reader.js';
import {presentsOtherCa, readTrust} from '../../../observe/trust-state.js';
import {judgeClusters} from '../../shared/judge-clusters.js';
import {loadMesh, type LoadedMesh} from '../../shared/load-mesh.js';
import type {TrustTarget} from '../actions.js';
import {type ClusterCa, type PushRequest, pushTarget, readCas} from '../gather-push.js';
import {factsOf, type TrustFacts} from '../plan-changes.js';

/** `trust rotate cluster-ca CLUSTER...`. */
export interface RotateRequest extends PushRequest {
  /** `--within`: only CAs with at most this remaining lifetime. */
  readonly within?: ExpiryThreshold | undefined;
  /** `--rollback-on-failure`: restore the previous CA where istiod does not load the new one. */
  readonly rollbackOnFailure: boolean;
}

/** A cluster, its step, and the CA that the step pushes. */
export interface RotationTarget extends TrustTarget {
  /** Absent if it could not be decided: `nothingToWrite` is the reason. */
  readonly step?: RotationStep;
}

/** The facts of a rotation. */
export interface RotationFacts extends TrustFacts {
  readonly loaded: LoadedMesh;
  readonly targets: readonly RotationTarget[];
  /** The mesh's root in the work directory. */
  readonly root: RootState;
}

/** Gathers the facts. With an external issuer there are no targets. Throws what {@link loadMesh} throws. */
export async function gatherRotation(
  deps: Deps,
  request: RotateRequest,
  {concurrency}: Pick<RunSettings, 'concurrency'>,
): Promise<RotationFacts> {
  const loaded = await loadMesh(deps, request);
  const {mesh} = loaded;
  const clusters = externalCaReason(mesh.trust.signer) === undefined ? loaded.clusters : [];
  const rule = {within: request.within, trust: mesh.trust, now: deps.now()};
  const reader = createCaFileReader(deps.workspace);
  const root = rootStateOf({certificate: (await reader.root()).certificate, key: undefined});
  const states = await judgeClusters({mesh, clusters}, reader, root, rule.now);
  const gather = async ({cluster, own}: ClusterCa): Promise<RotationTarget> => {
    const planned = root.kind === 'present' ? plannedCa(root.roots, own.files.crl) : own;
    const trust = await readTrust(deps, mesh, cluster, () =>
      request.allowRootChange ? undefined : planned.inspection,
    );
    const pendingReload = await isPending(deps, trust, own, mesh.istio.namespace);
    const cacerts = isKnown(trust.seen) ? trust.seen.value.cacerts : trust.seen;
    const state = states.find(({name}) => name === cluster.name)?.state;
    const decided = decide({cacerts, state, pendingReload}, rule);
    const target = pushTarget(mesh, trust, decided.step === 'renew' ? planned : own, valueOr(pendingReload, false));
    // A preview of a write: its data is known once the CA has been issued.
    const current = valueOr(cacerts, 'absent');
    const data = decided.step === 'renew' ? (current === 'absent' ? {} : current.data) : target.data;
    return {...target, ...decided, data, removesKey: !mesh.trust.keepClusterKeys};
  };
  const targets = await eachCluster(await readCas(deps, mesh, clusters), concurrency, gather);
  return {...(await factsOf(deps, loaded, targets)), targets, root};
}

/** Whether the cluster has the work directory's CA, but a running istiod does not use it yet. */
async function isPending(
  deps: Deps,
  trust: ClusterTrust,
  own: DesiredCa,
  namespace: string,
): Promise<Observed<boolean>> {
  const cacerts = isKnown(trust.seen) ? valueOr(trust.seen.value.cacerts, 'absent') : 'absent';
  if (!isKnown(trust.seen) || cacerts === 'absent' || compareCa(own, cacerts).length > 0) return known(false);
  if (!isInPlace(own, trust.seen.value)) return known(true);
  return observe(() => presentsOtherCa(deps, trust, namespace, own.inspection.certificate?.fingerprint));
}

/** What decides on a cluster's step. */
interface StepFacts {
  readonly cacerts: Observed<CacertsSecret | 'absent'>;
  readonly state: ClusterState | undefined;
  readonly pendingReload: Observed<boolean>;
}

function decide(
  {cacerts, state, pendingReload}: StepFacts,
  rule: RotationRule,
): Pick<RotationTarget, 'step' | 'nothingToWrite'> {
  const [nothingToWrite] = unknownsOf(cacerts, pendingReload);
  if (nothingToWrite) return {nothingToWrite};
  const current = valueOr(cacerts, 'absent');
  // Without a CA, nothing expires; a cluster that is named gets its first one.
  if (current === 'absent' && rule.within) return {step: 'none'};
  const live = current === 'absent' ? undefined : current.inspection.certificate;
  return {step: decideRotation({live, ready: readyCa(state), pendingReload: valueOr(pendingReload, false)}, rule)};
}

/** The work directory's CA, if it can be pushed. */
function readyCa(state: ClusterState | undefined): Certificate | undefined {
  return state?.kind === 'valid' && !state.keyMissing ? state.inspection.certificate : undefined;
}
