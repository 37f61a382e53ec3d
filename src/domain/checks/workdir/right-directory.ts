import type {Mesh, MeshCluster} from '../../mesh/mesh.js';
import {otherOwner} from '../../ca/cluster-of-ca.js';
import {fixWith, inWorkDir, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {workDirCheck, findingsOr, notApplicable, ok, type Finding, type OfCluster} from '../check.js';
import {describeCertificate} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {renewFix} from '../fixes.js';

/** The directories of two clusters did not change places. */
export const rightDirectoryCheck = workDirCheck({
  id: 'MESH112',
  title: "Each cluster's directory holds the CA of that cluster",
  scope: 'mesh',
  about: 'cacerts',
  needs: ['caFiles'],
  // The push that MESH301 names would give one cluster the key of the other. Directories are moved with all they hold.
  implies: ['MESH111', 'MESH301'],
  expected: "in each cluster's directory the CA that was made for that cluster",
  judge: ({caFiles}, {mesh}) => {
    const declared = mesh.clusters.map(({name}) => name);
    const misplaced = caFiles.flatMap((one) => misplacedIn(one, caFiles, declared));
    const named = caFiles.filter(({value}) => declared.includes(value.certificate?.locality ?? ''));
    return findingsOr(
      misplaced.map((one) => finding(one, misplaced, mesh)),
      named.length === 0
        ? notApplicable('no cluster CA names a cluster of the mesh in its subject')
        : ok(`${String(named.length)} of ${String(caFiles.length)} cluster CAs name their cluster`),
    );
  },
  meaning:
    'The subject of CLUSTER/ca-cert.pem does not name another cluster of the mesh. `certs generate` and the Makefile of Istio write the name of the cluster there, as L. A CA from elsewhere that names none is not judged.',
  breaks:
    "A push would put each cluster's CA key into the other cluster: one stolen key then concerns both, and a certificate no longer says which cluster's istiod signed it.",
  byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject   # for each cluster',
  mend: 'Move the directories back to their names. Where that cannot be told any more, `certs generate CLUSTER --renew` makes a new cluster CA, which is pushed afterwards.',
  source: 'istio/istio tools/certs/common.mk, tools/certs/Makefile.selfsigned.mk (L of the intermediate CA)',
});

interface Misplaced {
  readonly cluster: MeshCluster;
  /** The cluster that the CA was made for. */
  readonly owner: string;
  readonly what: string;
}

function misplacedIn(
  {cluster, value: {certificate}}: OfCluster<ClusterCaFacts>,
  all: readonly OfCluster<ClusterCaFacts>[],
  declared: readonly string[],
): readonly Misplaced[] {
  const owner = otherOwner(certificate?.locality, cluster.name, declared);
  if (!certificate || owner === undefined) return [];
  // The same CA in both directories is a finding of MESH110.
  const isCopy = all.some(
    (one) => one.cluster.name === owner && one.value.certificate?.fingerprint === certificate.fingerprint,
  );
  return isCopy ? [] : [{cluster, owner, what: describeCertificate(certificate)}];
}

function finding({cluster, owner, what}: Misplaced, all: readonly Misplaced[], mesh: Mesh): Finding {
  const swapped = all.some((other) => other.cluster.name === owner && other.owner === cluster.name);
  return {
    observed: `${cluster.name} has the CA of ${owner}: ${what}`,
    clusters: [cluster.name],
    fix: swapped ? swapBack([cluster.name, owner].sort()) : renewFix({cluster, mesh}),
  };
}

/** Both findings of a swap name the same command, so that it is the same whichever is read. */
function swapBack([one = '', other = '']: readonly string[]): Suggestion {
  // No cluster can have a name with a dot.
  const [first, second, between] = [inWorkDir(one), inWorkDir(other), inWorkDir(`${one}.moved`)];
  return sequence(
    fixWith.run('mv', [first, between]),
    fixWith.run('mv', [second, first]),
    fixWith.run('mv', [between, second]),
  );
}
