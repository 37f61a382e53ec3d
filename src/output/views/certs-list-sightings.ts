import type {Source} from '../../domain/monitoring/metrics.js';
import {type ListedCertificate, type ListResult} from '../../operations/certs/list.js';
import type {LiveCertificate} from '../../operations/certs/list-live.js';
import type {Printed} from '../view.js';

/** A certificate where it was seen: in a file, in an object of a cluster, or presented by an istiod. */
export interface Sighting {
  /** Whose it is: a cluster's name, or {@link ofMesh}: a root of the mesh belongs to no cluster, wherever it is seen. */
  readonly owner: string;
  /** Where it was seen. */
  readonly cluster: string;
  readonly source: Source;
  readonly certificate: ListedCertificate | LiveCertificate;
}

export const ofMesh = '';

/** All sightings: those of the mesh's own files, then each cluster's files and what runs there. */
export function sightings({root, clusters}: Printed<ListResult>): readonly Sighting[] {
  const meshRoots = new Set(root.certificates.map(({fingerprint}) => fingerprint));
  const seen = (cluster: string, source: Source, certificate: Sighting['certificate']): Sighting => ({
    owner: meshRoots.has(certificate.fingerprint) ? ofMesh : cluster,
    cluster,
    source,
    certificate,
  });
  return [
    ...root.certificates.map((one) => seen(ofMesh, 'workdir', one)),
    ...clusters.flatMap(({name, certificates, live}) => [
      ...certificates.map((one) => seen(name, 'workdir', one)),
      ...(live?.certificates ?? []).map((one) => seen(name, one.source, one)),
    ]),
  ];
}
