import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {otherOwner} from '../../ca/cluster-of-ca.js';
import {fixWith, inWorkDir, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {
  type CheckSubject,
  workDirCheck,
  findingsOr,
  notApplicable,
  ok,
  type Finding,
  type OfCluster,
} from '../check.js';
import {describeCertificate} from '../describe.js';
import type {ClusterCaFacts} from '../../facts/facts.js';
import {newCa} from '../remedies.js';

/** No cluster directory holds the CA of another cluster. */
export const rightDirectoryCheck = workDirCheck({
  id: 'MESH112',
  title: "Each cluster directory holds that cluster's CA",
  scope: 'mesh',
  appliesTo: 'cacerts',
  requires: ['caFiles'],
  // The push that MESH301 suggests would give one cluster the other's key. Directories are moved with their install.yaml.
  implies: ['MESH111', 'MESH301'],
  expected: 'in each cluster directory, the CA issued for that cluster',
  judge: ({caFiles}, subject) => {
    const {clusters} = subject.mesh;
    const misplaced = caFiles.flatMap((one) => misplacedIn(one, caFiles, clusters));
    const names = new Set(clusters.flatMap((one) => [one.name, istioNameOf(one)]));
    const named = caFiles.filter(({value}) => names.has(value.certificate?.locality ?? ''));
    return findingsOr(
      misplaced.map((one) => finding(one, misplaced, subject)),
      named.length === 0
        ? notApplicable('no cluster CA has the name of a cluster in its subject')
        : ok(`${String(named.length)} of ${String(caFiles.length)} cluster CAs name their cluster`),
    );
  },
  meaning:
    "The subject of CLUSTER/ca-cert.pem does not contain the name of another cluster of the mesh. `kubectl mesh certs generate` and Istio's Makefile set the locality (L) to the cluster name. A CA whose subject contains no cluster name is not checked.",
  breaks:
    'A push would store the CA key of one cluster in another: one stolen key then affects both, and a certificate no longer identifies the cluster whose istiod signed it.',
  byHand: 'openssl x509 -in "$CLUSTER/ca-cert.pem" -noout -subject   # for each cluster',
  fix: 'Restore the original names of the directories. If you cannot tell which directory belongs to which cluster, create new cluster CAs with `kubectl mesh certs generate CLUSTER --renew`, then push them.',
  source: 'istio/istio tools/certs/common.mk, tools/certs/Makefile.selfsigned.mk (L of the intermediate CA)',
});

interface Misplaced {
  readonly cluster: MeshCluster;
  /** The cluster that the CA was issued for. */
  readonly owner: string;
  readonly what: string;
}

function misplacedIn(
  {cluster, value: {certificate}}: OfCluster<ClusterCaFacts>,
  all: readonly OfCluster<ClusterCaFacts>[],
  declared: readonly MeshCluster[],
): readonly Misplaced[] {
  const owner = otherOwner(certificate?.locality, cluster.name, declared);
  if (!certificate || owner === undefined) return [];
  // MESH110 reports a CA that is in both directories.
  const isCopy = all.some(
    (one) => one.cluster.name === owner && one.value.certificate?.fingerprint === certificate.fingerprint,
  );
  return isCopy ? [] : [{cluster, owner, what: describeCertificate(certificate)}];
}

function finding({cluster, owner, what}: Misplaced, all: readonly Misplaced[], subject: CheckSubject): Finding {
  const swapped = all.some((other) => other.cluster.name === owner && other.owner === cluster.name);
  return {
    observed: `${cluster.name} has the CA of ${owner}: ${what}`,
    clusters: [cluster.name],
    ...(swapped ? {fix: swapBack([cluster.name, owner].sort())} : newCa({...subject, cluster})),
  };
}

/** Both findings of a swap have the same command, so the order in which they are read does not matter. */
function swapBack([one = '', other = '']: readonly string[]): Suggestion {
  // Cluster names cannot contain a dot.
  const [first, second, between] = [inWorkDir(one), inWorkDir(other), inWorkDir(`${one}.moved`)];
  return sequence(
    fixWith.run('mv', [first, between]),
    fixWith.run('mv', [second, first]),
    fixWith.run('mv', [between, second]),
  );
}
