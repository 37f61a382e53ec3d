import type {Source} from '../../domain/monitoring/metrics.js';
import {type ListedCertificate, type ListResult} from '../../operations/certs/list.js';
import type {LiveCertificate} from '../../operations/certs/list-live.js';
import type {Printed} from '../view.js';

/** A certificate at one place: in a file, in an object of a cluster, or presented by an istiod. */
export interface Sighting {
  /** The cluster to which it belongs, or {@link ofMesh}: a root of the mesh belongs to no cluster, wherever it is found. */
  readonly owner: string;
  /** The cluster in which it was found. */
  readonly cluster: string;
  readonly source: Source;
  readonly certificate: ListedCertificate | LiveCertificate;
}

/** The owner of the mesh's roots. */
export const ofMesh = '';

/** Returns all sightings: first in the mesh's files, then in each cluster's files and live state. */
export function sightings({root, clusters}: Printed<ListResult>): readonly Sighting[] {
  const meshRoots = new Set(root.certificates.map(({fingerprint}) => fingerprint));
  const sighting = (cluster: string, source: Source, certificate: Sighting['certificate']): Sighting => ({
    owner: meshRoots.has(certificate.fingerprint) ? ofMesh : cluster,
    cluster,
    source,
    certificate,
  });
  return [
    ...root.certificates.map((one) => sighting(ofMesh, 'workdir', one)),
    ...clusters.flatMap(({name, certificates, live}) => [
      ...certificates.map((one) => sighting(name, 'workdir', one)),
      ...(live?.certificates ?? []).map((one) => sighting(name, one.source, one)),
    ]),
  ];
}
