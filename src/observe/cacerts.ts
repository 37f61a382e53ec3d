/** Secrets with CA files, as they are in a cluster. */
import {meshNames, type Mesh} from '../domain/mesh/mesh.js';
import type {InspectOptions} from '../domain/ca/inspect-ca.js';
import {readCacerts, type CacertsSecret} from '../domain/trust/cacerts.js';
import type {Reads} from './cluster-reader.js';

/** How CA files of a mesh are judged, as a running istiod reads them. */
export function inspectOptions(mesh: Mesh, now: Date): InspectOptions {
  return {now, istioVersion: mesh.istio.version, ...meshNames(mesh)};
}

/** The same for files and Secrets of which the key may be elsewhere. */
export function inspectWithoutKey(mesh: Mesh, now: Date): InspectOptions {
  return {...inspectOptions(mesh, now), keyMayBeMissing: true};
}

/** A Secret with CA files. Throws what keeps it from being read. */
export async function readCaSecret(
  reads: Pick<Reads, 'read'>,
  which: 'cacerts' | 'previous',
  options: InspectOptions,
): Promise<CacertsSecret | 'absent'> {
  const secret = await reads.read(which);
  return secret ? readCacerts(secret, options) : 'absent';
}

/**
 * The root that istiod made for itself (Secret istio-ca-secret), as PEM; undefined: none. Only the certificate: the key beside
 * it is the root's.
 */
export async function readSelfSigned(reads: Pick<Reads, 'read'>): Promise<string | undefined> {
  const encoded = (await reads.read('selfSigned'))?.data?.['ca-cert.pem'] ?? '';
  return encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}
