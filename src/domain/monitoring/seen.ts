/** What monitoring looks at: certificates, by the part they play and by where they were seen. */

/** A certificate's part in the mesh. `istiod`: what istiod itself presents to proxies. */
export type CertificateRole = 'root' | 'cluster CA' | 'intermediate' | 'other root' | 'istiod';

/** Where something was seen: in files, in the API server's objects, or on the wire and in metrics of a running istiod. */
export type Source = 'workdir' | 'cluster' | 'live';

/** Who depends on whom, the deepest first: of what ends at the same time, the first is what has to be replaced. */
const depth: readonly CertificateRole[] = ['root', 'other root', 'intermediate', 'cluster CA', 'istiod'];

/** Sorts the deepest first. */
export function byDepth(one: {readonly role: CertificateRole}, other: {readonly role: CertificateRole}): number {
  return depth.indexOf(one.role) - depth.indexOf(other.role);
}
