/** The part of MESH505 about the CA in a remote secret. */
import {type ResolvedApiServer, toCaData} from '../../discovery/api-server.js';
import {caDifference} from '../../discovery/api-server-ca.js';
import type {ApiServerAddress, RemoteKubeconfig} from '../../discovery/remote-kubeconfig.js';
import type {ApiServerFacts} from '../../facts/facts.js';
import {printableLine} from '../../printable.js';
import type {Finding, PairSubject} from '../check.js';
import type {Remedy} from '../remedies.js';
import {secretPlace} from './credentials.js';
import type {SyncState} from './sync-state.js';

/** A remote secret and what it is compared with. */
export interface Compared {
  readonly kubeconfig: RemoteKubeconfig;
  readonly address: ApiServerAddress;
  /** Whether link wrote it. */
  readonly isLinked: boolean;
  readonly wanted: ResolvedApiServer;
  readonly known: ApiServerFacts;
  readonly state: SyncState;
  /** What resolves a finding: most pairs have none. */
  readonly remedy: () => Remedy;
  /** With the Secret's name if it is not the usual one. */
  readonly subject: PairSubject & {readonly secret: string | undefined};
}

/** A difference is decisive only if the address does not work: that may be unknown. */
export function unlessSynced(state: SyncState, finding: Finding): Finding | undefined {
  if (state === 'synced') return undefined;
  return state === 'not synced' ? finding : {...finding, isUnproven: true};
}

/** Compares the CA. */
export function caFinding(compared: Compared): Finding | undefined {
  const {kubeconfig, address, known, state, remedy, subject} = compared;
  const place = secretPlace(subject);
  if (kubeconfig.insecure === true) {
    const observed = `the kubeconfig in ${place} does not verify the server's certificate (insecure-skip-tls-verify)`;
    return {severity: 'warning', observed, implies: [], ...remedy()};
  }
  const {caData} = address;
  if (caData === undefined && kubeconfig.caFile !== undefined) {
    const observed = `the CA in ${place} is a file, ${printableLine(kubeconfig.caFile)}, which istiod's pod does not have`;
    return {observed, ...remedy()};
  }
  const isPublic = hasPublicRoots(compared);
  const isSameServer = [compared.wanted.address.url, known.kubeconfig?.url].includes(address.url);
  const isRight =
    caData === undefined
      ? isPublic || ofServer(compared).length === 0
      : !(isPublic && isSameServer) && isAmong(caData, compared);
  if (isRight) return undefined;
  const observed = `${caData === undefined ? 'there is no CA' : 'the CA is another one'} in ${place}`;
  // Another address of the same API server can have a certificate of another CA, which may be in istiod's image.
  const isDeclared = subject.peer.apiServer?.caData !== undefined;
  const isDecisive = caData !== undefined && (isDeclared || (isSameServer && !isPublic));
  const finding = {observed, ...remedy()};
  return isDecisive ? finding : unlessSynced(state, finding);
}

/** Whether the expected server has a certificate of a public CA, because kubectl verifies it without one. */
export function hasPublicRoots({wanted: {source, address, insecure}}: Pick<Compared, 'wanted'>): boolean {
  return source === 'kubeconfig' && address.caData === undefined && insecure !== true;
}

/** The CAs of the peer's API server, by any of its addresses. */
function ofServer({wanted, known: {kubeconfig, rootCa}}: Compared): readonly string[] {
  const all = [wanted.address.caData, kubeconfig?.caData, rootCa === undefined ? undefined : toCaData(rootCa)];
  return all.filter((one) => one !== undefined);
}

function isAmong(caData: string, compared: Compared): boolean {
  if (caData === compared.wanted.address.caData) return true;
  const all = ofServer(compared);
  return all.length === 0 || all.some((one) => caDifference(caData, one) !== 'other');
}
