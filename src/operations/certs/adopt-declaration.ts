/** What `certs adopt` writes down of a running mesh: clusters, versions, keys, and who signs, where that shows. Pure. */
import {isDeepStrictEqual} from 'node:util';
import {defined} from '../../domain/defined.js';
import {formatMinor} from '../../domain/istio/version.js';
import type {Declaration} from '../../domain/mesh/declare.js';
import {type KeyAlgorithm, keyAlgorithms} from '../../domain/keys/keys.js';
import type {MeshFile} from '../../domain/mesh/schema.js';
import type {DeclaredSigner} from '../../domain/mesh/signer-schema.js';
import type {RunningCluster} from '../../observe/running-cluster.js';
import type {Good, Standing} from './adoption.js';

export function declarationOf(good: readonly Good[], {file, hasRootKey}: Standing): Declaration {
  const [first] = good;
  if (!first) return {};
  const [{meshID, trustDomain}] = first.running.controlPlanes;
  const minors = minorsOf(good);
  const revisions = [...new Set(good.flatMap(({running}) => running.controlPlanes.map(({revision}) => revision)))];
  const isDefault = revisions.length === 1 && revisions[0] === 'default';
  const signer = hasRootKey || file?.trust?.signer !== undefined ? undefined : signerOf(good);
  const networks = good.flatMap(({name, running}) => (running.network === undefined ? [] : [[name, running.network]]));
  return defined({
    clusters: good.map(({name}) => name),
    ownContexts: Object.fromEntries(good.map(({name, context}) => [name, context])),
    networks: Object.fromEntries(networks) as Record<string, string>,
    uids: Object.fromEntries(good.map(({name, running}) => [name, running.uid])),
    meshID,
    trustDomain: trustDomain === 'cluster.local' ? undefined : trustDomain,
    istioVersion: minors.length === 1 ? minors[0] : undefined,
    revisions: isDefault ? undefined : revisions.toSorted(defaultFirst),
    keyAlgorithm: keyAlgorithmOf(good, file),
    signer,
  });
}

/** That of all cluster CAs, so that a renewal does not change it; of clusters that are not looked at nothing is known. */
function keyAlgorithmOf(good: readonly Good[], file: MeshFile | undefined): KeyAlgorithm | undefined {
  if (file?.clusters?.some((one) => good.every(({name}) => name !== one.name)) === true) return undefined;
  const names = good.flatMap(({running: {cacerts}, keptIn}) =>
    keptIn === 'cacerts' && cacerts !== 'absent' ? [cacerts.inspection.certificate?.key.name] : [],
  );
  const [first] = names;
  if (names.some((name) => name !== first)) return undefined;
  return keyAlgorithms.find((algorithm) => algorithm === first);
}

function defaultFirst(one: string, other: string): number {
  return Number(other === 'default') - Number(one === 'default') || one.localeCompare(other);
}

/** A tag that names no release says nothing of the version. */
export function minorsOf(good: readonly Good[]): readonly string[] {
  const minors = good.flatMap(({running}) =>
    running.controlPlanes.flatMap(({tag, version}) => (/^\d+\.\d+/.test(tag) ? [formatMinor(version)] : [])),
  );
  return [...new Set(minors)];
}

/** Who signs, where that shows in what runs: the same everywhere, or nothing is declared. */
function signerOf(good: readonly Good[]): DeclaredSigner | undefined {
  const [first, ...others] = good.map(({running, keptIn, keeper, context}): DeclaredSigner | undefined => {
    if (keptIn === 'istio-ca-secret') return {type: 'cluster', context};
    if (keptIn === 'elsewhere') return externalSigner(running);
    return keeper?.startsWith('cert-manager ') === true ? {type: 'external', issuer: 'cert-manager'} : undefined;
  });
  return others.every((signer) => isDeepStrictEqual(signer, first)) ? first : undefined;
}

/** istiod without a CA of its own, by its environment (istio/istio pilot/pkg/bootstrap/istio_ca.go, server.go). */
export function externalSigner({controlPlanes: [{workload}]}: RunningCluster): DeclaredSigner | undefined {
  const {EXTERNAL_CA: external, PILOT_CERT_PROVIDER: provider = '', ENABLE_CA_SERVER: enabled} = workload.env;
  const signerName = /^k8s\.io\/(.+)$/.exec(provider)?.[1];
  if (external === 'ISTIOD_RA_KUBERNETES_API' && signerName !== undefined) {
    return {type: 'external', issuer: 'kubernetes-csr', signerName};
  }
  return enabled === 'false' ? {type: 'external', issuer: 'istio-csr'} : undefined;
}
